/* What the threads count, for the metrics. Every thread writes counters of its own, in cache lines
 * that no other thread writes, and the admin thread reads them. So counting is a load, an addition
 * and a store, without a locked instruction. A sum over the threads may be some requests old, and
 * never goes down. */
#pragma once

#include "config/config.h"
#include "net/stream_counters.h"
#include "protocol/method.h"

enum {
    COUNTERS_ALIGNMENT = 64, /* bytes of a cache line */
};

struct counters {
    /* Of the remote backend, so of LISTENER_REMOTE and LISTENER_UNIX, by number of the method
     * (METHOD_NONE if it is none) and outcome. */
    counter requests[LISTENER_COUNT][METHOD_COUNT_MAX][OUTCOME_COUNT];
    struct stream_counters streams[LISTENER_COUNT];
};

/* Makes counters that are all 0, in cache lines of their own; free() frees them. Returns NULL if
 * memory runs out. */
struct counters *counters_new(void);
