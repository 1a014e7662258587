#include "net/stream_counters.h"

const uint64_t stream_answer_bounds[ANSWER_BOUNDS] = {
    5000,   10000,   25000,   50000,    100000,    250000,
    500000, 1000000, 2500000, 10000000, 100000000, 1000000000,
};

void stream_count_answer(struct stream_counters *counters, uint64_t nanoseconds)
{
    size_t bucket = 0;

    while (bucket < ANSWER_BOUNDS && nanoseconds > stream_answer_bounds[bucket])
        bucket++;
    counter_add(&counters->answers[bucket], 1);
    counter_add(&counters->answer_nanoseconds, nanoseconds);
}
