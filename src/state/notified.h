/* Which own zones were notified (snapshot/notify.h), over a restart. */
#pragma once

#include "snapshot/notify.h"
#include "state/state.h"

/* Reads the zones, and up to which serial all were notified. Returns 0, STATE_FAILED or -ENOMEM. */
int notified_read(struct state *state, struct notified *out);

/* Adds zones, and sets up to which serial all were notified; with ALL that says everything, and the
 * list is emptied. Returns 0, STATE_FAILED or -ENOMEM. */
int notified_write(struct state *state, const struct notified *news, bool all);
