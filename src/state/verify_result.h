/* What the last run of `verify --save` found, as its readers want it: the widest findings, those of
 * a domain, the domains of one finding, some at a time, and the counts of a policy. What a reader
 * gets does not grow with the domains.
 *
 * Each function sees one result whole, though another may be saved at any moment; where the state
 * is open for reading, all see the same one. */
#pragma once

#include "state/verify_runs.h"

enum { VERIFY_FIRST_MAX = 5 }; /* domains of a finding that are named */

/* What one or more domains have in common. Texts live until the visitor returns. */
struct verify_finding {
    int64_t run, number; /* of the run, and of the finding in it, which no other one of it gets */
    struct text check;   /* its name */
    bool error;          /* or a warning */
    struct text found, expected;
    struct text remedy;  /* what to do: sentences */
    struct text command; /* what shows it, for the first domain, or the one that was asked for */
    int64_t n_domains;
    bool of_all;       /* only a look at all domains can tell it */
    struct text first; /* names of the first domains in alphabetical order, separated by spaces */
};

/* Is called for each finding; a result other than 0 ends the visit, whose result it is. */
typedef int verify_finding_visitor(const struct verify_finding *finding, void *context);

/* Visits findings, at most MAX: errors first, and then those of most domains first. There are
 * struct verify_run's CAUSES. Returns 0, STATE_FAILED or -ENOMEM. */
int verify_result_each(struct state *state, size_t max, verify_finding_visitor *visitor,
                       void *context);

/* Visits one finding of the last run by its number, if any domain has it; its FIRST is empty.
 * Returns 0, also if there is none, STATE_FAILED or -ENOMEM. */
int verify_result_finding(struct state *state, int64_t number, verify_finding_visitor *visitor,
                          void *context);

/* As verify_finding_visitor, for a domain. */
typedef int verify_domain_visitor(struct text domain, void *context);

/* Visits the domains of a finding of the last run in alphabetical order, at most MAX, from a name
 * on, which need not be one of them. Returns 0, STATE_FAILED or -ENOMEM. */
int verify_result_each_domain(struct state *state, int64_t number, struct text from, size_t max,
                              verify_domain_visitor *visitor, void *context);

/* When a domain was looked at, in seconds since 1970. Returns 0, STATE_END if it was not,
 * STATE_FAILED or -ENOMEM. */
int verify_result_looked_at(struct state *state, struct text domain, int64_t *out);

/* Visits the findings of a domain in the same order; their FIRST is empty. Returns 0, also if there
 * are none, STATE_FAILED or -ENOMEM. */
int verify_result_each_of(struct state *state, struct text domain, verify_finding_visitor *visitor,
                          void *context);

/* The domains of a policy that were looked at, by their worst finding. */
struct verify_counts {
    int64_t ok, warning, error;
};

/* Counts the domains of a policy, which its primary names. Returns 0, STATE_END if none was looked
 * at, STATE_FAILED or -ENOMEM. */
int verify_result_of_policy(struct state *state, struct text primary, struct verify_counts *out);
