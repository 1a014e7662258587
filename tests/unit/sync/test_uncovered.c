/* Which mail servers are shown that no policy covers. */
#include "base/buffer.h"
#include "cmocka_all.h"
#include "sync/uncovered.h"

#include <stdio.h>

static struct buffer shown;

static void show(struct text server, size_t names)
{
    buffer_printf(&shown, "%.*s %zu\n", (int)server.length, server.data, names);
}

static void add(struct uncovered *uncovered, const char *server, int n)
{
    while (n--)
        if (!uncovered_count(uncovered, text_from(server)))
            assert_int_equal(uncovered_add(uncovered, text_from(server)), 0);
}

static void the_widest_come_first(void **state)
{
    CLEANUP(uncovered_deinit) struct uncovered uncovered = UNCOVERED_INIT;

    (void)state;
    add(&uncovered, "once.example", 1);
    add(&uncovered, "often.example", 5);
    add(&uncovered, "twice.example", 2);
    add(&uncovered, "too.example", 2);
    add(&uncovered, "often.example", 1);
    assert_int_equal(uncovered_each(&uncovered, 3, show), 0);
    assert_string_equal(buffer_string(&shown), "often.example 6\ntoo.example 2\ntwice.example 2\n");
    buffer_clear(&shown);
    assert_int_equal(uncovered_each(&uncovered, 10, show), 0);
    assert_string_equal(buffer_string(&shown), "often.example 6\ntoo.example 2\ntwice.example 2\n"
                                               "once.example 1\n");
    assert_false(uncovered.cut);
    buffer_deinit(&shown);
}

static void of_too_many_the_first_are_counted_on(void **state)
{
    CLEANUP(uncovered_deinit) struct uncovered uncovered = UNCOVERED_INIT;
    char name[32];

    (void)state;
    for (int i = 0; i < UNCOVERED_MAX + 10; i++) {
        snprintf(name, sizeof(name), "mx%d.example", i);
        add(&uncovered, name, 1);
    }
    add(&uncovered, "mx7.example", 1);
    assert_true(uncovered.cut);
    assert_int_equal(uncovered.n, UNCOVERED_MAX);
    assert_int_equal(uncovered_each(&uncovered, 1, show), 0);
    assert_string_equal(buffer_string(&shown), "mx7.example 2\n");
    buffer_deinit(&shown);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_widest_come_first),
        cmocka_unit_test(of_too_many_the_first_are_counted_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
