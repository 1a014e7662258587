#include "state/state_clock.h"

int64_t state_clock_time(const struct state_clock *clock, int64_t boot)
{
    return clock->time + boot - clock->boot;
}

int64_t state_clock_begin(struct state_clock *clock, int64_t written, int64_t ahead, int64_t system,
                          int64_t boot)
{
    int64_t passed = system + ahead - written;

    *clock = (struct state_clock){.time = system, .boot = boot};
    if (written == 0)
        return 0;
    clock->time = system + ahead;
    clock->ahead = ahead;
    if (passed >= -STATE_CLOCK_STEP && passed <= STATE_CLOCK_STOPPED)
        return 0;
    clock->time = written;
    clock->ahead = written - system;
    return passed;
}

int64_t state_clock_look(struct state_clock *clock, int64_t system, int64_t boot)
{
    int64_t time = state_clock_time(clock, boot), step = system + clock->ahead - time;

    clock->boot = boot;
    clock->time = time;
    if (step > -STATE_CLOCK_STEP && step < STATE_CLOCK_STEP) {
        clock->time += step;
        return 0;
    }
    clock->ahead -= step;
    return step;
}
