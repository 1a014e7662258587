#include "cmocka_all.h"
#include "failing_malloc.h"
#include "fixture.h"
#include "state/verify_saving.h"
#include "temporary.h"
#include "verify/save.h"

/* Saving reads a run through these functions alone. This one looked at the first domains of a
 * snapshot, or with FIRST at those from a number on. */
struct run {
    struct run_result result;
    uint32_t first, n;
    int worst[32];
};

static struct snapshot *snapshot;
static struct run run;
static struct run_setup setup = {.checks = UINT32_MAX >> (32 - CHECK_COUNT), .smtp = true};
static const struct settings settings = {.state = "."};

static struct domain domain_of(const struct run *of, uint32_t number)
{
    struct domain domain = {0};
    size_t cursor = 0;

    for (uint32_t i = 0; i <= of->first + number; i++)
        assert_true(snapshot_next_domain(snapshot, &cursor, &domain));
    return domain;
}

const struct run_result *run_result(const struct run *of)
{
    return &of->result;
}

size_t run_n_domains(const struct run *of)
{
    return of->n;
}

struct text run_domain(const struct run *of, uint32_t number)
{
    return domain_of(of, number).name;
}

const struct policy *run_policy(const struct run *of, uint32_t number)
{
    return domain_of(of, number).policy;
}

int run_worst(const struct run *of, uint32_t number)
{
    return of->worst[number];
}

static uint32_t intern(struct findings *findings, enum check_name check,
                       enum finding_severity severity, const char *found)
{
    uint32_t number;

    assert_int_equal(findings_intern(findings, check, severity, found, "better", &number), 0);
    return number;
}

/* Has the run be one over all domains: the first three have an error of mx, the first a warning of
 * starttls, too, and the last one a warning of txt. */
static struct findings *find_in_all(void)
{
    struct findings *findings;
    uint32_t mx, starttls, txt;

    run = (struct run){.n = (uint32_t)snapshot_n_all_domains(snapshot)};
    assert_int_equal(findings_new(&findings), 0);
    mx = intern(findings, CHECK_MX, FINDING_ERROR, "no MX");
    starttls = intern(findings, CHECK_STARTTLS, FINDING_WARNING, "no answer");
    txt = intern(findings, CHECK_TXT, FINDING_WARNING, "slow");
    intern(findings, CHECK_RUA, FINDING_ERROR, "found of none");
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(findings_add(findings, mx, i), 0);
        run.worst[i] = VERIFY_ERROR;
    }
    assert_int_equal(findings_add(findings, starttls, 0), 0);
    assert_int_equal(findings_add(findings, txt, run.n - 1), 0);
    run.worst[run.n - 1] = VERIFY_WARNING;
    findings_sort(findings);
    run.result = (struct run_result){.started = 10,
                                     .ended = 20,
                                     .n_domains = run.n,
                                     .ok = run.n - 4,
                                     .warning = 1,
                                     .error = 3,
                                     .findings = findings};
    return findings;
}

/* Has the run be one over the first domain alone, which has nothing. */
static struct findings *find_in_first(void)
{
    struct findings *findings;

    run = (struct run){.n = 1};
    assert_int_equal(findings_new(&findings), 0);
    run.result = (struct run_result){
        .started = 30, .ended = 40, .n_domains = 1, .ok = 1, .findings = findings};
    return findings;
}

static int save(void)
{
    return save_run(&run, &setup, &settings);
}

static int count_finding(const struct verify_finding *finding, void *context)
{
    struct buffer *out = context;

    buffer_printf(out, "%s %.*s %lld;", finding->error ? "E" : "W", (int)finding->check.length,
                  finding->check.data, (long long)finding->n_domains);
    return 0;
}

static void assert_saved(int64_t ended, int64_t domains, int64_t warnings, int64_t errors,
                         const char *findings)
{
    CLEANUP(state_close) struct state state = STATE_INIT;
    CLEANUP(buffer_deinit) struct buffer found = BUFFER_INIT;
    struct verify_run last;

    assert_int_equal(state_open(&state, ".", STATE_READ), 0);
    assert_int_equal(verify_runs_last(&state, &last), 0);
    assert_int_equal(last.ended, ended);
    assert_int_equal(last.domains, domains);
    assert_int_equal(last.warning, warnings);
    assert_int_equal(last.error, errors);
    assert_int_equal(verify_result_each(&state, 10, count_finding, &found), 0);
    assert_string_equal(buffer_string(&found), findings);
}

static void a_run_over_all_domains_is_the_last_one(void **state)
{
    CLEANUP(state_close) struct state database = STATE_INIT;
    struct findings *findings = find_in_all();
    struct verify_counts counts;

    (void)state;
    assert_int_equal(save(), 0);
    assert_saved(20, run.n, 1, 3, "E mx 3;W txt 1;W starttls 1;");
    assert_int_equal(state_open(&database, ".", STATE_READ), 0);
    assert_int_equal(verify_result_of_policy(&database, run_policy(&run, 0)->primary, &counts), 0);
    assert_int_equal(counts.error, 3);
    findings_free(findings);
}

static void a_run_over_some_domains_corrects_the_last_one(void **state)
{
    struct findings *findings = find_in_first();

    (void)state;
    setup.checks = UINT32_C(1) << CHECK_MX;
    assert_int_equal(save(), 0);
    assert_saved(20, (int64_t)snapshot_n_all_domains(snapshot), 2, 2,
                 "E mx 2;W txt 1;W starttls 1;");
    /* Without connections to mail servers, nothing is found of them. */
    setup.checks = UINT32_MAX >> (32 - CHECK_COUNT);
    setup.smtp = false;
    assert_int_equal(save(), 0);
    assert_saved(20, (int64_t)snapshot_n_all_domains(snapshot), 2, 2,
                 "E mx 2;W txt 1;W starttls 1;");
    setup.smtp = true;
    assert_int_equal(save(), 0);
    assert_saved(20, (int64_t)snapshot_n_all_domains(snapshot), 1, 2, "E mx 2;W txt 1;");
    findings_free(findings);
}

static void the_first_run_is_the_last_one_whatever_it_looked_at(void **state)
{
    struct findings *findings = find_in_first();

    (void)state;
    unlink("state.db");
    assert_int_equal(save(), 0);
    assert_saved(40, 1, 0, 0, "");
    findings_free(findings);
}

static void domains_that_were_not_looked_at_are_not_saved(void **state)
{
    struct findings *findings = find_in_all();

    (void)state;
    unlink("state.db");
    run.worst[4] = -1;
    run.result.n_domains--;
    run.result.ok--;
    assert_int_equal(save(), 0);
    assert_saved(20, run.n - 1, 1, 3, "E mx 3;W txt 1;W starttls 1;");
    findings_free(findings);
}

static void every_failed_allocation_is_reported(void **state)
{
    struct findings *all = find_in_all(), *first;

    (void)state;
    assert_true(failing_malloc_each(save) > 3);
    findings_free(all);
    first = find_in_first();
    assert_true(failing_malloc_each(save) > 3);
    findings_free(first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_over_all_domains_is_the_last_one),
        cmocka_unit_test(a_run_over_some_domains_corrects_the_last_one),
        cmocka_unit_test(the_first_run_is_the_last_one_whatever_it_looked_at),
        cmocka_unit_test(domains_that_were_not_looked_at_are_not_saved),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };
    int failures;

    snapshot = fixture_snapshot();
    setup.snapshot = snapshot;
    failures = cmocka_run_group_tests(tests, temporary_enter, temporary_leave);
    snapshot_unref(snapshot);
    return failures;
}
