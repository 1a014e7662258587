/* Reading HTTP/1 requests (RFC 9112), one after the other from a stream of bytes.
 *
 * A library finds where they end; http_library.h alone knows which. Such libraries are lenient, in
 * ways that differ, and a request that another implementation could read otherwise is how one is
 * smuggled past a proxy (RFC 9112 11.2). So http_head reads once more, and strictly, all that is
 * not data of a body, and a request counts only if it is sound for both.
 */
#pragma once

#include "base/buffer.h"
#include "net/http_head.h"

enum {
    HTTP_HEADER_MAX = 16 << 10, /* bytes of request line and headers, and of what is in a chunked
                                   body besides data, from one piece of data to the next */
    HTTP_BODY_MAX = 64 << 10,   /* bytes */
};

/* A request. The texts live until the next one is read. */
struct http_request {
    enum http_verb verb;
    struct text method; /* as sent */
    struct text target; /* path and query string */
    struct text host;   /* of the Host field, or of an absolute target; as sent, maybe empty */
    struct text if_none_match; /* the value of that field (RFC 9110 13.1.2), or empty */
    struct text body;
    bool is_1_0;    /* of a version before HTTP/1.1 */
    bool keepalive; /* the peer may send others on the same connection (RFC 9112 9.3) */
    int connection; /* the descriptor, which http.h sets, for what a handler may want to know */
};

/* What came of reading. */
enum http_parsed {
    HTTP_PARSED_INCOMPLETE, /* all bytes are read, and the request goes on */
    HTTP_PARSED_CONTINUE,   /* the peer waits for a 100 before it sends the body (RFC 9110 10.1.1);
                               the next call goes on with the same request */
    HTTP_PARSED_COMPLETE,
    /* The request is refused; what follows cannot be read. */
    HTTP_PARSED_NO_MEMORY,
    HTTP_PARSED_MALFORMED,
    HTTP_PARSED_HEADER_TOO_LARGE,
    HTTP_PARSED_BODY_TOO_LARGE,
    HTTP_PARSED_NO_HOST, /* HTTP/1.1 requires one (RFC 9112 3.2) */
    HTTP_PARSED_SEVERAL_HOSTS,
    HTTP_PARSED_COUNT,
};

enum {
    HTTP_PARSE_LIBRARY_SIZE = 112, /* bytes that the library's state takes at most */
};

struct http_parse {
    /* Complete, or, if it is refused, with its verb alone, if its head could be read. */
    struct http_request request;

    /* Of http_parse.c alone. */
    struct buffer head_text;
    struct buffer around; /* the data: bytes since the head, or since the last piece of data */
    struct buffer body;
    const char *taken; /* of the bytes that are being read: up to here they are in a buffer */
    bool at_head_end;  /* where the library has paused */
    bool has_head;     /* HEAD is read */
    bool complete;     /* the request */
    struct http_head head;
    enum http_parsed fault; /* why a callback has stopped the library; 0: it has not */
    _Alignas(max_align_t) char library[HTTP_PARSE_LIBRARY_SIZE];
};

/* Prepares to read the first request of a connection. It must not move from then on. */
void http_parse_init(struct http_parse *parse);

/* Releases what it holds. */
void http_parse_deinit(struct http_parse *parse);

/* Reads bytes up to the end of a request. Stores how many it has read. After a request is complete
 * it can be called for the next one. */
enum http_parsed http_parse_read(struct http_parse *parse, struct text bytes, size_t *n_read);
