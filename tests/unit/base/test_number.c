#include "base/array.h"
#include "base/number.h"
#include "cmocka_all.h"

static void decimal_numbers_are_digits_up_to_a_maximum(void **state)
{
    static const char *const wrong[] = {"", "-1", "+1", " 1", "1 ", "0x1", "256", "1000", "1a"};
    uint64_t value = 7;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++)
        assert_false(number_read(text_from(wrong[i]), 255, &value));
    assert_int_equal(value, 7);
    assert_true(number_read(TEXT("0"), 255, &value) && value == 0);
    assert_true(number_read(TEXT("0255"), 255, &value) && value == 255);
    assert_true(number_read(TEXT("18446744073709551615"), UINT64_MAX, &value));
    assert_true(value == UINT64_MAX);
    assert_false(number_read(TEXT("18446744073709551616"), UINT64_MAX, &value));
}

static void hexadecimal_digits_have_either_case(void **state)
{
    const uint8_t octets[] = {0x00, 0x9f, 0xa5};
    char text[7];

    (void)state;
    assert_int_equal(hex_digit_value('0'), 0);
    assert_int_equal(hex_digit_value('f'), 15);
    assert_int_equal(hex_digit_value('A'), 10);
    assert_int_equal(hex_digit_value('g'), -1);
    assert_int_equal(hex_digit_value('/'), -1);
    hex_write(octets, sizeof(octets), text);
    assert_string_equal(text, "009fa5");
}

static void an_array_grows_by_doubling(void **state)
{
    uint16_t *items = NULL;
    size_t capacity = 0;

    (void)state;
    for (uint16_t n = 0; n < 100; n++) {
        assert_int_equal(ARRAY_RESERVE(items, n, capacity), 0);
        items[n] = n;
    }
    assert_int_equal(capacity, 128);
    assert_int_equal(items[99], 99);
    free(items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimal_numbers_are_digits_up_to_a_maximum),
        cmocka_unit_test(hexadecimal_digits_have_either_case),
        cmocka_unit_test(an_array_grows_by_doubling),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
