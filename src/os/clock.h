/* Times, and how people read them. */
#pragma once

#include <stdint.h>
#include <time.h>

/* Milliseconds of a clock that only goes forward. */
int64_t clock_monotonic_ms(void);

/* A time in text. */
struct time_text {
    char text[32];
};

/* Writes a time as RFC 3339 has it, in UTC and to the second; for direct use in an argument. It
 * must be one that 32 bits can hold, counted from 1970. */
struct time_text clock_text(time_t when);
