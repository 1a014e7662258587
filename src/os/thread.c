#include "os/thread.h"

#include "os/clock.h"

#include <time.h>

enum { NAP_NANOSECONDS = 5000000 };

bool thread_join_within(pthread_t thread, const atomic_bool *ended, int64_t milliseconds)
{
    int64_t end = clock_monotonic_ms() + milliseconds;

    while (!*ended && clock_monotonic_ms() < end)
        nanosleep(&(struct timespec){.tv_nsec = NAP_NANOSECONDS}, NULL);
    if (!*ended) {
        pthread_detach(thread);
        return false;
    }
    pthread_join(thread, NULL);
    return true;
}
