/* What the runs of sync came to. */
#pragma once

#include "state/state.h"

enum { SYNC_RUNS_MAX = 400 }; /* that are kept */

struct sync_run {
    int64_t started, ended; /* seconds since 1970 */
    bool refused;           /* it was, or it failed: nothing has changed */
    int64_t names;          /* that were looked up */
    int64_t members;        /* of them, of all policies; 0 if it was refused */
    int64_t uncovered;      /* names with mail servers that no policy covers */
    int64_t failed;         /* look-ups */
};

/* Adds a run and forgets the oldest. Returns 0, STATE_FAILED or -ENOMEM. */
int sync_runs_add(struct state *state, const struct sync_run *run);

/* The last run, and in SUCCEEDED when the last one ended that was not refused (0: none was).
 * Returns 0, STATE_END if there was none, STATE_FAILED or -ENOMEM. */
int sync_runs_last(struct state *state, struct sync_run *out, int64_t *succeeded);
