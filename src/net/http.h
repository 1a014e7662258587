/* HTTP/1.1 as a protocol of stream connections: the framing of requests and replies. What a request
 * means is the handler's business. The framing is read by http_parser; libevent's own HTTP server
 * would answer malformed requests with an HTML page. */
#pragma once

#include "net/stream.h"

#include <http_parser.h>

enum {
    HTTP_HEADER_MAX = 16 << 10, /* bytes of request line and headers */
    HTTP_BODY_MAX = 64 << 10,   /* bytes */
    HTTP_IDLE_SECONDS = 30, /* from accepting, or from the last reply, to the end of a request */
};

struct http_request {
    enum http_method verb;
    struct text target; /* path and query string */
    struct text host;   /* of the Host field, or of an absolute target; as sent, maybe empty */
    struct text body;
};

struct http_reply {
    unsigned int status;      /* 200 unless the handler sets another */
    const char *content_type; /* "application/json" unless the handler sets another */
    const char *allow;        /* the verbs that a 405 names, or NULL */
    struct text etag;         /* the strong entity-tag, without quotes; empty for none */
    struct buffer body;       /* if it fails, the reply becomes a 500 */
    /* What makes the rest of a long body, or NULL; the server frees it. If it fails, the connection
     * ends so that the peer sees that the body is cut short. */
    struct producer *rest;
};

/* What answers requests. The views in a request live until the function returns. */
struct http_handler {
    void (*answer)(void *context, const struct http_request *request, struct http_reply *reply);
    /* Fills the body of a reply to what is no acceptable request; status is set, and FAULT says
     * what is wrong. */
    void (*refuse)(void *context, const char *fault, struct http_reply *reply);
    void *context;
};

/* How one thread serves HTTP: the context of http_protocol. */
struct http_service {
    struct http_handler handler;
    bool keepalive;
    struct http_reply reply; /* the current one; its memory is used again */
};

extern const struct stream_protocol http_protocol;

/* Prepares a service, and frees what it holds. */
void http_service_init(struct http_service *service, const struct http_handler *handler,
                       bool keepalive);
void http_service_deinit(struct http_service *service);

/* Sets http_parser's limit, which is one for the whole process, to HTTP_HEADER_MAX; to be called
 * once, before any thread starts. */
void http_init(void);
