/* The runs of `verify --save`: their counts, of the last 400. What the last one found is read with
 * verify_result.h and written with verify_saving.h and verify_correction.h. */
#pragma once

#include "state/state.h"

enum { VERIFY_RUNS_MAX = 400 }; /* that are kept */

struct verify_run {
    int64_t number;             /* rises with each run */
    int64_t started, ended;     /* seconds since 1970 */
    int64_t domains;            /* that were looked at */
    int64_t ok, warning, error; /* of them, by their worst finding */
    int64_t causes;             /* findings; 0 where an earlier state did not count them */
};

/* The last run. Returns 0, STATE_END if there was none, STATE_FAILED or -ENOMEM. */
int verify_runs_last(struct state *state, struct verify_run *out);

/* Reads all runs in the order of their ends, and how many there are. Returns 0, STATE_FAILED or
 * -ENOMEM.
 */
int verify_runs_read(struct state *state, struct verify_run out[static VERIFY_RUNS_MAX], size_t *n);
