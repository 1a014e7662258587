#include "os/clock.h"

static uint64_t nanoseconds_of(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

int64_t clock_monotonic_ms(void)
{
    return (int64_t)(clock_monotonic_ns() / 1000000);
}

uint64_t clock_monotonic_ns(void)
{
    return nanoseconds_of(CLOCK_MONOTONIC);
}

time_t clock_coarse_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return now.tv_sec;
}

int64_t clock_boot_ms(void)
{
    return (int64_t)(nanoseconds_of(CLOCK_BOOTTIME) / 1000000);
}

int64_t clock_system_ms(void)
{
    return (int64_t)(nanoseconds_of(CLOCK_REALTIME) / 1000000);
}

int64_t clock_thread_ms(void)
{
    return (int64_t)(nanoseconds_of(CLOCK_THREAD_CPUTIME_ID) / 1000000);
}

struct time_text clock_text(time_t when)
{
    struct time_text out;
    struct tm parts;

    gmtime_r(&when, &parts);
    strftime(out.text, sizeof(out.text), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return out;
}
