#include "base/template.h"
#include "cmocka_all.h"

static void percent_signs_stand_for_a_domain_or_themselves(void **state)
{
    static const char *const valid[] = {"", "a", "%d", "%%", "a%db", "%%%d", "%d%d", "%%d"};
    static const char *const wrong[] = {"%", "a%", "%D", "%%%", "%d%", "% d", "%s"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(valid); i++)
        assert_true(template_is_valid(text_from(valid[i])));
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++)
        assert_false(template_is_valid(text_from(wrong[i])));
    assert_false(template_is_valid(text_of("%\0", 2)));
    assert_false(template_is_valid(text_of("%d", 1)));
}

static void a_template_is_filled_with_the_domain(void **state)
{
    static const struct {
        const char *template, *filled;
    } cases[] = {
        {"", ""},
        {"a", "a"},
        {"%d", "x.example"},
        {"%%d", "%d"},
        {"a%%b-%d/%d.pem", "a%b-x.example/x.example.pem"},
        {"%d%%%d", "x.example%x.example"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        CLEANUP(buffer_deinit) struct buffer out = BUFFER_INIT;
        struct text template = text_from(cases[i].template);

        assert_int_equal(template_fill(template, TEXT("x.example"), NULL), strlen(cases[i].filled));
        buffer_add_string(&out, ">");
        template_write(&out, template, TEXT("x.example"));
        assert_int_equal(buffer_string(&out)[0], '>');
        assert_string_equal(buffer_string(&out) + 1, cases[i].filled);
    }
}

static void a_template_may_have_no_domain(void **state)
{
    (void)state;
    assert_true(template_has_domain(TEXT("a%db")));
    assert_false(template_has_domain(TEXT("a%%db")));
    assert_false(template_has_domain(TEXT("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percent_signs_stand_for_a_domain_or_themselves),
        cmocka_unit_test(a_template_is_filled_with_the_domain),
        cmocka_unit_test(a_template_may_have_no_domain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
