/* The clock of the state: seconds since 1970 that go on as time does, whatever becomes of the clock
 * of the system.
 *
 * Obligations to senders last for months and over restarts. The clock of the system may be set
 * meanwhile, by years, as it was wrong until then or is wrong now. So the state has a clock of its
 * own, and all times in it are of that. While the service runs, it goes on with the time since the
 * machine was started, which nobody sets. Over a restart only the clock of the system tells how
 * much time has passed. If that is less than nothing or more than a day, it is not believed, and
 * the clock of the state goes on where it was: what waits for a time to pass waits longer, never
 * shorter.
 *
 * Mostly the two are the same. When the clock of the system is set, the difference between them
 * becomes another one, so that people still read times of the system. Steps below a minute are what
 * keeping the time right takes; both clocks go along with them.
 *
 * The clocks that it is made of are read to the millisecond: their seconds begin at different
 * moments, and a time that was a second behind when a domain began to retire would end that a
 * second early. */
#pragma once

#include <stdint.h>

enum {
    STATE_CLOCK_STEP = 60,       /* seconds; less is no setting of the clock */
    STATE_CLOCK_STOPPED = 86400, /* seconds that a restart may take to be believed */
};

struct state_clock {
    int64_t time;  /* of this clock, in milliseconds, */
    int64_t boot;  /* when so many had passed since the machine was started */
    int64_t ahead; /* of the clock of the system, in seconds */
};

/* Begins at a start. WRITTEN is the time when the state was written last, 0 for never, and AHEAD
 * what was the difference then, in seconds. SYSTEM and BOOT are the two other clocks now, in
 * milliseconds. Returns by how much the clock of the system was not believed, in seconds; 0: it
 * was. */
int64_t state_clock_begin(struct state_clock *clock, int64_t written, int64_t ahead, int64_t system,
                          int64_t boot);

/* Looks at the clock of the system, which is to be done every few seconds. Returns by how much it
 * was set since the last time, in seconds; 0: it was not. */
int64_t state_clock_look(struct state_clock *clock, int64_t system, int64_t boot);

/* The time, in seconds since 1970. */
int64_t state_clock_time(const struct state_clock *clock, int64_t boot);
