#include "os/clock.h"

int64_t clock_monotonic_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

uint64_t clock_monotonic_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

time_t clock_coarse_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return now.tv_sec;
}

struct time_text clock_text(time_t when)
{
    struct time_text out;
    struct tm parts;

    gmtime_r(&when, &parts);
    strftime(out.text, sizeof(out.text), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return out;
}
