/* Saving what a run of verify over all domains found, in the place of what the run before found.
 *
 * With 1,000,000 domains that takes seconds, and while one process writes, no other can; the
 * service's keeper gives up after two. So the rows are written in many short transactions, with
 * pauses between them, under the number of a run that is not there yet. The last transaction makes
 * it the last run; then the rows of the one before go, in short transactions, too. Readers see the
 * one result or the other. What a process leaves that dies on the way is removed by the next.
 *
 * Domains should come in alphabetical order, which is how they are stored. */
#pragma once

#include "state/verify_result.h"

struct verify_saving;

/* What a check's findings mean; texts are terminated. */
struct verify_check {
    const char *name, *remedy;
    const char *command; /* %d stands for the domain */
};

/* Begins, after any other process that saves a run has ended. The state, open to write, must
 * outlive it. Returns 0, STATE_FAILED or -ENOMEM. */
int verify_saving_new(struct state *state, struct verify_saving **out);

/* Adds a policy by its primary, with a number of the caller's and its counts. Returns 0,
 * STATE_FAILED or -ENOMEM, as the functions below do. */
int verify_saving_add_policy(struct verify_saving *saving, size_t number, struct text primary,
                             const struct verify_counts *counts);

enum verify_worst { VERIFY_OK, VERIFY_WARNING, VERIFY_ERROR };

/* Adds a domain that was looked at, with the number of its policy and its worst finding. */
int verify_saving_add_domain(struct verify_saving *saving, struct text domain, size_t policy,
                             enum verify_worst worst);

/* Adds a finding. Those of as many domains are shown in the order in which they were added. REMEDY,
 * COMMAND and FIRST are not looked at. */
int verify_saving_add_finding(struct verify_saving *saving, const struct verify_finding *finding);

/* Says that a domain has the finding that was added last. */
int verify_saving_add_to_finding(struct verify_saving *saving, struct text domain);

/* Makes the run the last one. Its CAUSES are counted here. */
int verify_saving_end(struct verify_saving *saving, const struct verify_run *run,
                      const struct verify_check *checks, size_t n_checks);

/* Frees it; without verify_saving_end, nothing was saved. NULL is allowed. */
void verify_saving_free(struct verify_saving *saving);
DEFINE_CLEANUP(struct verify_saving *, verify_saving_free)
