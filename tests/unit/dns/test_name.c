#include "cases.h"
#include "cmocka_all.h"
#include "dns/name.h"

#include <stdio.h>

static const struct {
    const char *name;
    int (*read)(struct text text, struct name *out);
} readers[] = {
    {"domain", name_from_domain},
    {"host", name_from_host},
    {"mx", name_from_mx_pattern},
    {"question", name_from_question},
};

static void run_case(const struct test_case *test_case)
{
    const struct text *expected = &test_case->fields[2];
    struct name name;
    bool found = false;

    for (size_t i = 0; i < ARRAY_LENGTH(readers); i++) {
        int r;

        if (strcmp(readers[i].name, test_case->fields[0].data) != 0)
            continue;
        found = true;
        r = readers[i].read(test_case->fields[1], &name);
        print_message("# line %zu\n", test_case->line);
        if (expected->length && expected->data[0] == '!') {
            assert_true(r > 0);
            assert_string_equal(name_faults[r].found, expected->data + 1);
            assert_true(strlen(name_faults[r].expected) > 0);
        } else {
            assert_int_equal(r, 0);
            assert_string_equal(name.text, expected->data);
            assert_int_equal(name.length, expected->length);
        }
    }
    assert_true(found);
}

static void names_are_canonical_or_refused_with_the_reason(void **state)
{
    (void)state;
    cases_run("names/names.cases", run_case);
}

static void a_refused_name_leaves_the_output_alone(void **state)
{
    struct name name = {.length = 3, .text = "old"};

    (void)state;
    assert_int_equal(name_from_domain(TEXT("new.-bad"), &name), NAME_HYPHEN);
    assert_string_equal(name.text, "old");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_canonical_or_refused_with_the_reason),
        cmocka_unit_test(a_refused_name_leaves_the_output_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
