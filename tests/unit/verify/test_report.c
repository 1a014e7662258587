#include "base/quote.h"
#include "cmocka_all.h"
#include "failing_malloc.h"
#include "fixture.h"
#include "verify/report.h"

#include <jansson.h>

/* The report reads a run through these functions alone; this one looked at nothing. */
struct run {
    struct run_result result;
    struct run_readiness readiness;
};

static const char *const domains[] = {"a.example", "b.example", "c.example", "d.example"};
static struct snapshot *snapshot;

const struct run_result *run_result(const struct run *run)
{
    return &run->result;
}

struct text run_domain(const struct run *run, uint32_t number)
{
    (void)run;
    return text_from(domains[number]);
}

const struct run_readiness *run_readiness(const struct run *run, size_t policy)
{
    return policy == 0 ? &run->readiness : NULL;
}

static struct findings *make_findings(void)
{
    struct findings *findings;
    uint32_t number;

    assert_int_equal(findings_new(&findings), 0);
    assert_int_equal(findings_intern(findings, CHECK_TXT, FINDING_ERROR,
                                     quote_text(TEXT("\x1b[31m\xff\xc3\"\n\0")).text, "a record",
                                     &number),
                     0);
    for (uint32_t domain = 0; domain < ARRAY_LENGTH(domains); domain++)
        assert_int_equal(findings_add(findings, number, domain), 0);
    assert_int_equal(
        findings_intern(findings, CHECK_MX, FINDING_WARNING, "the MX \"x\"", "y", &number), 0);
    assert_int_equal(findings_add(findings, number, 1), 0);
    assert_int_equal(findings_intern(findings, CHECK_RUA, FINDING_ERROR, "over", "y", &number), 0);
    findings_sort(findings);
    return findings;
}

static struct run make_run(const struct findings *findings)
{
    return (struct run){
        .result = {.started = 1, .ended = 2, .n_domains = 4, .error = 4, .findings = findings},
        .readiness = {.n_domains = 2, .n_ready = 1, .by_check = {[CHECK_TXT] = 1}},
    };
}

static void the_text_has_each_cause_with_its_remedy(void **state)
{
    static const char begin[] =
        "4 domains: 0 ok, 0 with warnings, 4 with errors\n"
        "\n"
        "error   txt, 4 domains: a.example, b.example, c.example and 1 more\n"
        "    found     \"\\x1b[31m\\xff\\xc3\\\"\\x0a\\x00\"\n"
        "    expected  a record\n"
        "    do        Remove records of that name from the zone, see that every name\n"
        "              server of the zone asks the service, and wait for the TTL after\n"
        "              a change.\n"
        "    see       dig _mta-sts.a.example TXT\n"
        "\n"
        "warning mx, 1 domain: b.example\n"
        "    found     the MX \"x\"\n";
    static const char end[] = "\n"
                              "policy full.example, in testing: 1 of 2 domains are ready for "
                              "enforce; what keeps the others: txt (1)\n";
    CLEANUP(buffer_deinit) struct buffer text = BUFFER_INIT;
    struct findings *findings = make_findings();
    struct run run = make_run(findings);

    (void)state;
    report_write_text(&run, snapshot, &text);
    assert_memory_equal(buffer_string(&text), begin, sizeof(begin) - 1);
    assert_string_equal(text.data + text.length - (sizeof(end) - 1), end);
    assert_null(strstr(text.data, "over"));
    buffer_clear(&text);
    run.result.interrupted = true;
    report_write_text(&run, snapshot, &text);
    assert_non_null(strstr(buffer_string(&text), "with errors (interrupted"));
    findings_free(findings);
}

static void the_json_has_every_domain_and_is_valid(void **state)
{
    CLEANUP(buffer_deinit) struct buffer text = BUFFER_INIT;
    struct findings *findings = make_findings();
    struct run run = make_run(findings);
    json_t *report, *finding;

    (void)state;
    report_write_json(&run, &text);
    report = json_loadb(text.data, text.length, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(report);
    assert_string_equal(json_string_value(json_object_get(report, "started")),
                        "1970-01-01T00:00:01Z");
    assert_int_equal(json_integer_value(json_object_get(report, "domains")), 4);
    assert_int_equal(json_array_size(json_object_get(report, "findings")), 2);
    finding = json_array_get(json_object_get(report, "findings"), 0);
    assert_string_equal(json_string_value(json_object_get(finding, "severity")), "error");
    assert_string_equal(json_string_value(json_object_get(finding, "found")),
                        "\"\\x1b[31m\\xff\\xc3\\\"\\x0a\\x00\"");
    assert_int_equal(json_array_size(json_object_get(finding, "domains")), 4);
    json_decref(report);
    findings_free(findings);
}

static const struct run *reported;

static int write_both(void)
{
    CLEANUP(buffer_deinit) struct buffer text = BUFFER_INIT, json = BUFFER_INIT;

    report_write_text(reported, snapshot, &text);
    report_write_json(reported, &json);
    return text.failed || json.failed ? -1 : 0;
}

static void every_failed_allocation_is_reported(void **state)
{
    struct findings *findings = make_findings();
    struct run run = make_run(findings);

    (void)state;
    reported = &run;
    assert_true(failing_malloc_each(write_both) > 3);
    findings_free(findings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_text_has_each_cause_with_its_remedy),
        cmocka_unit_test(the_json_has_every_domain_and_is_valid),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };
    int failures;

    snapshot = fixture_snapshot();
    failures = cmocka_run_group_tests(tests, NULL, NULL);
    snapshot_unref(snapshot);
    return failures;
}
