/* Times, and how people read them. */
#pragma once

#include <stdint.h>
#include <time.h>

/* Milliseconds and nanoseconds of a clock that only goes forward. */
int64_t clock_monotonic_ms(void);
uint64_t clock_monotonic_ns(void);

/* Seconds of the same clock, some milliseconds old, at a fraction of the cost. */
time_t clock_coarse_seconds(void);

/* Milliseconds since the machine was started, times in which it slept included. */
int64_t clock_boot_ms(void);

/* Milliseconds since 1970, by the clock of the system. */
int64_t clock_system_ms(void);

/* Milliseconds of a processor that the calling thread has used. */
int64_t clock_thread_ms(void);

/* A time in text. */
struct time_text {
    char text[32];
};

/* Writes a time as RFC 3339 has it, in UTC and to the second; for direct use in an argument. It
 * must be one that 32 bits can hold, counted from 1970. */
struct time_text clock_text(time_t when);
