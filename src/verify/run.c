#include "verify/run.h"

#include "base/array.h"
#include "verify/mail_servers.h"
#include "verify/progress_timer.h"
#include "verify/reporting.h"

#include <curl/curl.h>
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>

enum {
    LOOKS_MAX = 128, /* under way at a time */
};

/* A domain of the run. */
struct subject {
    uint32_t position;     /* in the snapshot */
    uint32_t mail_servers; /* set, or MAIL_SERVERS_NONE */
    uint16_t keepers;      /* what keeps it from mode enforce: bits by enum check_name */
    uint8_t severity;      /* of the worst finding, from 1; 0: none */
    bool done;
};

_Static_assert(CHECK_COUNT <= 16, "keepers has a bit for every check");

enum phase {
    PHASE_FIRST,  /* every domain */
    PHASE_SECOND, /* those whose findings may be over */
};

struct run {
    struct look_tools tools;
    struct looks looks; /* under way */
    struct event_base *base;
    struct reporting *reporting;
    struct event *advance, *interrupt[2];
    struct progress_timer *progress;
    enum phase phase;
    struct subject *subjects;
    size_t n_subjects, subjects_capacity;
    uint32_t *again; /* numbers of those to look at once more */
    size_t n_again, again_capacity;
    size_t next, n_under_way, n_done;
    int error;
    struct run_result result;
    struct run_readiness *readiness; /* by policy */
};

static void wake(void *context)
{
    struct run *run = context;

    event_active(run->advance, EV_TIMEOUT, 0);
}

static void fail(struct run *run)
{
    run->error = -ENOMEM;
    event_base_loopbreak(run->base);
}

static void note_severity(struct subject *subject, enum finding_severity severity)
{
    if (subject->severity < severity + 1)
        subject->severity = (uint8_t)(severity + 1);
}

/* Says that a domain has a finding, and whether that keeps it from mode enforce. */
static int note_finding(struct run *run, uint32_t number, uint32_t finding, bool keeps)
{
    const struct finding *what = findings_get(run->tools.findings, finding);
    struct subject *subject = &run->subjects[number];

    note_severity(subject, what->severity);
    if (keeps)
        subject->keepers |= (uint16_t)(1u << what->check);
    return findings_add(run->tools.findings, finding, number);
}

static int keep_look(struct run *run, const struct look *look)
{
    struct subject *subject = &run->subjects[look->number];

    subject->mail_servers = look->mail_servers;
    if (look->transient && run->phase == PHASE_FIRST) {
        int r = ARRAY_RESERVE(run->again, run->n_again, run->again_capacity);

        if (r)
            return r;
        run->again[run->n_again++] = look->number;
        return 0;
    }
    subject->done = true;
    run->n_done++;
    look_mx_use(look)->unknown |= look->mx_unknown;
    for (size_t i = 0; i < look->n_findings; i++) {
        const struct finding *finding = findings_get(run->tools.findings, look->findings[i]);
        /* Those of mx and starttls are warnings only because the policy is being tested. */
        bool keeps = finding->severity == FINDING_ERROR || finding->check == CHECK_MX ||
                     finding->check == CHECK_STARTTLS;
        int r = note_finding(run, look->number, look->findings[i], keeps);

        if (r)
            return r;
    }
    return 0;
}

static void look_done(struct look *look, void *context)
{
    struct run *run = context;

    run->n_under_way--;
    if (look->failed || keep_look(run, look))
        fail(run);
    look_free(look);
    wake(run);
}

static bool next_number(struct run *run, uint32_t *number)
{
    size_t n = run->phase == PHASE_FIRST ? run->n_subjects : run->n_again;

    if (run->next == n)
        return false;
    *number = run->phase == PHASE_FIRST ? (uint32_t)run->next : run->again[run->next];
    run->next++;
    return true;
}

/* Starts looks as far as there is room, then the second phase, and ends when nothing is left. */
static void on_advance(evutil_socket_t fd, short what, void *context)
{
    struct run *run = context;
    uint32_t number;

    (void)fd;
    (void)what;
    while (run->n_under_way < LOOKS_MAX && next_number(run, &number)) {
        struct domain domain;

        snapshot_at(run->tools.snapshot, run->subjects[number].position, &domain);
        run->n_under_way++;
        if (look_start(&run->tools, &domain, number, look_done, run)) {
            fail(run);
            return;
        }
    }
    if (run->n_under_way || mail_servers_pending(run->tools.mail_servers) ||
        reporting_pending(run->reporting))
        return;
    if (run->phase == PHASE_SECOND) {
        event_base_loopbreak(run->base);
        return;
    }
    if (resolver_forget(run->tools.resolver)) {
        fail(run);
        return;
    }
    run->phase = PHASE_SECOND;
    run->next = 0;
    dns_client_forgive(run->tools.client);
    fetcher_forgive(run->tools.fetcher);
    mail_servers_retry(run->tools.mail_servers);
    reporting_retry(run->reporting);
    wake(run);
}

static void on_interrupt(evutil_socket_t fd, short what, void *context)
{
    struct run *run = context;

    (void)fd;
    (void)what;
    run->result.interrupted = true;
    event_base_loopbreak(run->base);
}

static int set_up_events(struct run *run)
{
    static const int signals[] = {SIGINT, SIGTERM};

    signal(SIGPIPE, SIG_IGN); /* writing to a peer that has gone fails with EPIPE instead */
    run->advance = event_new(run->base, -1, 0, on_advance, run);
    if (!run->advance)
        return -ENOMEM;
    for (size_t i = 0; i < ARRAY_LENGTH(signals); i++) {
        run->interrupt[i] = evsignal_new(run->base, signals[i], on_interrupt, run);
        if (!run->interrupt[i] || event_add(run->interrupt[i], NULL) < 0)
            return -ENOMEM;
    }
    return 0;
}

static int set_up_tools(struct run *run, const struct run_setup *setup, const char **fault)
{
    struct look_tools *tools = &run->tools;
    int r;

    *tools = (struct look_tools){.snapshot = setup->snapshot,
                                 .waiting = setup->waiting,
                                 .routes = &run->result.routes,
                                 .checks = setup->checks,
                                 .looks = &run->looks};
    r = resolver_new(run->base, &setup->resolver, fault, &tools->resolver);
    if (r)
        return r == RESOLVER_REFUSED ? RUN_REFUSED : r;
    r = dns_client_new(run->base, &tools->client);
    if (r)
        return r;
    r = fetcher_new(run->base, setup->ca_file, &tools->fetcher);
    if (r)
        return r;
    r = findings_new(&tools->findings);
    if (r)
        return r;
    r = mail_servers_new(tools->resolver, tools->fetcher, tools->routes,
                         setup->smtp && (setup->checks & UINT32_C(1) << CHECK_STARTTLS), wake, run,
                         &tools->mail_servers);
    if (r)
        return r;
    return reporting_new(tools->resolver, wake, run, &run->reporting);
}

/* Room to note which mx are used. */
static int set_up_mx(struct run *run)
{
    size_t n = snapshot_n_all_policies(run->tools.snapshot);

    run->tools.mx_use = calloc(n + 1, sizeof(*run->tools.mx_use));
    if (!run->tools.mx_use)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        run->tools.mx_use[i].seen = calloc(snapshot_policy(run->tools.snapshot, i)->n_mx + 1, 1);
        if (!run->tools.mx_use[i].seen)
            return -ENOMEM;
    }
    return 0;
}

int run_new(const struct run_setup *setup, const char **fault, struct run **out)
{
    CLEANUP(run_free_pointer) struct run *run = calloc(1, sizeof(*run));
    int r;

    if (!run)
        return -ENOMEM;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    run->base = event_base_new();
    if (!run->base)
        return -ENOMEM;
    r = set_up_events(run);
    if (r)
        return r;
    r = set_up_tools(run, setup, fault);
    if (r)
        return r;
    r = set_up_mx(run);
    if (r)
        return r;
    if (setup->show_progress) {
        r = progress_timer_new(run->base, &run->n_done, &run->n_subjects, &run->progress);
        if (r)
            return r;
    }
    *out = run;
    run = NULL;
    return 0;
}

void run_free(struct run *run)
{
    struct look *look;

    if (!run)
        return;
    progress_timer_free(run->progress);
    resolver_free(run->tools.resolver);
    dns_client_free(run->tools.client);
    fetcher_free(run->tools.fetcher);
    while ((look = LIST_FIRST(&run->looks)))
        look_free(look);
    mail_servers_free(run->tools.mail_servers);
    reporting_free(run->reporting);
    findings_free(run->tools.findings);
    for (size_t i = 0; run->tools.mx_use && run->tools.mx_use[i].seen; i++)
        free(run->tools.mx_use[i].seen);
    free(run->tools.mx_use);
    for (size_t i = 0; i < ARRAY_LENGTH(run->interrupt); i++)
        if (run->interrupt[i])
            event_free(run->interrupt[i]);
    if (run->advance)
        event_free(run->advance);
    if (run->base)
        event_base_free(run->base);
    free(run->subjects);
    free(run->again);
    free(run->readiness);
    free(run);
}

int run_add(struct run *run, const struct domain *domain)
{
    int r = ARRAY_RESERVE(run->subjects, run->n_subjects, run->subjects_capacity);

    if (r)
        return r;
    run->subjects[run->n_subjects++] =
        (struct subject){.position = domain->position, .mail_servers = MAIL_SERVERS_NONE};
    return 0;
}

static bool wants(const struct run *run, enum check_name check)
{
    return run->tools.checks & UINT32_C(1) << check;
}

/* What was found of mail servers or reports, on its way to the domains that it concerns. */
struct shared_finding {
    struct run *run;
    const struct policy *policy;
    uint32_t number; /* of the domain */
};

static int add_shared(const struct shared_finding *to, enum check_name check,
                      enum finding_severity severity, bool keeps, const char *expected,
                      const char *found)
{
    uint32_t finding;
    int r = findings_intern(to->run->tools.findings, check, severity, found, expected, &finding);

    return r ? r : note_finding(to->run, to->number, finding, keeps);
}

static int add_starttls(void *context, bool least_severe, const char *expected, const char *found)
{
    const struct shared_finding *to = context;
    bool warning = least_severe || to->policy->mode == POLICY_MODE_TESTING;

    return add_shared(to, CHECK_STARTTLS, warning ? FINDING_WARNING : FINDING_ERROR, !least_severe,
                      expected, found);
}

static int add_rua(void *context, const char *expected, const char *found)
{
    return add_shared(context, CHECK_RUA, FINDING_ERROR, true, expected, found);
}

/* Whether all domains of the snapshot were looked at. */
static bool is_whole(const struct run *run)
{
    return run->n_done == snapshot_n_all_domains(run->tools.snapshot);
}

/* Warns of mx that no domain of the policy has, which can only be told when all were looked at. */
static int add_unused_mx(struct run *run, const struct domain *primary, uint32_t number)
{
    const struct policy *policy = primary->policy;
    const struct mx_use *use =
        &run->tools.mx_use[snapshot_policy_number(run->tools.snapshot, policy)];

    for (size_t i = 0; i < policy->n_mx && !use->unknown; i++) {
        char found[NAME_TEXT_MAX + 64];
        uint32_t finding;
        int r;

        if (use->seen[i] || policy->mx[i].text[0] == '*')
            continue;
        snprintf(found, sizeof(found), "the mx %s is no MX of any domain of the policy",
                 policy->mx[i].text);
        r = findings_intern(run->tools.findings, CHECK_MX, FINDING_WARNING, found,
                            "an mx that is used", &finding);
        if (r)
            return r;
        findings_set_of_all(run->tools.findings, finding);
        r = note_finding(run, number, finding, false);
        if (r)
            return r;
    }
    return 0;
}

/* Adds what domains share to a domain. */
static int add_shared_findings(struct run *run, uint32_t number)
{
    struct subject *subject = &run->subjects[number];
    struct domain domain;
    struct shared_finding to = {run, NULL, number};
    int r = 0;

    snapshot_at(run->tools.snapshot, subject->position, &domain);
    to.policy = domain.policy;
    if (subject->mail_servers != MAIL_SERVERS_NONE && wants(run, CHECK_STARTTLS))
        r = mail_servers_each_finding(run->tools.mail_servers, subject->mail_servers, add_starttls,
                                      &to);
    if (r)
        return r;
    if (wants(run, CHECK_RUA) && domain.policy->rows[OWNER_TLSRPT].n)
        r = reporting_each_finding(run->reporting, domain.policy, add_rua, &to);
    if (r || domain.kind != DOMAIN_PRIMARY || domain.policy->mode == POLICY_MODE_NONE ||
        !wants(run, CHECK_MX) || !is_whole(run))
        return r;
    return add_unused_mx(run, &domain, number);
}

/* Counts, for each policy in testing, the domains that are ready for mode enforce. */
static int count_ready(struct run *run)
{
    const struct snapshot *snapshot = run->tools.snapshot;

    run->readiness = calloc(snapshot_n_all_policies(snapshot) + 1, sizeof(*run->readiness));
    if (!run->readiness)
        return -ENOMEM;
    for (size_t i = 0; i < run->n_subjects; i++) {
        const struct subject *subject = &run->subjects[i];
        struct run_readiness *readiness;
        struct domain domain;

        snapshot_at(snapshot, subject->position, &domain);
        if (domain.policy->mode != POLICY_MODE_TESTING || !subject->done)
            continue;
        readiness = &run->readiness[snapshot_policy_number(snapshot, domain.policy)];
        readiness->n_domains++;
        readiness->n_ready += subject->keepers == 0;
        for (enum check_name check = 0; check < CHECK_COUNT; check++)
            readiness->by_check[check] += subject->keepers >> check & 1;
    }
    return 0;
}

static int conclude(struct run *run)
{
    struct run_result *result = &run->result;

    for (uint32_t i = 0; i < run->n_subjects; i++) {
        int r = run->subjects[i].done ? add_shared_findings(run, i) : 0;

        if (r)
            return r;
        result->ok += run->subjects[i].done && run->subjects[i].severity == 0;
        result->warning += run->subjects[i].severity == FINDING_WARNING + 1;
        result->error += run->subjects[i].severity == FINDING_ERROR + 1;
    }
    findings_sort(run->tools.findings);
    result->ended = time(NULL);
    result->n_domains = run->n_done;
    result->findings = run->tools.findings;
    return count_ready(run);
}

/* Looks up where the reports of the domains' policies go. */
static int start_reporting(struct run *run)
{
    CLEANUP(free_pointer) bool *added = calloc(snapshot_n_all_policies(run->tools.snapshot) + 1, 1);

    if (!added)
        return -ENOMEM;
    for (size_t i = 0; i < run->n_subjects; i++) {
        struct domain domain;
        size_t number;
        int r;

        snapshot_at(run->tools.snapshot, run->subjects[i].position, &domain);
        number = snapshot_policy_number(run->tools.snapshot, domain.policy);
        if (added[number])
            continue;
        added[number] = true;
        r = reporting_add(run->reporting, domain.policy);
        if (r)
            return r;
    }
    return 0;
}

int run_go(struct run *run)
{
    run->result.started = time(NULL);
    if (wants(run, CHECK_RUA)) {
        int r = start_reporting(run);

        if (r)
            return r;
    }
    wake(run);
    event_base_dispatch(run->base);
    progress_timer_free(run->progress);
    run->progress = NULL;
    return run->error ? run->error : conclude(run);
}

const struct run_result *run_result(const struct run *run)
{
    return &run->result;
}

size_t run_n_domains(const struct run *run)
{
    return run->n_subjects;
}

struct text run_domain(const struct run *run, uint32_t number)
{
    struct domain domain;

    snapshot_at(run->tools.snapshot, run->subjects[number].position, &domain);
    return domain.name;
}

const struct policy *run_policy(const struct run *run, uint32_t number)
{
    struct domain domain;

    snapshot_at(run->tools.snapshot, run->subjects[number].position, &domain);
    return domain.policy;
}

int run_worst(const struct run *run, uint32_t number)
{
    return run->subjects[number].done ? run->subjects[number].severity : -1;
}

const struct run_readiness *run_readiness(const struct run *run, size_t policy)
{
    const struct run_readiness *readiness = &run->readiness[policy];

    return readiness->n_domains ? readiness : NULL;
}
