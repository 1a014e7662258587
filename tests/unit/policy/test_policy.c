#include "cases.h"
#include "cmocka_all.h"
#include "policy/policy.h"

static struct name mx[] = {
    {.length = 16, .text = "mail.example.net"},
    {.length = 16, .text = "*.mx.example.net"},
};

static struct policy_spec spec_of(enum policy_mode mode)
{
    return (struct policy_spec){.mode = mode, .mx = mx, .n_mx = 2, .max_age = 604800};
}

static void assert_body(enum policy_mode mode, const char *expected)
{
    CLEANUP(buffer_deinit) struct buffer body = BUFFER_INIT;
    struct policy_spec spec = spec_of(mode);

    policy_write_body(&body, &spec);
    assert_false(body.failed);
    assert_int_equal(body.length, strlen(expected));
    assert_memory_equal(body.data, expected, body.length);
}

static void a_body_lists_version_mode_mx_and_max_age_with_crlf(void **state)
{
    (void)state;
    assert_body(POLICY_MODE_ENFORCE, "version: STSv1\r\nmode: enforce\r\nmx: mail.example.net\r\n"
                                     "mx: *.mx.example.net\r\nmax_age: 604800\r\n");
    assert_body(POLICY_MODE_TESTING, "version: STSv1\r\nmode: testing\r\nmx: mail.example.net\r\n"
                                     "mx: *.mx.example.net\r\nmax_age: 604800\r\n");
}

static void a_body_with_mode_none_has_no_mx(void **state)
{
    (void)state;
    assert_body(POLICY_MODE_NONE, "version: STSv1\r\nmode: none\r\nmax_age: 604800\r\n");
}

static void an_id_is_the_start_of_the_sha256_of_the_body(void **state)
{
    char id[POLICY_ID_MAX + 1];

    (void)state;
    /* FIPS 180-2, appendix B.1 */
    policy_derive_id(TEXT("abc"), id);
    assert_string_equal(id, "ba7816bf8f01cfea414140de5dae2223");
    assert_true(policy_id_valid(text_from(id)));
}

static void an_id_is_1_to_32_letters_and_digits(void **state)
{
    static const char *const refused[] = {
        "", "a-b", "a+b", "a b", "ä", "a.b", "123456789012345678901234567890123"};

    (void)state;
    assert_true(policy_id_valid(TEXT("1")));
    assert_true(policy_id_valid(TEXT("20260101T000000Z")));
    assert_true(policy_id_valid(TEXT("12345678901234567890123456789012")));
    for (size_t i = 0; i < ARRAY_LENGTH(refused); i++)
        assert_false(policy_id_valid(text_from(refused[i])));
    assert_false(policy_id_valid(text_of("a\0b", 3)));
}

static void run_rua_case(const struct test_case *test_case)
{
    int r = rua_check(test_case->fields[0]);

    print_message("# line %zu\n", test_case->line);
    if (test_case->fields[1].length == 0) {
        assert_int_equal(r, 0);
        return;
    }
    assert_true(r > 0);
    assert_string_equal(rua_faults[r].found, test_case->fields[1].data);
    assert_true(strlen(rua_faults[r].expected) > 0);
}

static void reporting_uris_are_mailto_or_https_and_encoded(void **state)
{
    (void)state;
    cases_run("rua/rua.cases", run_rua_case);
}

static void an_mx_is_covered_by_its_name_or_by_a_wildcard_for_one_label(void **state)
{
    struct name patterns[2];

    (void)state;
    assert_int_equal(name_from_mx_pattern(TEXT("mail.example.net"), &patterns[0]), 0);
    assert_int_equal(name_from_mx_pattern(TEXT("*.mx.example.net"), &patterns[1]), 0);
    assert_true(policy_covers_mx(patterns, 2, TEXT("mail.example.net")));
    assert_true(policy_covers_mx(patterns, 2, TEXT("a.mx.example.net")));
    assert_false(policy_covers_mx(patterns, 2, TEXT("a.b.mx.example.net")));
    assert_false(policy_covers_mx(patterns, 2, TEXT("mx.example.net")));
    assert_false(policy_covers_mx(patterns, 2, TEXT(".mx.example.net")));
    assert_false(policy_covers_mx(patterns, 2, TEXT("a.mail.example.net")));
    assert_false(policy_covers_mx(patterns, 2, TEXT("example.net")));
    assert_false(policy_covers_mx(patterns, 2, TEXT("")));
    assert_false(policy_covers_mx(patterns, 0, TEXT("mail.example.net")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_lists_version_mode_mx_and_max_age_with_crlf),
        cmocka_unit_test(a_body_with_mode_none_has_no_mx),
        cmocka_unit_test(an_id_is_the_start_of_the_sha256_of_the_body),
        cmocka_unit_test(an_id_is_1_to_32_letters_and_digits),
        cmocka_unit_test(reporting_uris_are_mailto_or_https_and_encoded),
        cmocka_unit_test(an_mx_is_covered_by_its_name_or_by_a_wildcard_for_one_label),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
