/* The line that shows on a terminal how a run goes on, from the event base that it runs on. */
#pragma once

#include "base/base.h"

struct event_base;
struct progress_timer;

/* Shows the line on stderr, twice a second while the event base runs, from two numbers that live as
 * long. Returns 0 or -ENOMEM. */
int progress_timer_new(struct event_base *base, const size_t *done, const size_t *total,
                       struct progress_timer **out);

/* Takes the line off the terminal; NULL is allowed. */
void progress_timer_free(struct progress_timer *timer);
