/* Templates over JSON; those in templates/ are compiled as the pages are. */
#include "admin/page_data.h"
#include "cmocka_all.h"
#include "protocol/jansson_alloc.h"

extern const struct page_template asset_values_html, asset_sections_html;

static void check(const struct page_template *template, json_t *data, const char *expected)
{
    struct buffer out = BUFFER_INIT;

    assert_non_null(data);
    page_template_render(template, data, &out);
    assert_string_equal(buffer_string(&out), expected);
    buffer_deinit(&out);
    json_decref(data);
}

static void values_are_printed_so_that_html_takes_them_for_text(void **state)
{
    (void)state;
    check(
        &asset_values_html,
        json_pack("{s:s, s:s, s:I, s:I, s:I, s:f, s:f, s:b, s:b, s:n, s:[s], s:{s:s, s:{s:s}}}",
                  "quoted", "\"'&<>", "markup", "<script>a\xc3\xa4&amp;</script>", "number",
                  (json_int_t)1234567, "small", (json_int_t)999, "negative", (json_int_t)-123456,
                  "real", 12.5, "third", 100.0 / 3, "no", 0, "yes", 1, "nothing", "list", "in",
                  "object", "name", "outer", "inner", "name", "inner"),
        "<p title=\"&quot;&#39;&amp;&lt;&gt;\">&lt;script&gt;a\xc3\xa4&amp;amp;&lt;/script&gt;</p> "
        "1,234,567 999 -123,456 12.5 33.3333 [] inner outer");
}

static void sections_are_repeated_left_out_or_taken_once(void **state)
{
    (void)state;
    check(&asset_sections_html,
          json_pack("{s:s, s:[{s:s, s:[s, s]}, {s:s, s:[]}, s],"
                    " s:[{s:b}, {s:b}, {s:n}, {s:s}, {s:s}, {s:i}, {s:i}, {s:[]}, {s:[i]}, {s:{}}],"
                    " s:{s:s, s:{s:s}}}",
                    "title", "T", "list", "name", "a", "parts", "<", "2", "name", "b", "parts", "c",
                    "truths", "value", 1, "value", 0, "value", "value", "", "value", "x", "value",
                    0, "value", 7, "value", "value", 1, "value", "object", "name", "o", "inner",
                    "name", "i"),
          "a: T<&lt;><2>;\n"
          "b: Tnone;\n"
          ": cTnone;\n"
          "yes no no no yes no yes no yes yes \n"
          "  (oT) i\n"
          "end\n");
}

static void without_data_there_is_text_alone(void **state)
{
    (void)state;
    check(&asset_sections_html, json_object(), "\nend\n");
}

static void a_text_that_is_not_utf_8_is_escaped(void **state)
{
    json_t *texts = json_array();

    (void)state;
    page_data_begin();
    json_array_append_new(texts, page_data_text(TEXT("a\xff<b>\0c")));
    json_array_append_new(texts, page_data_text(TEXT("\xc3\xa4\0b")));
    json_array_append_new(texts, page_data_text(TEXT("")));
    json_array_append_new(texts, page_data_text(text_of(NULL, 0)));
    assert_false(page_data_failed());
    assert_int_equal(json_array_size(texts), 4);
    assert_string_equal(json_string_value(json_array_get(texts, 0)), "a\\xff<b>\\x00c");
    assert_int_equal(json_string_length(json_array_get(texts, 1)), 4);
    assert_string_equal(json_string_value(json_array_get(texts, 3)), "");
    json_decref(texts);
}

static void a_time_is_told_for_machines_and_for_people(void **state)
{
    struct buffer out = BUFFER_INIT;
    json_t *data;

    (void)state;
    page_data_begin();
    data = page_data_time(1790000000);
    page_data_write(data, &out);
    assert_string_equal(buffer_string(&out),
                        "{\"iso\":\"2026-09-21T14:13:20Z\",\"text\":\"2026-09-21 14:13 UTC\"}\n");
    buffer_deinit(&out);
    json_decref(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_printed_so_that_html_takes_them_for_text),
        cmocka_unit_test(sections_are_repeated_left_out_or_taken_once),
        cmocka_unit_test(without_data_there_is_text_alone),
        cmocka_unit_test(a_text_that_is_not_utf_8_is_escaped),
        cmocka_unit_test(a_time_is_told_for_machines_and_for_people),
    };

    jansson_alloc_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
