#include "base/quote.h"
#include "cmocka_all.h"

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
    assert_quoted(TEXT("\xd8\x9c"), "\"\\xd8\\x9c\"");          /* so does U+061C */
    assert_quoted(TEXT("\xe2\x80\xa8"), "\"\\xe2\\x80\\xa8\""); /* ends a line */
    assert_quoted(TEXT("\xc2\xa0"), "\"\\xc2\\xa0\"");          /* does not break a line */
    assert_quoted(TEXT("\xe3\x80\x80"), "\"\\xe3\\x80\\x80\""); /* an ideographic space */
    assert_quoted(TEXT("\xc2\xad"), "\"\\xc2\\xad\"");          /* a soft hyphen */
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
        cmocka_unit_test(quoted_input_prints_on_one_line),
        cmocka_unit_test(what_is_no_printable_utf8_is_escaped_octet_by_octet),
        cmocka_unit_test(very_long_input_is_cut_between_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
