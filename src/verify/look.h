/* One look at one domain: what was asked and answered, and what was found. */
#pragma once

#include "resolver/dns_client.h"
#include "resolver/resolver.h"
#include "snapshot/snapshot.h"
#include "verify/check.h"
#include "verify/fetcher.h"
#include "verify/findings.h"
#include "verify/routes.h"
#include "verify/waiting.h"

#include <sys/queue.h>

/* Which mx of a policy are MX of its domains. */
struct mx_use {
    bool *seen;   /* by number of the mx */
    bool unknown; /* the MX records of a domain could not be looked up */
};

LIST_HEAD(looks, look);

/* What looks have in common. */
struct look_tools {
    const struct snapshot *snapshot;
    struct resolver *resolver;
    struct dns_client *client;
    struct fetcher *fetcher;
    struct findings *findings;
    struct mail_servers *mail_servers;
    uint32_t checks;       /* bits of those that are wanted, by enum check_name */
    struct mx_use *mx_use; /* by policy */
    const struct waiting *waiting;
    struct routes *routes;
    struct looks *looks; /* under way */
};

struct look {
    LIST_ENTRY(look) entry;
    const struct look_tools *tools;
    struct domain domain;
    uint32_t number; /* of the domain in the run */
    struct arena arena;
    struct dns_answer answers[QUESTION_COUNT]; /* of the questions that were asked */
    uint32_t asked;
    size_t pending;        /* what is under way */
    bool transient;        /* something was found that may be over in a moment */
    bool failed;           /* memory ran out */
    bool mx_unknown;       /* its MX records could not be looked up */
    uint32_t mail_servers; /* the set of the domain's MX, or MAIL_SERVERS_NONE */
    uint32_t *findings;    /* numbers */
    size_t n_findings, findings_capacity;
    void (*done)(struct look *look, void *context);
    void *context;
};

/* Starts a look at a domain. DONE is called once at its end, later or before this returns; it may
 * read what was found and must call look_free. Returns 0 or -ENOMEM. */
int look_start(const struct look_tools *tools, const struct domain *domain, uint32_t number,
               void (*done)(struct look *look, void *context), void *context);

/* Frees a look, and takes it off those that are under way. One that has not ended may be freed as
 * soon as nothing calls it any more: after the resolver, the client and the fetcher. */
void look_free(struct look *look);

/* Says that something is under way, and that it has ended; the look ends with the last. */
void look_begin(struct look *look);
void look_end(struct look *look);

/* Whether a check is wanted and applies to the domain. */
bool look_wants(const struct look *look, enum check_name check);

/* Reports a finding, if its check is wanted. EXPECTED prints on one line; what is found is
 * formatted, and input in it is quoted by quote_text. */
void look_report(struct look *look, enum check_name check, enum finding_severity severity,
                 const char *expected, const char *found, ...)
    __attribute__((format(printf, 5, 6)));

/* Says that what was just found may be over in a moment, so that the domain is looked at again. */
void look_is_transient(struct look *look);

/* E, or W where the policy is being tested. */
enum finding_severity look_severity(const struct look *look);

/* Whether an answer is bogus and the check of DNSSEC reports it, so that no other has to. */
bool look_leaves_to_dnssec(const struct look *look, const struct dns_answer *answer);

/* Describes an answer that has no value, or several, for a finding: "no such name", "no record",
 * "SERVFAIL", "a bogus answer", "no answer", or its values in quotes. Lives in the look's arena. */
const char *look_describe(struct look *look, const struct dns_answer *answer);

/* Which mx of the domain's policy are used. */
struct mx_use *look_mx_use(const struct look *look);

/* The name of an owner of the domain. */
struct name look_owner_name(const struct look *look, enum owner owner);

/* Whether the one record of an answer at _mta-sts is that of an id which is announced until the
 * configured one is due (waiting.h). */
bool look_announces_old_id(const struct look *look, const struct dns_answer *answer);
