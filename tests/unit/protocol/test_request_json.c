#include "base/buffer.h"
#include "cmocka_all.h"
#include "protocol/request_json.h"

static void what_powerdns_writes_is_plain(void **state)
{
    static const char *const texts[] = {
        "{\"method\":\"lookup\",\"parameters\":{\"qname\":\"a.example.\",\"qtype\":\"ANY\"}}",
        "{\"method\": \"lookup\", \"parameters\": {\"local\": \"0.0.0.0\", \"qname\": \"a.\", "
        "\"qtype\": \"SOA\", \"real-remote\": \"0.0.0.0/0\", \"remote\": \"0.0.0.0\", "
        "\"zone-id\": -1}}",
        "{\"parameters\":{},\"method\":\"getUpdatedMasters\"}\r",
        " {\"method\":\"getUpdatedMasters\"} ",
        "{\"method\":\"\"}",
        "{\"method\":\"x\",\"parameters\":{\"a\":0,\"b\":\" \",\"c\":123456789012345678}}",
    };
    struct plain_request plain;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
        assert_true(request_json_read(text_from(texts[i]), &plain));
}

static void all_else_is_declined(void **state)
{
    static const char *const texts[] = {
        "",
        "{}",
        "[]",
        "{\"method\"}",
        "{\"method\":1}",
        "{\"method\":\"a\"",
        "{\"method\":\"a\"}x",
        "{\"method\":\"a\",}",
        "{\"method\":\"a\",\"method\":\"b\"}",
        "{\"method\":\"a\",\"more\":1}",
        "{\"method\":\"a\\n\"}",
        "{\"method\":\"\xc3\xa4\"}",
        "{\"method\":\"a\",\"parameters\":[]}",
        "{\"method\":\"a\",\"parameters\":{\"x\":null}}",
        "{\"method\":\"a\",\"parameters\":{\"x\":{}}}",
        "{\"method\":\"a\",\"parameters\":{\"x\":1.5}}",
        "{\"method\":\"a\",\"parameters\":{\"x\":1e5}}",
        "{\"method\":\"a\",\"parameters\":{\"x\":01}}",
        "{\"method\":\"a\",\"parameters\":{\"x\":-}}",
        "{\"method\":\"a\",\"parameters\":{\"x\":1234567890123456789}}",
        "{\"method\":\"a\",\"parameters\":{\"x\":1,\"x\":2}}",
        "{\"method\":\"a\",\"parameters\":{\"x\":1,}}",
        "{\"method\":\"a\",\"parameters\":{\"x\" 1}}",
        "{\"method\":\"a\",\"parameters\":{},\"parameters\":{}}",
    };
    struct plain_request plain;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
        assert_false(request_json_read(text_from(texts[i]), &plain));
    assert_false(request_json_read((struct text){"{\"method\":\"a\0\"}", 14}, &plain));
}

static void seventeen_parameters_are_too_many(void **state)
{
    CLEANUP(buffer_deinit) struct buffer text = BUFFER_INIT;
    struct plain_request plain;

    (void)state;
    buffer_add_string(&text, "{\"method\":\"a\",\"parameters\":{\"0\":0");
    for (int i = 1; i < PLAIN_JSON_MEMBERS_MAX; i++)
        buffer_printf(&text, ",\"%d\":%d", i, i);
    buffer_add_string(&text, "}}");
    assert_true(request_json_read(buffer_text(&text), &plain));
    assert_int_equal(plain.n_members, PLAIN_JSON_MEMBERS_MAX);
    text.length -= 2;
    buffer_add_string(&text, ",\"x\":0}}");
    assert_false(request_json_read(buffer_text(&text), &plain));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_powerdns_writes_is_plain),
        cmocka_unit_test(all_else_is_declined),
        cmocka_unit_test(seventeen_parameters_are_too_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
