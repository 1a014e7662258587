/* The names of a run: in order, each once, whether they are members already or not. */
#include "cmocka_all.h"
#include "fixture.h"
#include "sync/names.h"

static void add(struct names *names, const char *name)
{
    struct domain domain;

    if (snapshot_find(names->snapshot, text_from(name), &domain))
        assert_int_equal(names_add_member(names, &domain), 0);
    else
        assert_int_equal(names_add(names, text_from(name)), 0);
}

static void assert_name(const struct names *names, size_t number, const char *expected)
{
    struct text name = names_text(names, &names->items[number]);

    assert_true(text_equals(name, text_from(expected)));
}

static void names_are_in_order_and_each_once(void **state)
{
    static const char *const added[] = {"b.example",          "a.example",   "cname.full.example",
                                        "a.example.org",      "b.example",   "a.exampl",
                                        "cname.full.example", "a-b.example", "direct.full.example"};
    static const char *const expected[] = {"a-b.example",        "a.exampl",  "a.example",
                                           "a.example.org",      "b.example", "cname.full.example",
                                           "direct.full.example"};
    CLEANUP(snapshot_unref_pointer) struct snapshot *snapshot = fixture_snapshot();
    CLEANUP(names_deinit) struct names names = {.snapshot = snapshot};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(added); i++)
        add(&names, added[i]);
    names_sort(&names);
    assert_int_equal(names.n, ARRAY_LENGTH(expected));
    for (size_t i = 0; i < names.n; i++) {
        assert_name(&names, i, expected[i]);
        assert_ptr_equal(names_find(&names, text_from(expected[i])), &names.items[i]);
        assert_int_equal(names.items[i].policy, NAMES_UNKNOWN);
    }
    assert_null(names_find(&names, TEXT("a.example.or")));
    assert_null(names_find(&names, TEXT("")));
    assert_null(names_find(&names, TEXT("z")));
}

static void without_names_there_is_nothing_to_find(void **state)
{
    CLEANUP(names_deinit) struct names names = {0};

    (void)state;
    names_sort(&names);
    assert_int_equal(names.n, 0);
    assert_null(names_find(&names, TEXT("a.example")));
}

static void any_policy_can_be_set(void **state)
{
    struct name_entry entry = {.at = 7, .member = 1};

    (void)state;
    names_set(&entry, 0);
    assert_int_equal(entry.policy, 0);
    names_set(&entry, NAMES_UNKNOWN - 1);
    assert_int_equal(entry.policy, NAMES_UNKNOWN - 1);
    names_set(&entry, NAMES_NONE);
    assert_int_equal(entry.policy, NAMES_NONE);
    assert_int_equal(entry.at, 7);
    assert_true(entry.member);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_in_order_and_each_once),
        cmocka_unit_test(without_names_there_is_nothing_to_find),
        cmocka_unit_test(any_policy_can_be_set),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
