/* Counters, and what is counted of the connections of one listener.
 *
 * Every thread writes counters of its own and only one other thread reads them, so counting is a
 * load, an addition and a store, without a locked instruction. */
#pragma once

#include "base/base.h"

#include <stdatomic.h>

/* The upper bounds of the buckets of answer times, and one without. */
enum { ANSWER_BOUNDS = 12, ANSWER_BUCKETS = ANSWER_BOUNDS + 1 };

typedef atomic_uint_fast64_t counter;

/* Of one listener. */
struct stream_counters {
    counter accepted; /* connections */
    counter closed;
    counter evicted; /* of the closed ones: idle for too long, or to make room */
    counter answers[ANSWER_BUCKETS];
    counter answer_nanoseconds;
};

/* The upper bounds in nanoseconds, ascending. */
extern const uint64_t stream_answer_bounds[ANSWER_BOUNDS];

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

/* Counts an answer by how long it took. */
void stream_count_answer(struct stream_counters *counters, uint64_t nanoseconds);
