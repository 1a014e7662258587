/* What verify found wrong: every finding once, however many domains have it.
 *
 * Two domains have the same finding where check, severity, what was found and what was expected are
 * the same to the letter, so these texts name no domain but where the domain is the cause. A domain
 * costs four octets for each of its findings, and nothing where it has none. */
#pragma once

#include "base/arena.h"
#include "verify/check.h"

enum finding_severity { FINDING_WARNING, FINDING_ERROR, FINDING_SEVERITY_COUNT };

struct finding {
    enum check_name check;
    enum finding_severity severity;
    const char *found, *expected; /* terminated UTF-8 that prints on one line */
    bool of_all;                  /* only a look at all domains can tell it */
    uint32_t *domains;            /* the numbers of domains in the run, in no order */
    size_t n_domains, capacity;
};

struct findings;

int findings_new(struct findings **out);
void findings_free(struct findings *findings);

/* Finds a finding by its texts, or adds it; the texts are copied. Returns 0 and its number, or
 * -ENOMEM. */
int findings_intern(struct findings *findings, enum check_name check,
                    enum finding_severity severity, const char *found, const char *expected,
                    uint32_t *number);

/* Says that only a look at all domains can tell a finding. */
void findings_set_of_all(struct findings *findings, uint32_t number);

/* Says that a domain has a finding; saying so again right away changes nothing, as with a mail
 * server that is two MX of the domain. Returns 0 or -ENOMEM. */
int findings_add(struct findings *findings, uint32_t number, uint32_t domain);

size_t findings_count(const struct findings *findings);
const struct finding *findings_get(const struct findings *findings, uint32_t number);

/* Sorts: errors first, then those of most domains first, then by check; and the domains of each by
 * number. Numbers change by this, so nothing can be added afterwards. Findings without a domain
 * come last. */
void findings_sort(struct findings *findings);
