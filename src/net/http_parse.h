/* Reading HTTP/1 requests (RFC 9112), one after the other from a stream of bytes. Where they begin
 * and end is found by a library, http_parser, that http_parse.c alone knows.
 *
 * Such libraries are lenient about framing, in ways that differ. A request that is framed in a way
 * that another implementation could read otherwise is how one is smuggled past a proxy (RFC 9112
 * 11.2), so it is refused here, whatever the library makes of it.
 */
#pragma once

#include "base/buffer.h"

enum {
    HTTP_HEADER_MAX = 16 << 10, /* bytes of request line and headers, and of what is in a chunked
                                   body besides data, from one piece of data to the next */
    HTTP_BODY_MAX = 64 << 10,   /* bytes */
};

enum http_verb {
    HTTP_VERB_OTHER,
    HTTP_VERB_GET,
    HTTP_VERB_HEAD,
    HTTP_VERB_POST,
    HTTP_VERB_PUT,
    HTTP_VERB_PATCH,
    HTTP_VERB_DELETE,
};

/* A request. The texts live until the next one is read. */
struct http_request {
    enum http_verb verb;
    const char *verb_name;
    struct text target; /* path and query string */
    struct text host;   /* of the Host field, or of an absolute target; as sent, maybe empty */
    struct text body;
    bool is_1_0;    /* of a version before HTTP/1.1 */
    bool keepalive; /* the peer may send others on the same connection (RFC 9112 9.3) */
};

/* What came of reading. */
enum http_parsed {
    HTTP_PARSED_INCOMPLETE, /* all bytes are read, and the request goes on */
    HTTP_PARSED_CONTINUE,   /* the peer waits for a 100 before it sends the body (RFC 9110 10.1.1);
                               the next call goes on with the same request */
    HTTP_PARSED_COMPLETE,
    HTTP_PARSED_NO_MEMORY, /* complete, but memory ran out for a part of it */
    /* The request is refused; what follows cannot be read. */
    HTTP_PARSED_MALFORMED,
    HTTP_PARSED_HEADER_TOO_LARGE,
    HTTP_PARSED_BODY_TOO_LARGE,
    HTTP_PARSED_NO_HOST, /* HTTP/1.1 requires one (RFC 9112 3.2) */
    HTTP_PARSED_SEVERAL_HOSTS,
    HTTP_PARSED_COUNT,
};

/* The headers that matter here. */
enum http_header {
    HTTP_HEADER_HOST,
    HTTP_HEADER_EXPECT,
    HTTP_HEADER_CONTENT_LENGTH,
    HTTP_HEADER_TRANSFER_ENCODING,
    HTTP_HEADER_COUNT,
};

enum {
    HTTP_PARSE_LIBRARY_SIZE = 64, /* bytes that the library's state takes at most */
    HTTP_PARSE_NAME_SIZE = 18,    /* bytes of a header's name: more than any known one has */
};

struct http_parse {
    /* Complete, or, if it is refused, with its verb alone, if that was read. */
    struct http_request request;

    /* Of http_parse.c alone. */
    struct buffer target, body;
    struct {
        size_t lines;
        struct buffer value; /* of all lines, one after the other */
    } headers[HTTP_HEADER_COUNT];
    char name[HTTP_PARSE_NAME_SIZE]; /* of the current header line; cut if it is longer */
    size_t name_length;
    bool in_value;           /* of the current header line */
    enum http_header header; /* which it is; HTTP_HEADER_COUNT: another one */
    bool head_complete;      /* further headers are trailers, which do not count */
    bool complete;           /* the request */
    enum http_parsed fault;  /* why the request is refused; 0: it is not, or the library says why */
    const char *fault_at;    /* where, if that is before the byte that the library has come to */
    const char *unchecked;   /* of the bytes that are being read: framing is checked up to here */
    int before;              /* the byte before, or 0 if it is none of framing, or CHUNK_END */
    size_t n_framing;        /* bytes of framing in a row */
    _Alignas(max_align_t) char library[HTTP_PARSE_LIBRARY_SIZE];
};

/* The phrase that goes with a status code in a reply (RFC 9110 15), for example "Not Found". */
const char *http_parse_phrase(unsigned int status);

/* Prepares to read the first request of a connection. It must not move from then on. */
void http_parse_init(struct http_parse *parse);

/* Releases what it holds. */
void http_parse_deinit(struct http_parse *parse);

/* Reads bytes up to the end of a request. Stores how many it has read. After a request is complete
 * it can be called for the next one. */
enum http_parsed http_parse_read(struct http_parse *parse, struct text bytes, size_t *n_read);
