#include "cmocka_all.h"
#include "table.h"

#include <stdio.h>

enum { MANY = 100000 };

static struct text numbered(char *out, size_t size, unsigned int number)
{
    return (struct text){out, (size_t)snprintf(out, size, "d%u.example", number)};
}

static void fill(struct table *table, unsigned int n)
{
    char buffer[32];
    size_t position = 0;

    table_init(table, 42);
    for (unsigned int i = 0; i < n; i++)
        assert_int_equal(table_add(table, numbered(buffer, sizeof(buffer), i), i, &position), 0);
}

static void assert_filled(const struct table *table, unsigned int n)
{
    struct table_entry entry;
    char buffer[32];

    for (unsigned int i = 0; i < n; i++) {
        struct text name = numbered(buffer, sizeof(buffer), i);

        assert_true(table_find(table, name, &entry));
        assert_int_equal(entry.value, i);
        assert_true(text_equals(entry.name, name));
    }
    assert_false(table_find(table, numbered(buffer, sizeof(buffer), n), &entry));
    assert_false(table_find(table, TEXT(""), &entry));
}

static void every_name_is_found_while_it_grows_and_after_trimming(void **state)
{
    CLEANUP(table_deinit) struct table table;

    (void)state;
    fill(&table, MANY);
    assert_filled(&table, MANY);
    assert_int_equal(table_trim(&table), 0);
    assert_int_equal(table.n, MANY);
    assert_filled(&table, MANY);
}

static void an_empty_table_finds_nothing(void **state)
{
    CLEANUP(table_deinit) struct table table;
    struct table_entry entry;
    size_t position = 0;

    (void)state;
    table_init(&table, 1);
    assert_false(table_find(&table, TEXT("example"), &entry));
    assert_false(table_next(&table, &position, &entry));
    assert_int_equal(table_trim(&table), 0);
    assert_false(table_find(&table, TEXT("example"), &entry));
}

static void a_second_adding_tells_the_first_ones_position(void **state)
{
    CLEANUP(table_deinit) struct table table;
    size_t position = 0;

    (void)state;
    fill(&table, 100);
    assert_int_equal(table_add(&table, TEXT("d7.example"), 1000, &position), TABLE_EXISTS);
    assert_int_equal(table_at(&table, position).value, 7);
    assert_int_equal(table.n, 100);
}

static void entries_are_visited_in_the_order_of_adding(void **state)
{
    CLEANUP(table_deinit) struct table table;
    struct table_entry entry;
    size_t position = 0;
    uint32_t n = 0;

    (void)state;
    fill(&table, 1000);
    while (table_next(&table, &position, &entry))
        assert_int_equal(entry.value, n++);
    assert_int_equal(n, 1000);
}

static void names_of_every_length_are_told_apart(void **state)
{
    CLEANUP(table_deinit) struct table table;
    struct table_entry entry;
    char name[253];
    size_t position = 0;

    (void)state;
    memset(name, 'a', sizeof(name));
    table_init(&table, 7);
    for (uint32_t length = 1; length <= sizeof(name); length++)
        assert_int_equal(table_add(&table, (struct text){name, length}, length, &position), 0);
    for (uint32_t length = 1; length <= sizeof(name); length++) {
        assert_true(table_find(&table, (struct text){name, length}, &entry));
        assert_int_equal(entry.value, length);
    }
}

static void a_domain_costs_at_most_16_octets_and_its_name(void **state)
{
    CLEANUP(table_deinit) struct table table;
    size_t names = 0, position = 0;
    struct table_entry entry;

    (void)state;
    fill(&table, MANY);
    assert_int_equal(table_trim(&table), 0);
    while (table_next(&table, &position, &entry))
        names += entry.name.length;
    assert_true(table.capacity + table.n_slots * sizeof(*table.slots) <= names + 16 * MANY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_is_found_while_it_grows_and_after_trimming),
        cmocka_unit_test(an_empty_table_finds_nothing),
        cmocka_unit_test(a_second_adding_tells_the_first_ones_position),
        cmocka_unit_test(entries_are_visited_in_the_order_of_adding),
        cmocka_unit_test(names_of_every_length_are_told_apart),
        cmocka_unit_test(a_domain_costs_at_most_16_octets_and_its_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
