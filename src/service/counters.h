/* What the threads count, for the metrics. Every thread writes counters of its own and only the
 * admin thread reads those of others, so counting is a load, an addition and a store, without a
 * locked instruction, in cache lines that no other thread writes. Readers sum over the threads; a
 * sum may be some requests old, and never goes down.
 */
#pragma once

#include "config/config.h"
#include "net/stream_counters.h"
#include "protocol/method.h"

enum {
    COUNTERS_ALIGNMENT = 64, /* bytes of a cache line */

    /* The listeners by number: the TCP ones, then this one. */
    LISTENER_UNIX = TCP_COUNT,
    LISTENER_COUNT,
};

/* How a request of the remote backend came. */
enum transport {
    TRANSPORT_HTTP,
    TRANSPORT_UNIX,
    TRANSPORT_COUNT,
};

struct counters {
    /* By transport, number of the method (METHOD_NONE for what is none) and outcome. */
    counter requests[TRANSPORT_COUNT][METHOD_COUNT_MAX][OUTCOME_COUNT];
    struct stream_counters streams[LISTENER_COUNT];
};

/* Makes counters that are all 0, in cache lines of their own; free() frees them. Returns NULL if
 * memory runs out. */
struct counters *counters_new(void);

/* The name of a listener as in the configuration, for example "http". */
const char *counters_listener_name(size_t listener);

/* Counts a request of the remote backend; COUNTERS may be NULL, METHOD too. */
static inline void counters_count_request(struct counters *counters, enum transport transport,
                                          const struct method *method, enum outcome outcome)
{
    if (counters)
        counter_add(&counters->requests[transport][method_number(method)][outcome], 1);
}
