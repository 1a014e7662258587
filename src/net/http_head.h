/* What HTTP/1 requests consist of besides data: the head, and the lines around chunks.
 *
 * It is read as strictly as RFC 9112 allows, and nothing is taken that one of the libraries behind
 * http_library.h refuses. So it makes no difference which of them finds where a request ends, nor
 * what a proxy in front makes of a doubtful one (RFC 9112 11.2).
 */
#pragma once

#include "base/base.h"

enum http_verb {
    HTTP_VERB_OTHER,
    HTTP_VERB_GET,
    HTTP_VERB_HEAD,
    HTTP_VERB_POST,
    HTTP_VERB_PUT,
    HTTP_VERB_PATCH,
    HTTP_VERB_DELETE,
};

/* The texts are views of what was read. */
struct http_head {
    enum http_verb verb;
    struct text method;        /* as sent */
    struct text target;        /* as sent */
    bool is_1_0;               /* HTTP/1.0; else 1.1 */
    struct text host;          /* of the last Host field; as sent, maybe empty */
    size_t n_hosts;            /* Host fields */
    struct text if_none_match; /* of the last field of that name (RFC 9110 13.1.2), or empty */
    bool is_chunked;
    uint64_t body_length;  /* bytes, unless it is chunked; 0 if no field says so */
    bool keepalive;        /* the peer may send others on the same connection (RFC 9112 9.3) */
    bool expects_continue; /* the peer waits for a 100 before it sends the body (RFC 9110 10.1.1) */
};

/* Reads a whole head: the request line, the fields, and the empty line that ends them; empty lines
 * before it do not count (RFC 9112 2.2). Returns whether it is sound; OUT is untouched otherwise.
 */
bool http_head_read(struct text text, struct http_head *out);

/* Whether what precedes the data of a chunk is sound (RFC 9112 7.1): the end of the data before it,
 * unless it is the first, and the line with its size. Behind that the last one, which has no data,
 * has the trailers and an empty line. */
bool http_chunk_is_sound(struct text text, bool is_first, bool is_last);
