#include "base/buffer.h"
#include "cmocka_all.h"
#include "config/diagnostics.h"

static void add_line(enum severity severity, const char *text, void *context)
{
    buffer_printf(context, "%c %s\n", severity == SEVERITY_ERROR ? 'E' : 'W', text);
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
    assert_lines(&diagnostics, "E g:1:2: second\n"
                               "E a:7: third\n"
                               "W f:3:4: warning: first 1\n"
                               "W a: warning: fourth\n");
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
        buffer_printf(&expected, "E f:%d:1: bad\n", i);
    buffer_add_string(&expected, "E … and 1 more error\n");
    for (int i = 1; i <= DIAGNOSTICS_KEPT; i++)
        buffer_printf(&expected, "W f:%d:1: warning: odd\n", i);
    buffer_add(&expected, "W … and 1000 more warnings\n", sizeof("W … and 1000 more warnings\n"));
    assert_lines(&diagnostics, expected.data);
    assert_int_equal(diagnostics.total[SEVERITY_ERROR], DIAGNOSTICS_KEPT + 1);
    assert_int_equal(diagnostics.total[SEVERITY_WARNING], DIAGNOSTICS_KEPT + 1000);
}

static void assert_quoted(struct text input, const char *expected)
{
    assert_string_equal(quote_text(input).text, expected);
}

static void quoted_input_prints_on_one_line(void **state)
{
    (void)state;
    assert_quoted(TEXT(""), "\"\"");
    assert_quoted(TEXT("example.net"), "\"example.net\"");
    assert_quoted(TEXT("a\"b\\c"), "\"a\\\"b\\\\c\"");
    assert_quoted(TEXT("a\nb\0c\x7f\x1b[m"), "\"a\\x0ab\\x00c\\x7f\\x1b[m\"");
    assert_quoted(TEXT("b\xc3\xbc\xe6\x9d\xb1\xf0\x9f\x98\x80"), "\"bü東😀\"");
}

static void what_is_no_printable_utf8_is_escaped_octet_by_octet(void **state)
{
    (void)state;
    assert_quoted(TEXT("\xfc\x62"), "\"\\xfcb\"");                       /* no lead octet */
    assert_quoted(TEXT("\x80"), "\"\\x80\"");                            /* no lead octet either */
    assert_quoted(TEXT("\xc3"), "\"\\xc3\"");                            /* cut short */
    assert_quoted(TEXT("\xe6\x9dz"), "\"\\xe6\\x9dz\"");                 /* broken off */
    assert_quoted(TEXT("\xc0\x80"), "\"\\xc0\\x80\"");                   /* longer than needed */
    assert_quoted(TEXT("\xed\xa0\x80"), "\"\\xed\\xa0\\x80\"");          /* a surrogate */
    assert_quoted(TEXT("\xf4\x90\x80\x80"), "\"\\xf4\\x90\\x80\\x80\""); /* beyond Unicode */
    assert_quoted(TEXT("\xc2\x9b"), "\"\\xc2\\x9b\"");                   /* a control */
    assert_quoted(TEXT("\xe2\x80\xae"), "\"\\xe2\\x80\\xae\""); /* turns the writing around */
    assert_quoted(TEXT("\xe2\x80\xa8"), "\"\\xe2\\x80\\xa8\""); /* ends a line */
}

static void very_long_input_is_cut_between_characters(void **state)
{
    (void)state;
    for (size_t length = 100; length < 300; length++) {
        char input[300];
        struct quoted quoted;
        size_t n;

        for (size_t i = 0; i < length; i++)
            input[i] = "ü"[i % 2];
        quoted = quote_text((struct text){input, length & ~(size_t)1});
        n = strlen(quoted.text);
        assert_true(n < sizeof(quoted.text));
        assert_int_equal(quoted.text[n - 1], '"');
        assert_null(strstr(quoted.text, "\\x"));
        if (length > sizeof(quoted.text))
            assert_memory_equal(quoted.text + n - strlen("…\""), "…\"", strlen("…\""));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_come_before_warnings_each_in_their_order),
        cmocka_unit_test(what_is_beyond_the_kept_lines_is_counted),
        cmocka_unit_test(quoted_input_prints_on_one_line),
        cmocka_unit_test(what_is_no_printable_utf8_is_escaped_octet_by_octet),
        cmocka_unit_test(very_long_input_is_cut_between_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
