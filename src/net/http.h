/* HTTP/1.1 as a protocol of stream connections: reading requests and framing replies. What a
 * request means is the handler's business. */
#pragma once

#include "net/http_parse.h"
#include "net/stream.h"

enum {
    HTTP_IDLE_SECONDS = 30, /* from accepting, or from the last reply, to the end of a request */
};

/* The codes that are given as a reply (RFC 9110 15). */
enum http_status {
    HTTP_STATUS_OK = 200,
    HTTP_STATUS_NOT_MODIFIED = 304,
    HTTP_STATUS_BAD_REQUEST = 400,
    HTTP_STATUS_NOT_FOUND = 404,
    HTTP_STATUS_METHOD_NOT_ALLOWED = 405,
    HTTP_STATUS_PAYLOAD_TOO_LARGE = 413,
    HTTP_STATUS_MISDIRECTED_REQUEST = 421,
    HTTP_STATUS_REQUEST_HEADER_FIELDS_TOO_LARGE = 431,
    HTTP_STATUS_INTERNAL_SERVER_ERROR = 500,
    HTTP_STATUS_SERVICE_UNAVAILABLE = 503,
};

struct http_reply {
    enum http_status status;  /* 200 unless the handler sets another */
    const char *content_type; /* "application/json" unless the handler sets another */
    const char *allow;        /* the verbs that a 405 names, or NULL */
    const char *fields;       /* further header fields, each with its CRLF, or NULL */
    struct text etag;         /* the strong entity-tag, without quotes; empty for none */
    bool conditional;         /* who has a 200 with this entity-tag, which there is then, gets a 304
                                 (RFC 9110 13.1.2) */
    struct buffer body;       /* if it fails, the reply becomes a 500 */
    /* What makes the rest of a long body, or NULL; the server frees it. If it fails, the connection
     * ends so that the peer sees that the body is cut short. */
    struct producer *rest;
};

/* What answers requests. */
struct http_handler {
    void (*answer)(void *context, const struct http_request *request, struct http_reply *reply);
    /* Fills the body of a reply to a request that is refused; its status is set, and FAULT says
     * what is wrong. */
    void (*refuse)(void *context, const char *fault, struct http_reply *reply);
    void *context;
};

/* How one thread serves HTTP: the context of http_protocol. */
struct http_service {
    struct http_handler handler;
    bool keepalive;          /* whether connections stay open if the peer wants them to */
    struct http_reply reply; /* the current one; its memory is used again */
};

extern const struct stream_protocol http_protocol;

/* Prepares a service, and frees what it holds. */
void http_service_init(struct http_service *service, const struct http_handler *handler,
                       bool keepalive);
void http_service_deinit(struct http_service *service);
