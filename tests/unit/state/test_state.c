#include "cmocka_all.h"
#include "state/verify_saving.h"
#include "temporary.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Tests run in an empty directory of their own, which is the state's. */
static int open_here(struct state *state, enum state_mode mode)
{
    return state_open(state, ".", mode);
}

static void add_run(struct state *state, int64_t ended)
{
    CLEANUP(verify_saving_free_pointer) struct verify_saving *saving = NULL;
    const struct verify_run run = {
        .started = ended - 1, .ended = ended, .domains = 6, .ok = 1, .warning = 2, .error = 3};

    assert_int_equal(verify_saving_new(state, &saving), 0);
    assert_int_equal(verify_saving_end(saving, &run, NULL, 0), 0);
}

static void overwrite(const char *path, off_t offset, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT, 0600);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, text, strlen(text), offset), strlen(text));
    close(fd);
}

static void a_missing_database_is_made_and_kept(void **state)
{
    struct verify_run run;
    struct state database;

    (void)state;
    assert_int_equal(open_here(&database, STATE_READ), STATE_FAILED);
    assert_string_not_equal(database.fault, "");
    state_close(&database);
    assert_int_equal(open_here(&database, STATE_WRITE), 0);
    assert_true(database.created);
    assert_int_equal(verify_runs_last(&database, &run), STATE_END);
    add_run(&database, 100);
    state_close(&database);

    assert_int_equal(open_here(&database, STATE_READ), 0);
    assert_false(database.created);
    assert_int_equal(verify_runs_last(&database, &run), 0);
    assert_int_equal(run.started, 99);
    assert_int_equal(run.ended, 100);
    assert_int_equal(run.domains, 6);
    assert_int_equal(run.ok, 1);
    assert_int_equal(run.warning, 2);
    assert_int_equal(run.error, 3);
    assert_int_equal(state_execute(&database, "DELETE FROM verify_runs"), STATE_FAILED);
    state_close(&database);
}

static void the_directory_may_be_a_link_but_not_the_database(void **state)
{
    struct state database;

    (void)state;
    assert_int_equal(mkdir("real", 0700), 0);
    assert_int_equal(symlink("real", "link"), 0);
    assert_int_equal(state_open(&database, "link", STATE_WRITE), 0);
    state_close(&database);
    assert_int_equal(access("real/state.db", F_OK), 0);
    assert_int_equal(rename("real/state.db", "real/other.db"), 0);
    assert_int_equal(symlink("other.db", "real/state.db"), 0);
    assert_int_equal(state_open(&database, "link", STATE_WRITE), STATE_FAILED);
    state_close(&database);
    assert_int_equal(state_open(&database, "nowhere", STATE_WRITE), STATE_FAILED);
    assert_string_equal(database.fault, "No such file or directory");
    state_close(&database);
}

static void one_at_rest_is_read_where_nothing_can_be_made_beside_it(void **state)
{
    static const char directory[] = "a ?b=%20#c\303\244";
    struct verify_run run;
    struct state database;

    (void)state;
    assert_int_equal(mkdir(directory, 0700), 0);
    assert_int_equal(state_open(&database, directory, STATE_WRITE), 0);
    add_run(&database, 100);
    state_close(&database);
    assert_int_equal(chdir(directory), 0);
    assert_int_equal(symlink("nowhere/at all", "state.db-shm"), 0);
    assert_int_equal(open_here(&database, STATE_READ), 0);
    assert_int_equal(verify_runs_last(&database, &run), 0);
    assert_int_equal(run.ended, 100);
    state_close(&database);
    /* With something in its log it is not all there. */
    overwrite("state.db-wal", 0, "something");
    assert_int_equal(open_here(&database, STATE_READ), STATE_FAILED);
    state_close(&database);
    assert_int_equal(chdir(".."), 0);
}

static void a_damaged_database_is_set_aside(void **state)
{
    struct state database;

    (void)state;
    unlink("state.db");
    overwrite("state.db", 0, "this is no database, and was never meant to be one, but it is long");
    assert_int_equal(open_here(&database, STATE_WRITE), 0);
    assert_true(database.created);
    assert_string_not_equal(database.set_aside, "");
    assert_int_equal(access(database.set_aside, F_OK), 0);
    state_close(&database);
    assert_int_equal(open_here(&database, STATE_WRITE), 0);
    assert_string_equal(database.set_aside, "");
    state_close(&database);
}

static void a_database_of_a_later_version_is_left_alone(void **state)
{
    struct state database;

    (void)state;
    assert_int_equal(open_here(&database, STATE_WRITE), 0);
    assert_int_equal(state_execute(&database, "PRAGMA user_version = 1000"), 0);
    state_close(&database);
    assert_int_equal(open_here(&database, STATE_WRITE), STATE_FAILED);
    assert_non_null(strstr(database.fault, "version 1000"));
    assert_string_equal(database.set_aside, "");
    state_close(&database);
    unlink("state.db");
}

/* Makes the database one of version 1, which had what verify found as a text. */
static void make_version_1(struct state *state)
{
    static const char statements[] =
        "DROP TABLE service; DROP TABLE catalogs; DROP TABLE policies; DROP TABLE bodies;"
        "DROP TABLE sums; DROP TABLE domains; DROP TABLE notified; DROP TABLE sync_runs;"
        "DROP TABLE verify_runs; DROP TABLE verify_checks; DROP TABLE findings;"
        "DROP TABLE finding_domains; DROP TABLE verified_policies; DROP TABLE verified_domains;"
        "CREATE TABLE verify_runs (ended INTEGER PRIMARY KEY, started INTEGER NOT NULL,"
        " domains INTEGER NOT NULL, ok INTEGER NOT NULL, warning INTEGER NOT NULL,"
        " error INTEGER NOT NULL) STRICT;"
        "CREATE TABLE verify_report (id INTEGER PRIMARY KEY CHECK (id = 1),"
        " report TEXT NOT NULL) STRICT;"
        "INSERT INTO verify_runs VALUES (200, 199, 6, 1, 2, 3), (100, 99, 3, 2, 1, 0);"
        "INSERT INTO verify_report VALUES (1, '{}'); PRAGMA user_version = 1";

    assert_int_equal(state_execute(state, statements), 0);
}

static void one_of_an_earlier_version_is_brought_up_by_who_may_write(void **state)
{
    struct verify_run runs[VERIFY_RUNS_MAX];
    struct state database;
    struct stat status;
    size_t n;

    (void)state;
    assert_int_equal(open_here(&database, STATE_WRITE), 0);
    make_version_1(&database);
    state_close(&database);
    assert_int_equal(chmod("state.db", 0644), 0);
    assert_int_equal(open_here(&database, STATE_READ), STATE_FAILED);
    assert_non_null(strstr(database.fault, "version 1"));
    state_close(&database);
    assert_int_equal(open_here(&database, STATE_WRITE), 0);
    assert_false(database.created);
    /* It gets a secret. */
    assert_int_equal(stat("state.db", &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);
    state_close(&database);
    assert_int_equal(open_here(&database, STATE_READ), 0);
    assert_int_equal(verify_runs_read(&database, runs, &n), 0);
    assert_int_equal(n, 2);
    assert_int_equal(runs[0].ended, 100);
    assert_int_equal(runs[0].domains, 3);
    assert_int_equal(runs[1].started, 199);
    assert_int_equal(runs[1].error, 3);
    assert_int_equal(runs[1].causes, 0);
    state_close(&database);
    unlink("state.db");
}

/* A command that reads while the service writes would else find a domain in neither of two tables.
 */
static void a_reader_sees_the_state_as_it_was_opened(void **state)
{
    static const enum state_mode modes[] = {STATE_READ, STATE_GLANCE};
    CLEANUP(state_close) struct state writer = STATE_INIT;

    (void)state;
    assert_int_equal(open_here(&writer, STATE_WRITE), 0);
    add_run(&writer, 100);
    for (size_t i = 0; i < ARRAY_LENGTH(modes); i++) {
        CLEANUP(state_close) struct state reader = STATE_INIT;
        struct verify_run before, run;

        assert_int_equal(verify_runs_last(&writer, &before), 0);
        assert_int_equal(open_here(&reader, modes[i]), 0);
        add_run(&writer, before.ended + 100);
        assert_int_equal(verify_runs_last(&reader, &run), 0);
        assert_int_equal(run.ended, before.ended);
    }
}

static void a_directory_that_is_missing_is_a_fault(void **state)
{
    struct state database;

    (void)state;
    assert_int_equal(state_open(&database, "/nonexistent", STATE_WRITE), STATE_FAILED);
    assert_string_not_equal(database.fault, "");
    state_close(&database);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_missing_database_is_made_and_kept),
        cmocka_unit_test(the_directory_may_be_a_link_but_not_the_database),
        cmocka_unit_test(one_at_rest_is_read_where_nothing_can_be_made_beside_it),
        cmocka_unit_test(a_damaged_database_is_set_aside),
        cmocka_unit_test(a_database_of_a_later_version_is_left_alone),
        cmocka_unit_test(one_of_an_earlier_version_is_brought_up_by_who_may_write),
        cmocka_unit_test(a_reader_sees_the_state_as_it_was_opened),
        cmocka_unit_test(a_directory_that_is_missing_is_a_fault),
    };

    return cmocka_run_group_tests(tests, temporary_enter, temporary_leave);
}
