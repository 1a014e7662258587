/* What saving a run and correcting one have in common. For these alone. */
#pragma once

#include "state/verify_saving.h"

/* The number of the last run, 0 if there was none. Returns 0, STATE_FAILED or -ENOMEM, as the one
 * below does. */
int verify_last_number(struct state *state, int64_t *out);

/* Replaces what is known of the checks, inside of a transaction. */
int verify_checks_write(struct state *state, const struct verify_check *checks, size_t n);
