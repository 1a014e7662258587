/* PowerDNS's remote backend over a unix socket: JSON objects, one a line, on connections that live
 * as long as PowerDNS does.
 *
 * A request that cannot be understood or answered gets {"error":…} without a "result", which
 * PowerDNS reports as SERVFAIL; a fault is never taken for "no such record".
 */
#pragma once

#include "net/stream.h"
#include "snapshot/snapshot.h"

enum {
    REMOTE_UNIX_REQUEST_MAX = 64 << 10, /* bytes of one request */
};

/* How one thread serves: the context of remote_unix_protocol. */
struct remote_unix {
    struct snapshot *const *snapshot; /* where the thread keeps its current snapshot */
    struct notify *notify;            /* of the service, or NULL */
    struct counters *counters;        /* of the thread, or NULL */
    void (*reload)(void);             /* what an order to reload calls, or NULL */
};

extern const struct stream_protocol remote_unix_protocol;
