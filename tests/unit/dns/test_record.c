#include "cmocka_all.h"
#include "dns/record.h"

static void every_type_of_dns_is_known_in_any_case(void **state)
{
    static const char *const types[] = {"A",   "DLV",   "LUA",        "MX",     "txt",
                                        "any", "HTTPS", "NSEC3PARAM", "TYPE65", "type65535"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(types); i++)
        assert_true(record_type_is_known(text_from(types[i])));
}

static void what_this_service_answers_is_known(void **state)
{
    (void)state;
    for (enum record_type type = RECORD_A; type < RECORD_TYPE_COUNT; type++)
        assert_true(record_type_is_known(record_type_text(type)));
}

static void other_words_are_no_types(void **state)
{
    static const char *const words[] = {"",     "FOO",       "ENT",  "AA",        "TX",   "A ",
                                        "A NS", "192.0.2.1", "TYPE", "TYPE65536", "TYPEX"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        assert_false(record_type_is_known(text_from(words[i])));
}

static void assert_txt(struct text value, const char *expected)
{
    CLEANUP(buffer_deinit) struct buffer out = BUFFER_INIT;

    record_write_txt(&out, value);
    assert_int_equal(out.length, strlen(expected));
    assert_memory_equal(out.data, expected, out.length);
}

static void txt_content_is_quoted_in_strings_of_255_octets(void **state)
{
    char value[511], expected[520];

    (void)state;
    assert_txt(TEXT(""), "\"\"");
    assert_txt(TEXT("v=STSv1; id=a"), "\"v=STSv1; id=a\"");
    assert_txt(TEXT("a\"b\\c"), "\"a\\\"b\\\\c\"");
    memset(value, 'x', sizeof(value));
    memset(expected, 'x', sizeof(expected));
    expected[0] = expected[256] = '"';
    expected[257] = '\0';
    assert_txt(text_of(value, 255), expected);
    memcpy(expected + 256, "\" \"x\"", sizeof("\" \"x\""));
    assert_txt(text_of(value, 256), expected);
    memset(expected, 'x', sizeof(expected));
    expected[0] = '"';
    memcpy(expected + 256, "\" \"", 3);
    memcpy(expected + 514, "\" \"x\"", sizeof("\" \"x\""));
    assert_txt(text_of(value, 511), expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_of_dns_is_known_in_any_case),
        cmocka_unit_test(what_this_service_answers_is_known),
        cmocka_unit_test(other_words_are_no_types),
        cmocka_unit_test(txt_content_is_quoted_in_strings_of_255_octets),
    };

    return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
