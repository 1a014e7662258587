#include "cmocka_all.h"
#include "snapshot/marks.h"

static void assert_kept(const uint64_t *marks, size_t n, size_t n_runs)
{
    CLEANUP(marks_deinit) struct marks kept = MARKS_INIT;

    for (size_t i = 0; i < n; i++)
        assert_int_equal(marks_add(&kept, marks[i]), 0);
    assert_int_equal(kept.n, n);
    assert_int_equal(kept.n_runs, n_runs);
    for (size_t i = 0; i < n; i++)
        assert_true(marks_get(&kept, (uint32_t)i) == marks[i]);
}

static void marks_of_one_step_are_one_run(void **state)
{
    const uint64_t up[] = {7, 10, 13, 16}, same[] = {5, 5, 5},
                   down[] = {9, 6, 3, 0, UINT64_MAX - 2};

    (void)state;
    assert_kept(up, ARRAY_LENGTH(up), 1);
    assert_kept(same, ARRAY_LENGTH(same), 1);
    assert_kept(down, ARRAY_LENGTH(down), 1);
}

static void any_marks_are_kept_in_their_order(void **state)
{
    const uint64_t marks[] = {1, 2, 3, 100, 50, 0, UINT64_MAX, 7, 7, 8, 9, 10};

    (void)state;
    for (size_t n = 1; n <= ARRAY_LENGTH(marks); n++) {
        CLEANUP(marks_deinit) struct marks kept = MARKS_INIT;

        for (size_t i = 0; i < n; i++)
            assert_int_equal(marks_add(&kept, marks[i]), 0);
        for (size_t i = 0; i < n; i++)
            assert_true(marks_get(&kept, (uint32_t)i) == marks[i]);
    }
}

static void marks_in_no_order_share_runs_by_two(void **state)
{
    enum { MANY = 10000 };
    CLEANUP(marks_deinit) struct marks kept = MARKS_INIT;
    uint64_t random = 1;

    (void)state;
    for (uint32_t i = 0; i < MANY; i++, random = random * 6364136223846793005 + 1442695040888963407)
        assert_int_equal(marks_add(&kept, random), 0);
    assert_int_equal(kept.n_runs, MANY / 2);
    random = 1;
    for (uint32_t i = 0; i < MANY; i++, random = random * 6364136223846793005 + 1442695040888963407)
        assert_true(marks_get(&kept, i) == random);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marks_of_one_step_are_one_run),
        cmocka_unit_test(any_marks_are_kept_in_their_order),
        cmocka_unit_test(marks_in_no_order_share_runs_by_two),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
