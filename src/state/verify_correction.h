/* Saving what a look at some domains found, after a run over all of them was saved: it corrects
 * what that run found of these domains, and leaves all else as it is. The run keeps its time, so
 * that nobody takes a look at one domain for a look at all.
 *
 * It is one transaction, as whoever names domains names few. */
#pragma once

#include "state/verify_saving.h"

struct verify_correction;

/* Begins to correct the last run by a look that ended at some time, in seconds since 1970. CHECKS
 * are those that were made; findings of others stay. The state, open to write, and the checks must
 * outlive it. Returns 0, STATE_END if there is no run, STATE_FAILED or -ENOMEM. */
int verify_correction_new(struct state *state, int64_t ended, const struct verify_check *checks,
                          size_t n_checks, struct verify_correction **out);

/* Replaces what was found of a domain, whose policy the primary names. Of the findings, CHECK,
 * ERROR, FOUND and EXPECTED count. Returns 0, STATE_FAILED or -ENOMEM. */
int verify_correction_add(struct verify_correction *correction, struct text domain,
                          struct text primary, const struct verify_finding *findings, size_t n);

/* Has it count. Returns as verify_correction_add does. */
int verify_correction_end(struct verify_correction *correction);

/* Frees it; without verify_correction_end, nothing has changed. NULL is allowed. */
void verify_correction_free(struct verify_correction *correction);
DEFINE_CLEANUP(struct verify_correction *, verify_correction_free)
