/* PowerDNS's remote backend as the service's threads answer it, on two listeners.
 *
 * Over HTTP (LISTENER_REMOTE) a request has one of three encodings. 200 is an answer, also that
 * something is not ours; 400 a request that PowerDNS would not send; 404 a path that is not ours;
 * 500 our own fault. PowerDNS reads the body of 200 and 404 only, and reports anything else as
 * SERVFAIL.
 *
 * Over the unix socket (LISTENER_UNIX) requests and replies are JSON objects, one a line, on
 * connections that live as long as PowerDNS does. A request that cannot be understood or answered
 * gets {"error":…} without a "result", which PowerDNS reports as SERVFAIL.
 *
 * So a fault is never taken for "no such record".
 */
#pragma once

#include "admin/counters.h"
#include "net/http.h"
#include "protocol/request.h"
#include "snapshot/snapshot.h"

enum {
    REMOTE_UNIX_REQUEST_MAX = 64 << 10, /* bytes of one request over the unix socket */
};

/* How one thread answers on one listener. */
struct remote {
    enum listener listener;
    const char *path; /* over HTTP: the prefix of every request, without a final slash */
    struct snapshot *const *snapshot; /* where the thread keeps its current snapshot */
    struct notify *notify;            /* of the service, or NULL */
    struct counters *counters;        /* of the thread, or NULL */
    void (*order_reload)(void);       /* what to call when a peer orders a reload, or NULL */
};

/* The handler to give to an HTTP server of the same thread; REMOTE must outlive it. */
struct http_handler remote_http_handler(struct remote *remote);

/* The protocol of the unix socket; its context is a struct remote. */
extern const struct stream_protocol remote_unix_protocol;

/* For both: counts a request of a method (NULL: of none) by its outcome. */
void remote_count(const struct remote *remote, const struct method *method, enum outcome outcome);

/* For both: answers a decoded request as method_answer does, counts it if it could be answered, and
 * passes an order to reload on. */
void remote_answer(const struct remote *remote, const struct request *request, struct buffer *reply,
                   struct producer **rest);
