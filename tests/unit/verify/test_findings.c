#include "cmocka_all.h"
#include "failing_malloc.h"
#include "verify/findings.h"

static uint32_t intern(struct findings *findings, enum check_name check,
                       enum finding_severity severity, const char *found)
{
    uint32_t number = UINT32_MAX;

    assert_int_equal(findings_intern(findings, check, severity, found, "x", &number), 0);
    return number;
}

static void the_same_finding_has_the_same_number(void **state)
{
    struct findings *findings;
    uint32_t first;

    (void)state;
    assert_int_equal(findings_new(&findings), 0);
    first = intern(findings, CHECK_TXT, FINDING_ERROR, "none");
    assert_int_equal(intern(findings, CHECK_TXT, FINDING_ERROR, "none"), first);
    assert_int_not_equal(intern(findings, CHECK_TXT, FINDING_ERROR, "two"), first);
    assert_int_not_equal(intern(findings, CHECK_TXT, FINDING_WARNING, "none"), first);
    assert_int_not_equal(intern(findings, CHECK_MX, FINDING_ERROR, "none"), first);
    assert_int_equal(findings_count(findings), 4);
    findings_free(findings);
}

static void errors_come_first_then_what_most_domains_have(void **state)
{
    struct findings *findings;
    uint32_t rare, wide, warning;

    (void)state;
    assert_int_equal(findings_new(&findings), 0);
    intern(findings, CHECK_RUA, FINDING_ERROR, "of no domain");
    warning = intern(findings, CHECK_MX, FINDING_WARNING, "warning");
    rare = intern(findings, CHECK_TXT, FINDING_ERROR, "rare");
    wide = intern(findings, CHECK_HTTPS, FINDING_ERROR, "wide");
    for (uint32_t domain = 100; domain > 0; domain--) {
        assert_int_equal(findings_add(findings, warning, domain), 0);
        if (domain <= 2)
            assert_int_equal(findings_add(findings, wide, domain), 0);
    }
    assert_int_equal(findings_add(findings, rare, 7), 0);
    findings_sort(findings);
    assert_string_equal(findings_get(findings, 0)->found, "wide");
    assert_int_equal(findings_get(findings, 0)->domains[0], 1);
    assert_int_equal(findings_get(findings, 0)->domains[1], 2);
    assert_string_equal(findings_get(findings, 1)->found, "rare");
    assert_string_equal(findings_get(findings, 2)->found, "warning");
    assert_int_equal(findings_get(findings, 2)->n_domains, 100);
    assert_string_equal(findings_get(findings, 3)->found, "of no domain");
    findings_free(findings);
    findings_free(NULL);
}

static void a_domain_has_a_finding_once(void **state)
{
    struct findings *findings;
    uint32_t number;

    (void)state;
    assert_int_equal(findings_new(&findings), 0);
    number = intern(findings, CHECK_STARTTLS, FINDING_ERROR, "no STARTTLS");
    assert_int_equal(findings_add(findings, number, 1), 0);
    assert_int_equal(findings_add(findings, number, 1), 0);
    assert_int_equal(findings_add(findings, number, 2), 0);
    assert_int_equal(findings_get(findings, number)->n_domains, 2);
    findings_free(findings);
}

static int fill(void)
{
    struct findings *findings = NULL;
    int r = findings_new(&findings);

    for (uint32_t i = 0; i < 40 && r == 0; i++) {
        char found[] = {(char)('0' + i), '\0'};
        uint32_t number;

        r = findings_intern(findings, CHECK_TXT, FINDING_ERROR, found, "x", &number);
        for (uint32_t domain = 0; domain < 20 && r == 0; domain++)
            r = findings_add(findings, number, domain);
    }
    findings_free(findings);
    return r;
}

static void every_failed_allocation_is_reported(void **state)
{
    (void)state;
    assert_true(failing_malloc_each(fill) > 80);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_finding_has_the_same_number),
        cmocka_unit_test(a_domain_has_a_finding_once),
        cmocka_unit_test(every_failed_allocation_is_reported),
        cmocka_unit_test(errors_come_first_then_what_most_domains_have),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
