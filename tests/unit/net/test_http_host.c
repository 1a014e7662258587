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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(host_fields_are_names_or_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
