/* What `verify --save` found: the last report whole, and the counts of the runs before it. */
#pragma once

#include "base/buffer.h"
#include "state/state.h"

enum { VERIFY_RUNS_MAX = 400 }; /* that are kept */

struct verify_run {
    int64_t started, ended; /* seconds since 1970 */
    int64_t domains, ok, warning, error;
};

/* Adds a run, with its report in JSON, and forgets the oldest. Returns 0, STATE_FAILED or -ENOMEM.
 */
int verify_runs_add(struct state *state, const struct verify_run *run, struct text report);

/* The last run. Returns 0, STATE_END if there was none, STATE_FAILED or -ENOMEM. */
int verify_runs_last(struct state *state, struct verify_run *out);

/* Appends the report of the last run. Returns as verify_runs_last does. */
int verify_runs_report(struct state *state, struct buffer *out);
