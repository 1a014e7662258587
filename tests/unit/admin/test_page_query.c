/* What query strings ask for, and what is refused of them. */
#include "admin/page_query.h"
#include "cmocka_all.h"

#include <stdio.h>

static struct page_query read_query(const char *target)
{
    char fault[PAGE_QUERY_FAULT_MAX] = "";
    struct page_query query;

    if (!page_query_read(text_from(target), &query, fault))
        fail_msg("%s: %s", target, fault);
    return query;
}

static void check_refused(const char *target, const char *expected)
{
    char fault[PAGE_QUERY_FAULT_MAX] = "";
    struct page_query query;

    assert_false(page_query_read(text_from(target), &query, fault));
    assert_string_equal(fault, expected);
}

static void without_fields_nothing_is_asked_for(void **state)
{
    static const char *const targets[] = {"/", "/?", "/?&&", "/?other=%zz&=q&Q=a"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(targets); i++) {
        struct page_query query = read_query(targets[i]);

        assert_false(query.is_search || query.has_domain || query.has_state);
        assert_int_equal(query.policies, 0);
    }
}

static void values_are_decoded_and_trimmed(void **state)
{
    struct page_query query =
        read_query("/?state=held_back&q=+%42%c3%bc%63her%2Eexample%0d%0a&from=50");

    (void)state;
    assert_true(query.is_search && query.has_state);
    assert_string_equal(query.q, "B\xc3\xbc"
                                 "cher.example");
    assert_int_equal(query.state, DOMAIN_STATE_HELD_BACK);
    assert_int_equal(query.from, 50);
    query = read_query("/?policies=2147483647&domain=example%26org&x");
    assert_true(query.has_domain && !query.is_search);
    assert_string_equal(query.domain, "example&org");
    assert_int_equal(query.policies, 2147483647);
}

static void empty_fields_of_a_form_ask_for_all(void **state)
{
    struct page_query query = read_query("/?q=&state=&from=");

    (void)state;
    assert_true(query.is_search);
    assert_false(query.has_state);
    assert_string_equal(query.q, "");
    assert_int_equal(query.from, 0);
    query = read_query("/?domain");
    assert_true(query.has_domain);
    assert_string_equal(query.domain, "");
}

static void a_finding_is_asked_for_from_a_name_on(void **state)
{
    struct page_query query = read_query("/?from=+b%2Eexample&finding=12-3");

    (void)state;
    assert_true(query.has_finding);
    assert_int_equal(query.run, 12);
    assert_int_equal(query.finding, 3);
    assert_string_equal(query.first, "b.example");
    query = read_query("/?finding=9223372036854775807-0&q=&state=");
    assert_int_equal(query.run, INT64_MAX);
    assert_string_equal(query.first, "");
    query = read_query("/?finding=&from=5");
    assert_false(query.has_finding);
    assert_int_equal(query.from, 5);
}

static void a_finding_that_is_none_is_refused(void **state)
{
    static const char *const values[] = {"1", "1-", "-1", "1-2-3", "1-x", "9223372036854775808-1"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(values); i++) {
        char target[64], fault[PAGE_QUERY_FAULT_MAX];

        snprintf(target, sizeof(target), "/?finding=%s", values[i]);
        snprintf(fault, sizeof(fault),
                 "finding: found \"%s\", expected the numbers of a run and of a finding, "
                 "such as 12-3",
                 values[i]);
        check_refused(target, fault);
    }
    check_refused("/?finding=1-2&q=a", "finding: found with q, expected without");
    check_refused("/?state=retiring&finding=1-2", "finding: found with state, expected without");
    check_refused("/?finding=1-2&finding=1-2", "finding: found twice, expected once");
}

static void every_state_has_a_name(void **state)
{
    (void)state;
    for (enum domain_state expected = 0; expected < DOMAIN_STATE_COUNT; expected++) {
        char target[64];

        snprintf(target, sizeof(target), "/?state=%s", domain_state_name(expected));
        assert_int_equal(read_query(target).state, expected);
    }
}

static void what_is_wrong_is_said(void **state)
{
    (void)state;
    check_refused("/?q=%", "q: found \"%\", expected two hexadecimal digits after each %");
    check_refused("/?q=a%4", "q: found \"a%4\", expected two hexadecimal digits after each %");
    check_refused("/?q=%4g<b>",
                  "q: found \"%4g<b>\", expected two hexadecimal digits after each %");
    check_refused("/?q=%ff", "q: found \"\\xff\", expected UTF-8");
    check_refused("/?q=%c3%28", "q: found \"\\xc3(\", expected UTF-8");
    check_refused("/?q=a%00b", "q: found \"a\\x00b\", expected UTF-8");
    check_refused("/?q=a&q=a", "q: found twice, expected once");
}

static void states_and_numbers_are_checked(void **state)
{
    (void)state;
    check_refused("/?state=Published",
                  "state: found \"Published\", expected published, held_back, waiting or retiring");
    check_refused("/?from=-1", "from: found \"-1\", expected a number up to 2147483647");
    check_refused("/?from=0x10", "from: found \"0x10\", expected a number up to 2147483647");
    check_refused("/?policies=2147483648",
                  "policies: found \"2147483648\", expected a number up to 2147483647");
    check_refused("/?from=99999999999999999999",
                  "from: found \"99999999999999999999\", expected a number up to 2147483647");
}

/* A query with so many octets for a field, each as it is or encoded. */
static const char *long_query(const char *name, size_t n, const char *octet)
{
    static char target[16384];
    size_t length = (size_t)sprintf(target, "/?%s=", name);

    for (size_t i = 0; i < n; i++)
        length += (size_t)sprintf(target + length, "%s", octet);
    return target;
}

static void values_are_as_long_as_names_at_most(void **state)
{
    (void)state;
    assert_int_equal(strlen(read_query(long_query("q", PAGE_QUERY_TEXT_MAX, "a")).q), 255);
    assert_int_equal(strlen(read_query(long_query("domain", PAGE_QUERY_TEXT_MAX, "%41")).domain),
                     255);
    check_refused(long_query("q", PAGE_QUERY_TEXT_MAX + 1, "a"), "q: longer than any name");
    check_refused(long_query("q", PAGE_QUERY_TEXT_MAX + 1, "%41"), "q: longer than any name");
    check_refused(long_query("state", 5000, "a"), "state: longer than any name");
    check_refused(long_query("from", 5000, "%31"), "from: longer than any name");
}

static void a_name_in_a_path_is_decoded(void **state)
{
    char name[PAGE_QUERY_TEXT_MAX + 1], fault[PAGE_QUERY_FAULT_MAX];

    (void)state;
    assert_true(page_query_read_name(TEXT("ex%61mple+a.org."), name, fault));
    assert_string_equal(name, "example+a.org.");
    assert_true(page_query_read_name(TEXT(""), name, fault));
    assert_string_equal(name, "");
    assert_false(page_query_read_name(TEXT("a%2"), name, fault));
    assert_string_equal(fault,
                        "the name: found \"a%2\", expected two hexadecimal digits after each %");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_fields_nothing_is_asked_for),
        cmocka_unit_test(values_are_decoded_and_trimmed),
        cmocka_unit_test(empty_fields_of_a_form_ask_for_all),
        cmocka_unit_test(a_finding_is_asked_for_from_a_name_on),
        cmocka_unit_test(a_finding_that_is_none_is_refused),
        cmocka_unit_test(every_state_has_a_name),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(states_and_numbers_are_checked),
        cmocka_unit_test(values_are_as_long_as_names_at_most),
        cmocka_unit_test(a_name_in_a_path_is_decoded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
