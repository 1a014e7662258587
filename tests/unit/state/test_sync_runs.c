#include "cmocka_all.h"
#include "state/sync_runs.h"
#include "temporary.h"

static void add_run(struct state *state, int64_t ended, bool refused)
{
    struct sync_run run = {.started = ended - 1,
                           .ended = ended,
                           .refused = refused,
                           .names = 4,
                           .members = 3,
                           .uncovered = 2,
                           .failed = 1};

    assert_int_equal(sync_runs_add(state, &run), 0);
}

static void assert_last(struct state *state, int64_t ended, bool refused, int64_t succeeded)
{
    struct sync_run run;
    int64_t found;

    assert_int_equal(sync_runs_last(state, &run, &found), 0);
    assert_int_equal(run.started, ended - 1);
    assert_int_equal(run.ended, ended);
    assert_int_equal(run.refused, refused);
    assert_int_equal(run.names, 4);
    assert_int_equal(run.members, 3);
    assert_int_equal(run.uncovered, 2);
    assert_int_equal(run.failed, 1);
    assert_int_equal(found, succeeded);
}

static void the_last_run_is_known_and_the_last_that_was_not_refused(void **state)
{
    struct state database;
    struct sync_run run;
    int64_t succeeded;

    (void)state;
    assert_int_equal(state_open(&database, ".", STATE_WRITE), 0);
    assert_int_equal(sync_runs_last(&database, &run, &succeeded), STATE_END);
    add_run(&database, 10, true);
    assert_last(&database, 10, true, 0);
    add_run(&database, 20, false);
    assert_last(&database, 20, false, 20);
    /* In one second, and after the clock was set back. */
    add_run(&database, 20, true);
    assert_last(&database, 20, true, 20);
    add_run(&database, 5, false);
    assert_last(&database, 5, false, 5);
    state_close(&database);
}

static void old_runs_are_forgotten_but_not_the_last_that_was_not_refused(void **state)
{
    struct state database;

    (void)state;
    assert_int_equal(state_open(&database, ".", STATE_WRITE), 0);
    add_run(&database, 1, false);
    for (int i = 2; i < SYNC_RUNS_MAX + 10; i++)
        add_run(&database, i, true);
    assert_last(&database, SYNC_RUNS_MAX + 9, true, 1);
    state_close(&database);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_run_is_known_and_the_last_that_was_not_refused),
        cmocka_unit_test(old_runs_are_forgotten_but_not_the_last_that_was_not_refused),
    };

    return cmocka_run_group_tests(tests, temporary_enter, temporary_leave);
}
