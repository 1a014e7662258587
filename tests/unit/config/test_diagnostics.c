#include "base/buffer.h"
#include "cmocka_all.h"
#include "config/diagnostics.h"

/* Writes a line: error or warning, and the place, the mark and the text. */
static void add_line(enum severity severity, const char *place, const char *text, void *context)
{
    buffer_printf(context, "%c %s|%s|%s\n", severity == SEVERITY_ERROR ? 'E' : 'W', place,
                  diagnostics_mark(severity, place), text);
}

static void assert_lines(const struct diagnostics *diagnostics, const char *expected)
{
    CLEANUP(buffer_deinit) struct buffer lines = BUFFER_INIT;

    diagnostics_each(diagnostics, add_line, &lines);
    assert_string_equal(buffer_string(&lines), expected);
}

static void errors_come_before_warnings_each_in_their_order(void **state)
{
    CLEANUP(diagnostics_deinit) struct diagnostics diagnostics = DIAGNOSTICS_INIT;

    (void)state;
    assert_false(diagnostics_has_errors(&diagnostics));
    diagnostics_warning(&diagnostics, (struct place){"f", 3, 4}, "first %d", 1);
    assert_false(diagnostics_has_errors(&diagnostics));
    diagnostics_error(&diagnostics, (struct place){"g", 1, 2}, "second");
    diagnostics_error(&diagnostics, (struct place){"a", 7, 0}, "third");
    diagnostics_warning(&diagnostics, (struct place){"a", 0, 0}, "fourth");
    assert_true(diagnostics_has_errors(&diagnostics));
    assert_lines(&diagnostics, "E g:1:2: ||second\n"
                               "E a:7: ||third\n"
                               "W f:3:4: |warning: |first 1\n"
                               "W a: |warning: |fourth\n");
}

static void what_is_beyond_the_kept_lines_is_counted(void **state)
{
    CLEANUP(diagnostics_deinit) struct diagnostics diagnostics = DIAGNOSTICS_INIT;
    CLEANUP(buffer_deinit) struct buffer expected = BUFFER_INIT;

    (void)state;
    for (uint32_t i = 1; i <= DIAGNOSTICS_KEPT + 1; i++)
        diagnostics_error(&diagnostics, (struct place){"f", i, 1}, "bad");
    for (uint32_t i = 1; i <= DIAGNOSTICS_KEPT + 1000; i++)
        diagnostics_warning(&diagnostics, (struct place){"f", i, 1}, "odd");
    for (int i = 1; i <= DIAGNOSTICS_KEPT; i++)
        buffer_printf(&expected, "E f:%d:1: ||bad\n", i);
    buffer_add_string(&expected, "E ||… and 1 more error\n");
    for (int i = 1; i <= DIAGNOSTICS_KEPT; i++)
        buffer_printf(&expected, "W f:%d:1: |warning: |odd\n", i);
    buffer_add_string(&expected, "W ||… and 1000 more warnings\n");
    assert_lines(&diagnostics, buffer_string(&expected));
    assert_int_equal(diagnostics.total[SEVERITY_ERROR], DIAGNOSTICS_KEPT + 1);
    assert_int_equal(diagnostics.total[SEVERITY_WARNING], DIAGNOSTICS_KEPT + 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_come_before_warnings_each_in_their_order),
        cmocka_unit_test(what_is_beyond_the_kept_lines_is_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
