/* Counting: places, sums and buckets. */
#include "admin/counters.h"
#include "admin/metrics.h"
#include "cmocka_all.h"

#include <stdio.h>

static void counters_have_cache_lines_of_their_own(void **state)
{
    struct counters *one = counters_new(), *other = counters_new();

    (void)state;
    assert_int_equal((uintptr_t)one % COUNTERS_ALIGNMENT, 0);
    assert_int_equal((uintptr_t)other % COUNTERS_ALIGNMENT, 0);
    free(one);
    free(other);
}

static void every_method_has_a_number_and_a_name(void **state)
{
    size_t n = 0;

    (void)state;
    assert_string_equal(method_name(method_number(NULL)), "none");
    while (method_name(++n)) {
        const struct method *method = method_find(text_from(method_name(n)));

        assert_non_null(method);
        assert_int_equal(method_number(method), n);
    }
    assert_in_range(n, 20, METHOD_COUNT_MAX);
}

static void an_answer_time_counts_in_the_first_bucket_that_holds_it(void **state)
{
    struct stream_counters counters = {0};
    uint64_t sum = 0;

    (void)state;
    for (size_t i = 0; i < ANSWER_BOUNDS; i++) {
        stream_count_answer(&counters, stream_answer_bounds[i]);
        stream_count_answer(&counters, stream_answer_bounds[i] + 1);
        sum += 2 * stream_answer_bounds[i] + 1;
    }
    assert_int_equal(counter_read(&counters.answers[0]), 1);
    for (size_t i = 1; i < ANSWER_BOUNDS; i++)
        assert_int_equal(counter_read(&counters.answers[i]), 2);
    assert_int_equal(counter_read(&counters.answers[ANSWER_BOUNDS]), 1);
    assert_int_equal(counter_read(&counters.answer_nanoseconds), sum);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_have_cache_lines_of_their_own),
        cmocka_unit_test(every_method_has_a_number_and_a_name),
        cmocka_unit_test(an_answer_time_counts_in_the_first_bucket_that_holds_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
