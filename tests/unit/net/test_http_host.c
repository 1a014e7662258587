#include "cases.h"
#include "cmocka_all.h"
#include "net/http_host.h"

static void run_case(const struct test_case *test_case)
{
    struct text expected = test_case->fields[1];
    struct name name = {.length = 3, .text = "old"};
    int r = http_host_read(test_case->fields[0], &name);

    print_message("# line %zu\n", test_case->line);
    if (text_equals(expected, TEXT("!malformed"))) {
        assert_int_equal(r, HTTP_HOST_MALFORMED);
        assert_string_equal(name.text, "old");
    } else if (text_equals(expected, TEXT("!no name"))) {
        assert_int_equal(r, HTTP_HOST_NO_NAME);
        assert_string_equal(name.text, "old");
    } else {
        assert_int_equal(r, 0);
        assert_string_equal(name.text, expected.data);
        assert_int_equal(name.length, expected.length);
    }
}

static void host_fields_are_names_or_refused(void **state)
{
    (void)state;
    cases_run("hosts/hosts.cases", run_case);
}

static void a_host_is_an_address_or_not(void **state)
{
    static const struct {
        const char *field;
        bool is_address;
    } cases[] = {
        {"192.0.2.1", true},
        {"192.0.2.1:80", true},
        {"[2001:db8::1]", true},
        {"[::1]:443", true},
        {"[::1]:", true},
        {"::1", false},
        {"[192.0.2.1]", false},
        {"[v1.fe80]", false},
        {"192.0.2", false},
        {"192.0.2.1.", false},
        {"[::1", false},
        {"a.example", false},
        {"", false},
        {":80", false},
        {"_a.example", false},
        {"192.0.2.1.example", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        if (http_host_is_address(text_from(cases[i].field)) != cases[i].is_address)
            fail_msg("%s", cases[i].field);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(host_fields_are_names_or_refused),
        cmocka_unit_test(a_host_is_an_address_or_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
