#include "base/buffer.h"
#include "cmocka_all.h"
#include "snapshot/domain_table.h"

#include <stdio.h>

enum { MANY = 100000 };

static struct text numbered(char *out, size_t size, unsigned int number)
{
    return text_of(out, (size_t)snprintf(out, size, "d%u.example", number));
}

static void add(struct domain_table_builder *builder, struct text name, uint32_t value)
{
    uint64_t hash = domain_table_hash(builder->seed, name);

    assert_int_equal(domain_table_builder_add(builder, hash, name, value, 1000 + value), 0);
}

/* Writes down the clashes, one a line. */
static void note_clash(const struct domain_table_clash *clash, void *context)
{
    assert_true(text_equals(clash->first.name, clash->again.name));
    buffer_printf(context, "%.*s %u@%d %u@%d\n", (int)clash->first.name.length,
                  clash->first.name.data, clash->first.value, (int)clash->first_mark,
                  clash->again.value, (int)clash->again_mark);
}

static void build(struct domain_table_builder *builder, struct domain_table *table,
                  const char *expected_clashes)
{
    CLEANUP(buffer_deinit) struct buffer clashes = BUFFER_INIT;

    assert_int_equal(domain_table_build(builder, note_clash, &clashes, table), 0);
    assert_string_equal(buffer_string(&clashes), expected_clashes);
    domain_table_builder_deinit(builder);
}

static void fill(struct domain_table *table, unsigned int n)
{
    struct domain_table_builder builder;
    char buffer[32];

    domain_table_builder_init(&builder, 42);
    for (unsigned int i = 0; i < n; i++)
        add(&builder, numbered(buffer, sizeof(buffer), i), i);
    build(&builder, table, "");
}

static void every_name_is_found_and_no_other(void **state)
{
    (void)state;
    for (unsigned int n = 0; n <= MANY; n = n * 3 + 1) {
        CLEANUP(domain_table_deinit) struct domain_table table;
        struct domain_table_entry entry;
        char buffer[32];

        fill(&table, n);
        assert_int_equal(table.n, n);
        for (unsigned int i = 0; i < n; i++) {
            struct text name = numbered(buffer, sizeof(buffer), i);

            assert_true(domain_table_find(&table, name, &entry));
            assert_int_equal(entry.value, i);
            assert_true(text_equals(entry.name, name));
        }
        for (unsigned int i = n; i < n + 1000; i++)
            assert_false(domain_table_find(&table, numbered(buffer, sizeof(buffer), i), &entry));
        assert_false(domain_table_find(&table, TEXT(""), &entry));
    }
}

static void names_added_again_are_reported_in_their_order_and_left_out(void **state)
{
    CLEANUP(domain_table_deinit) struct domain_table table;
    struct domain_table_builder builder;
    struct domain_table_entry entry;
    size_t cursor = 0, n = 0;

    (void)state;
    domain_table_builder_init(&builder, 42);
    add(&builder, TEXT("a"), 1);
    add(&builder, TEXT("b"), 2);
    add(&builder, TEXT("b"), 3);
    add(&builder, TEXT("a"), 4);
    add(&builder, TEXT("c"), 5);
    add(&builder, TEXT("b"), 6);
    build(&builder, &table, "b 2@1002 3@1003\na 1@1001 4@1004\nb 2@1002 6@1006\n");
    assert_int_equal(table.n, 3);
    assert_true(domain_table_find(&table, TEXT("b"), &entry));
    assert_int_equal(entry.value, 2);
    while (domain_table_next(&table, &cursor, &entry))
        n = n * 10 + entry.value;
    assert_int_equal(n, 125);
}

static void entries_are_visited_in_the_order_of_adding(void **state)
{
    CLEANUP(domain_table_deinit) struct domain_table table;
    struct domain_table_entry entry;
    size_t cursor = 0;
    uint32_t n = 0;

    (void)state;
    fill(&table, 1000);
    while (domain_table_next(&table, &cursor, &entry))
        assert_int_equal(entry.value, n++);
    assert_int_equal(n, 1000);
}

static void names_of_every_length_are_told_apart(void **state)
{
    CLEANUP(domain_table_deinit) struct domain_table table;
    struct domain_table_builder builder;
    struct domain_table_entry entry;
    char name[253];

    (void)state;
    memset(name, 'a', sizeof(name));
    domain_table_builder_init(&builder, 7);
    for (uint32_t length = 1; length <= sizeof(name); length++)
        add(&builder, text_of(name, length), length);
    build(&builder, &table, "");
    for (uint32_t length = 1; length <= sizeof(name); length++) {
        assert_true(domain_table_find(&table, text_of(name, length), &entry));
        assert_int_equal(entry.value, length);
    }
}

/* Counts the clashes, each of which is with the first of all. */
static void count_clash(const struct domain_table_clash *clash, void *context)
{
    uint32_t *n = context;

    assert_int_equal(clash->first_mark, 1000);
    assert_int_equal(clash->again_mark, 1000 + ++*n);
}

/* If each took longer than the one before, the test would not end in time. */
static void a_name_may_be_added_very_often(void **state)
{
    enum { OFTEN = 1000000 };
    CLEANUP(domain_table_deinit) struct domain_table table;
    struct domain_table_builder builder;
    struct domain_table_entry entry;
    size_t cursor = 0;
    uint32_t n = 0;

    (void)state;
    domain_table_builder_init(&builder, 42);
    for (uint32_t i = 0; i < OFTEN; i++)
        add(&builder, TEXT("again.example"), i);
    assert_int_equal(domain_table_build(&builder, count_clash, &n, &table), 0);
    assert_int_equal(n, OFTEN - 1);
    assert_int_equal(table.n, 1);
    assert_true(domain_table_next(&table, &cursor, &entry));
    assert_int_equal(entry.value, 0);
    assert_false(domain_table_next(&table, &cursor, &entry));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_is_found_and_no_other),
        cmocka_unit_test(names_added_again_are_reported_in_their_order_and_left_out),
        cmocka_unit_test(entries_are_visited_in_the_order_of_adding),
        cmocka_unit_test(names_of_every_length_are_told_apart),
        cmocka_unit_test(a_name_may_be_added_very_often),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
