/* Records as dig shows them: its columns, checked against dig's own output elsewhere. */
#include "answer/master_file.h"
#include "cmocka_all.h"

#include <stdio.h>

static void check(size_t name_length, uint32_t ttl, enum record_type type, const char *expected)
{
    struct answer answer = {.ttl = ttl, .name.length = (uint8_t)name_length};
    struct row row = {.type = type, .content = TEXT("c")};
    struct buffer out = BUFFER_INIT;

    memset(answer.name.text, 'n', name_length);
    master_file_write(&out, &answer, &row);
    buffer_add(&out, "", 1);
    assert_memory_equal(out.data, answer.name.text, name_length);
    assert_string_equal(out.data + name_length, expected);
    buffer_deinit(&out);
}

static void fields_stand_at_tab_stops_where_they_fit(void **state)
{
    (void)state;
    check(6, 60, RECORD_A, ".\t\t\t60\tIN\tA\tc\n");
    check(7, 60, RECORD_A, ".\t\t60\tIN\tA\tc\n");
    check(15, 60, RECORD_A, ".\t60\tIN\tA\tc\n");
    check(22, 60, RECORD_AAAA, ".\t60\tIN\tAAAA\tc\n");
}

static void what_is_too_long_takes_one_column_and_moves_the_others(void **state)
{
    (void)state;
    check(23, 60, RECORD_TXT, ". 60\tIN\tTXT\tc\n");
    check(27, 3600, RECORD_TXT, ". 3600 IN\tTXT\tc\n");
    check(40, 3600, RECORD_TXT, ". 3600 IN TXT c\n");
    check(60, 2147483647, RECORD_CNAME, ". 2147483647 IN CNAME c.\n");
}

static void names_are_absolute(void **state)
{
    (void)state;
    check(15, 60, RECORD_CNAME, ".\t60\tIN\tCNAME\tc.\n");
    check(15, 60, RECORD_NS, ".\t60\tIN\tNS\tc.\n");
    check(15, 60, RECORD_PTR, ".\t60\tIN\tPTR\tc.\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_stand_at_tab_stops_where_they_fit),
        cmocka_unit_test(names_are_absolute),
        cmocka_unit_test(what_is_too_long_takes_one_column_and_moves_the_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
