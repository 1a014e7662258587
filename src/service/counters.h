/* What the threads count, for the metrics. Every thread writes counters of its own and only the
 * admin thread reads those of others, so counting is a load, an addition and a store, without a
 * locked instruction, in cache lines that no other thread writes. Readers sum over the threads; a
 * sum may be some requests old, and never goes down.
 */
#pragma once

#include "config/config.h"
#include "protocol/method.h"

#include <stdatomic.h>
#include <time.h>

enum {
    COUNTERS_ALIGNMENT = 64, /* bytes of a cache line */

    /* The listeners by number: the TCP ones, then this one. */
    LISTENER_UNIX = TCP_COUNT,
    LISTENER_COUNT,

    /* The upper bounds of the buckets of answer times, and one without. */
    ANSWER_BOUNDS = 12,
    ANSWER_BUCKETS = ANSWER_BOUNDS + 1,
};

/* How a request of the remote backend came. */
enum transport {
    TRANSPORT_HTTP,
    TRANSPORT_UNIX,
    TRANSPORT_COUNT,
};

typedef atomic_uint_fast64_t counter;

/* Of one listener. */
struct stream_counters {
    counter accepted; /* connections */
    counter closed;
    counter let_go; /* of the closed ones: idle for too long, or to make room */
    counter answers[ANSWER_BUCKETS];
    counter answer_nanoseconds;
};

struct counters {
    /* By transport, number of the method (METHOD_NONE for what is none) and outcome. */
    counter requests[TRANSPORT_COUNT][METHOD_COUNT_MAX][OUTCOME_COUNT];
    struct stream_counters streams[LISTENER_COUNT];
};

/* The upper bounds in nanoseconds, ascending. */
extern const uint64_t counters_bounds[ANSWER_BOUNDS];

/* Makes counters that are all 0, in cache lines of their own; free() frees them. Returns NULL if
 * memory runs out. */
struct counters *counters_new(void);

/* The name of a listener as in the configuration, for example "http". */
const char *counters_listener_name(size_t listener);

/* Adds, by the only thread that writes the counter. */
static inline void counter_add(counter *number, uint64_t n)
{
    atomic_store_explicit(number, atomic_load_explicit(number, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

static inline uint64_t counter_read(const counter *number)
{
    return atomic_load_explicit(number, memory_order_relaxed);
}

/* Counts a request of the remote backend; COUNTERS may be NULL, METHOD too. */
static inline void counters_count_request(struct counters *counters, enum transport transport,
                                          const struct method *method, enum outcome outcome)
{
    if (counters)
        counter_add(&counters->requests[transport][method_number(method)][outcome], 1);
}

/* Notes how long an answer took. */
void counters_count_answer(struct stream_counters *counters, const struct timespec *begin,
                           const struct timespec *end);
