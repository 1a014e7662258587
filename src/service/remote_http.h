/* PowerDNS's remote backend over HTTP: which of its three encodings a request has, and the reply in
 * HTTP's terms.
 *
 * 200 is an answer, also that something is not ours; 400 a request that PowerDNS would not send;
 * 404 a path that is not ours; 500 our own fault. PowerDNS reads the body of 200 and 404 only, and
 * reports anything else as SERVFAIL, so a fault is never taken for "no such record".
 */
#pragma once

#include "net/http.h"
#include "service/counters.h"
#include "snapshot/snapshot.h"

struct remote_http {
    const char *path;                 /* the prefix of every request, without a final slash */
    struct snapshot *const *snapshot; /* where the thread keeps its current snapshot */
    struct notify *notify;            /* of the service, or NULL */
    struct counters *counters;        /* of the thread, or NULL */
    void (*reload)(void);             /* what an order to reload calls, or NULL */
};

/* The handler to give to an HTTP server of the same thread; REMOTE must outlive it. */
struct http_handler remote_http_handler(struct remote_http *remote);
