/* A run over many domains: looks at some of them at a time, at those again of which something was
 * found that may have been over in a moment, and puts together what was found.
 *
 * Memory does not grow with what domains answer: a domain keeps the number of the set of its mail
 * servers and its worst finding, and four octets for each finding. */
#pragma once

#include "verify/look.h"

struct run;

struct run_setup {
    const struct snapshot *snapshot;
    const struct waiting *waiting;
    uint32_t checks; /* bits by enum check_name */
    const char *ca_file;
    bool smtp;
    struct resolver_setup resolver;
    bool show_progress; /* a line on stderr, which is a terminal */
};

/* What a run came to. */
struct run_result {
    time_t started, ended;
    bool interrupted;
    size_t n_domains; /* that were looked at to the end */
    size_t ok, warning, error;
    struct routes routes;            /* what could not be looked at from here */
    const struct findings *findings; /* sorted, with the numbers of domains */
};

/* How the domains of a policy in testing are doing. */
struct run_readiness {
    size_t n_domains, n_ready;
    size_t by_check[CHECK_COUNT]; /* the others, by what keeps them */
};

/* Makes a run; nothing is asked yet. Returns 0, -ENOMEM, or RUN_REFUSED and why in FAULT. */
int run_new(const struct run_setup *setup, const char **fault, struct run **out);

enum { RUN_REFUSED = 1 };

/* Adds a domain of the snapshot. Returns 0 or -ENOMEM. */
int run_add(struct run *run, const struct domain *domain);

/* Looks at all domains that were added, until the end or SIGINT or SIGTERM. Returns 0 or -ENOMEM.
 */
int run_go(struct run *run);

/* What came of it, after run_go. It lives as long as the run. */
const struct run_result *run_result(const struct run *run);

/* How many domains were added. Their numbers begin with 0. */
size_t run_n_domains(const struct run *run);

/* The name of a domain by its number in the run, and its policy. */
struct text run_domain(const struct run *run, uint32_t number);
const struct policy *run_policy(const struct run *run, uint32_t number);

/* The worst that was found of a domain, after run_go: 0 for nothing, or 1 more than the severity; a
 * negative number if it was not looked at. */
int run_worst(const struct run *run, uint32_t number);

/* How ready the domains of a policy, by its number, are for mode enforce, after run_go. Returns
 * NULL if the policy is not in testing, or has no domain in the run. */
const struct run_readiness *run_readiness(const struct run *run, size_t policy);

void run_free(struct run *run);
DEFINE_CLEANUP(struct run *, run_free)
