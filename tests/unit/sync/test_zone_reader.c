/* The list of zones as PowerDNS gives it, and everything that must not pass for one. */
#include "base/buffer.h"
#include "cmocka_all.h"
#include "sync/zone_reader.h"

static int add_name(void *context, struct text name)
{
    struct buffer *names = context;

    buffer_add_text(names, name);
    buffer_add_string(names, "|");
    return 0;
}

/* Reads a text in pieces of a size. Returns the fault, or the names. */
static const char *read_in_pieces(struct text json, size_t piece, struct buffer *names)
{
    struct zone_reader reader;
    int r = 0;

    buffer_clear(names);
    zone_reader_init(&reader, add_name, names);
    for (size_t at = 0; at < json.length && r == 0; at += piece)
        r = zone_reader_feed(&reader, json.data + at,
                             json.length - at < piece ? json.length - at : piece);
    if (r == 0)
        r = zone_reader_end(&reader);
    assert_true(r == 0 || r == ZONE_READER_REFUSED);
    assert_true((r != 0) == (reader.fault != NULL));
    return r ? reader.fault : buffer_string(names);
}

/* The pieces make no difference. */
static void assert_reads(struct text json, const char *expected)
{
    CLEANUP(buffer_deinit) struct buffer names = BUFFER_INIT;

    for (size_t piece = 1; piece <= json.length + 1; piece++)
        assert_string_equal(read_in_pieces(json, piece, &names), expected);
}

#define READS(JSON, EXPECTED) assert_reads(TEXT(JSON), EXPECTED)

static void names_are_found_whatever_else_a_zone_has(void **state)
{
    (void)state;
    READS("[]", "");
    READS(" [ ] \r\n\t", "");
    READS("[{\"name\":\"a.example.\"}]", "a.example.|");
    READS("[{\"account\": \"\", \"dnssec\": false, \"edited_serial\": 1, \"id\": \"a.\", \"kind\": "
          "\"Native\", \"masters\": [], \"name\": \"a.\", \"notified_serial\": -0, \"x\": null}, "
          "{\"masters\":[\"192.0.2.1\",{\"name\":\"no\"}],\"o\":{\"name\":{\"name\":1}},\"name\":"
          "\"b.\"}]\n",
          "a.|b.|");
    READS("[{\"name\":\"\",\"n\":[0,-1,10,0.5,1e3,1.50E-07,2e+1,true,[[]],{}]}]", "|");
}

static void escapes_are_what_they_stand_for(void **state)
{
    (void)state;
    READS("[{\"\\u006eame\":\"a\\\\.b\\/\\\"c\"}]", "a\\.b/\"c|");
    READS("[{\"name\":\"\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20AC\\ud83d\\ude00\"}]",
          "\b\f\n\r\tA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80|");
    READS("[{\"name\":\"b\xc3\xbc\"}]", "b\xc3\xbc|");
}

static void a_list_that_is_cut_short_is_refused_wherever(void **state)
{
    const struct text json =
        TEXT("[{\"name\":\"a\\u00e9\",\"n\":[1.5e3,true,{}]},{\"name\":\"b\"}]");
    CLEANUP(buffer_deinit) struct buffer names = BUFFER_INIT;

    (void)state;
    assert_string_equal(read_in_pieces(json, json.length, &names), "a\xc3\xa9|b|");
    for (size_t n = 0; n < json.length; n++)
        assert_string_equal(read_in_pieces(text_of(json.data, n), 7, &names), "it is cut short");
}

static void what_is_no_list_of_zones_is_refused(void **state)
{
    (void)state;
    READS("", "it is cut short");
    READS("{\"error\": \"Not Found\"}", "no list of zones");
    READS("<html>", "no list of zones");
    READS("\"a\"", "no list of zones");
    READS("[\"a\"]", "an element of the list that is no zone");
    READS("[[]]", "an element of the list that is no zone");
    READS("[{}]", "a zone without a name");
    READS("[{\"id\":\"a\"}]", "a zone without a name");
    READS("[{\"o\":{\"name\":\"a\"}}]", "a zone without a name");
    READS("[{\"name\":\"a\",\"name\":\"b\"}]", "a zone with two names");
    READS("[{\"name\":1}]", "a zone whose name is no string");
    READS("[{\"name\":null}]", "a zone whose name is no string");
    READS("[{\"name\":[\"a\"]}]", "a zone whose name is no string");
    READS("[{\"name\":\"a\"}][]", "something after the end of the list");
    READS("[],", "something after the end of the list");
}

static void what_is_no_json_is_refused(void **state)
{
    static const char *const texts[] = {
        "[,]",
        "[{]",
        "[{\"a\"}]",
        "[{\"a\":1,}]",
        "[{\"name\":\"a\"},]",
        "[{a:1}]",
        "[}",
        "[{\"a\":01}]",
        "[{\"a\":-}]",
        "[{\"a\":1.}]",
        "[{\"a\":.5}]",
        "[{\"a\":1e}]",
        "[{\"a\":1e+}]",
        "[{\"a\":+1}]",
        "[{\"a\":tru}]",
        "[{\"a\":nulL}]",
        "[{\"a\":fals}]",
        "[{\"a\":\"\\x\"}]",
        "[{\"a\":\"\\u00g0\"}]",
        "[{\"a\" 1}]",
        "[{\"a\":1 2}]",
        "[{\"a\":[1}]",
        "[{\"a\":[1,]}]",
        "[{\"a\":-01}]",
        "[{\"a\":1.e1}]",
        "[{\"name\":\"a\"]",
    };
    CLEANUP(buffer_deinit) struct buffer names = BUFFER_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        const char *found = read_in_pieces(text_from(texts[i]), 3, &names);

        if (strcmp(found, "not JSON") != 0 && strncmp(found, "an element", 10) != 0)
            fail_msg("%s: %s", texts[i], found);
    }
    READS("[{\"name\":\"a\nb\"}]", "a control character in a string");
    READS("[{\"name\":\"a\0b\"}]", "a control character in a string");
    READS("[{\"name\":\"\\ud83d\"}]", "half a character in a string");
    READS("[{\"name\":\"\\ud83dx\"}]", "half a character in a string");
    READS("[{\"name\":\"\\ud83d\\n\"}]", "half a character in a string");
    READS("[{\"name\":\"\\ud83d\\ud83d\"}]", "half a character in a string");
    READS("[{\"name\":\"\\ude00\"}]", "half a character in a string");
}

static void nesting_has_a_limit(void **state)
{
    CLEANUP(buffer_deinit) struct buffer json = BUFFER_INIT, names = BUFFER_INIT;

    (void)state;
    buffer_add_string(&json, "[{\"name\":\"a\",\"b\":");
    for (int depth = 2; depth < ZONE_READER_DEPTH_MAX; depth++)
        buffer_add_string(&json, "[");
    for (int depth = 2; depth < ZONE_READER_DEPTH_MAX; depth++)
        buffer_add_string(&json, "]");
    buffer_add_string(&json, "}]");
    assert_string_equal(read_in_pieces(buffer_text(&json), 9, &names), "a|");
    buffer_clear(&json);
    buffer_add_string(&json, "[{\"b\":");
    for (int depth = 2; depth <= ZONE_READER_DEPTH_MAX; depth++)
        buffer_add_string(&json, "[");
    assert_string_equal(read_in_pieces(buffer_text(&json), 9, &names),
                        "arrays and objects that are nested too deep");
}

static void a_string_that_is_too_long_is_cut_and_no_key(void **state)
{
    CLEANUP(buffer_deinit) struct buffer json = BUFFER_INIT, names = BUFFER_INIT;

    (void)state;
    buffer_add_string(&json, "[{\"name\":\"");
    for (int i = 0; i < 5000; i++)
        buffer_add_string(&json, "a");
    buffer_add_string(&json, "\"}]");
    assert_int_equal(strlen(read_in_pieces(buffer_text(&json), 100, &names)),
                     ZONE_READER_STRING_MAX + 1);
}

static int refuse_name(void *context, struct text name)
{
    (void)context;
    (void)name;
    return -7;
}

static void who_takes_the_names_can_end_it(void **state)
{
    struct zone_reader reader;

    (void)state;
    zone_reader_init(&reader, refuse_name, NULL);
    assert_int_equal(zone_reader_feed(&reader, "[{\"name\":\"a\"}]", 14), -7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found_whatever_else_a_zone_has),
        cmocka_unit_test(escapes_are_what_they_stand_for),
        cmocka_unit_test(a_list_that_is_cut_short_is_refused_wherever),
        cmocka_unit_test(what_is_no_list_of_zones_is_refused),
        cmocka_unit_test(what_is_no_json_is_refused),
        cmocka_unit_test(nesting_has_a_limit),
        cmocka_unit_test(a_string_that_is_too_long_is_cut_and_no_key),
        cmocka_unit_test(who_takes_the_names_can_end_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
