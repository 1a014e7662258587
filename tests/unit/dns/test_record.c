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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_of_dns_is_known_in_any_case),
        cmocka_unit_test(what_this_service_answers_is_known),
        cmocka_unit_test(other_words_are_no_types),
    };

    return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
