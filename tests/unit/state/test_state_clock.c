/* The clock of the state, beside a clock that is set. */
#include "state/state_clock.h"

#include "cmocka_all.h"

enum { YEAR = 31557600, DAY = 86400, NOW = 1800000000, BOOT = 5000 };

/* Here all is in seconds. */
static int64_t begin(struct state_clock *clock, int64_t written, int64_t ahead, int64_t system)
{
    return state_clock_begin(clock, written, ahead, system * 1000, BOOT * INT64_C(1000));
}

static int64_t look(struct state_clock *clock, int64_t system, int64_t boot)
{
    return state_clock_look(clock, system * 1000, boot * 1000);
}

static int64_t time_at(const struct state_clock *clock, int64_t boot)
{
    return state_clock_time(clock, boot * 1000);
}

static void the_first_time_it_is_the_clock_of_the_system(void **state)
{
    struct state_clock clock;

    (void)state;
    assert_int_equal(begin(&clock, 0, 0, NOW), 0);
    assert_int_equal(clock.ahead, 0);
    assert_int_equal(time_at(&clock, BOOT + 7), NOW + 7);
}

static void while_it_runs_it_goes_on_whatever_the_system_says(void **state)
{
    struct state_clock clock;

    (void)state;
    begin(&clock, 0, 0, NOW);
    assert_int_equal(look(&clock, NOW + 5, BOOT + 5), 0);
    assert_int_equal(look(&clock, NOW + 10 + 3 * YEAR, BOOT + 10), 3 * YEAR);
    assert_int_equal(time_at(&clock, BOOT + 10), NOW + 10);
    assert_int_equal(clock.ahead, -3 * YEAR);
    assert_int_equal(look(&clock, NOW + 15 + 3 * YEAR, BOOT + 15), 0);
    assert_int_equal(time_at(&clock, BOOT + 20), NOW + 20);
    assert_int_equal(look(&clock, NOW + 25 - YEAR, BOOT + 25), -4 * YEAR);
    assert_int_equal(time_at(&clock, BOOT + 25), NOW + 25);
    assert_int_equal(clock.ahead, YEAR);
    assert_int_equal(look(&clock, NOW + 30, BOOT + 30), YEAR);
    assert_int_equal(clock.ahead, 0);
}

static void small_steps_of_the_system_are_followed(void **state)
{
    struct state_clock clock;

    (void)state;
    begin(&clock, 0, 0, NOW);
    assert_int_equal(look(&clock, NOW + 5 + 59, BOOT + 5), 0);
    assert_int_equal(time_at(&clock, BOOT + 5), NOW + 64);
    assert_int_equal(look(&clock, NOW + 10, BOOT + 10), 0);
    assert_int_equal(time_at(&clock, BOOT + 10), NOW + 10);
    assert_int_equal(look(&clock, NOW + 15 + 60, BOOT + 15), 60);
    assert_int_equal(clock.ahead, -60);
}

static void a_restart_within_a_day_is_believed(void **state)
{
    struct state_clock clock;

    (void)state;
    assert_int_equal(begin(&clock, NOW, 0, NOW + DAY), 0);
    assert_int_equal(time_at(&clock, BOOT), NOW + DAY);
    assert_int_equal(begin(&clock, NOW, 0, NOW - 2), 0);
    assert_int_equal(time_at(&clock, BOOT), NOW - 2);
    assert_int_equal(begin(&clock, NOW, -YEAR, NOW + YEAR + 100), 0);
    assert_int_equal(time_at(&clock, BOOT), NOW + 100);
    assert_int_equal(clock.ahead, -YEAR);
}

static void a_restart_that_took_years_or_less_than_nothing_took_no_time(void **state)
{
    struct state_clock clock;

    (void)state;
    assert_int_equal(begin(&clock, NOW, 0, NOW + 10 * (int64_t)YEAR), 10 * (int64_t)YEAR);
    assert_int_equal(time_at(&clock, BOOT), NOW);
    assert_int_equal(begin(&clock, NOW, 0, NOW + DAY + 1), DAY + 1);
    assert_int_equal(time_at(&clock, BOOT), NOW);
    assert_int_equal(begin(&clock, NOW, 0, 100), 100 - NOW);
    assert_int_equal(time_at(&clock, BOOT + 9), NOW + 9);
    assert_int_equal(clock.ahead, NOW - 100);
    /* The clock is set right a moment later. */
    assert_int_equal(look(&clock, NOW + 10, BOOT + 5), NOW - 95);
    assert_int_equal(time_at(&clock, BOOT + 5), NOW + 5);
    assert_int_equal(clock.ahead, -5);
}

static void its_seconds_begin_with_those_of_the_system(void **state)
{
    struct state_clock clock;

    (void)state;
    for (int64_t part = 0; part < 1000; part += 100) {
        const int64_t system = NOW * INT64_C(1000) + 950, boot = BOOT * INT64_C(1000) + part;

        state_clock_begin(&clock, 0, 0, system, boot);
        assert_int_equal(state_clock_time(&clock, boot + 49), NOW);
        assert_int_equal(state_clock_time(&clock, boot + 50), NOW + 1);
        assert_int_equal(state_clock_look(&clock, system + 50, boot + 50), 0);
        assert_int_equal(state_clock_time(&clock, boot + 1049), NOW + 1);
        assert_int_equal(state_clock_look(&clock, system + 100 - YEAR * INT64_C(1000), boot + 99),
                         -YEAR);
        assert_int_equal(state_clock_time(&clock, boot + 1048), NOW + 1);
        assert_int_equal(state_clock_time(&clock, boot + 1049), NOW + 2);
    }
    assert_int_equal(state_clock_begin(&clock, NOW, 0, 100999, 0), 100 - NOW);
    assert_int_equal(state_clock_time(&clock, 0), NOW);
    assert_int_equal(state_clock_time(&clock, 1), NOW + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_time_it_is_the_clock_of_the_system),
        cmocka_unit_test(while_it_runs_it_goes_on_whatever_the_system_says),
        cmocka_unit_test(small_steps_of_the_system_are_followed),
        cmocka_unit_test(a_restart_within_a_day_is_believed),
        cmocka_unit_test(a_restart_that_took_years_or_less_than_nothing_took_no_time),
        cmocka_unit_test(its_seconds_begin_with_those_of_the_system),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
