#include "state/state_clock.h"

static int64_t milliseconds(const struct state_clock *clock, int64_t boot)
{
    return clock->time + boot - clock->boot;
}

/* Has the clock be so far ahead of the clock of the system. */
static void set_ahead(struct state_clock *clock, int64_t ahead, int64_t system)
{
    clock->ahead = ahead;
    clock->time = system + ahead * 1000;
}

int64_t state_clock_time(const struct state_clock *clock, int64_t boot)
{
    return milliseconds(clock, boot) / 1000;
}

int64_t state_clock_begin(struct state_clock *clock, int64_t written, int64_t ahead, int64_t system,
                          int64_t boot)
{
    int64_t passed = system / 1000 + ahead - written;

    *clock = (struct state_clock){.time = system, .boot = boot};
    if (written == 0)
        return 0;
    set_ahead(clock, ahead, system);
    if (passed >= -STATE_CLOCK_STEP && passed <= STATE_CLOCK_STOPPED)
        return 0;
    set_ahead(clock, ahead - passed, system);
    return passed;
}

int64_t state_clock_look(struct state_clock *clock, int64_t system, int64_t boot)
{
    int64_t step = system + clock->ahead * 1000 - milliseconds(clock, boot);
    int64_t seconds = (step + (step < 0 ? -500 : 500)) / 1000;

    if (seconds > -STATE_CLOCK_STEP && seconds < STATE_CLOCK_STEP)
        seconds = 0;
    clock->boot = boot;
    set_ahead(clock, clock->ahead - seconds, system);
    return seconds;
}
