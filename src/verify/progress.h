/* A line on a terminal: how many are done, of how many, how fast, and for how long it goes on. */
#pragma once

#include "base/base.h"

struct event_base;
struct progress;

/* Shows the line on stderr, twice a second while the event base runs, from two numbers that live as
 * long. Returns 0 or -ENOMEM. */
int progress_new(struct event_base *base, const size_t *done, const size_t *total,
                 struct progress **out);

/* Takes the line off the terminal; NULL is allowed. */
void progress_free(struct progress *progress);
