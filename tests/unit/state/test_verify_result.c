#include "base/buffer.h"
#include "cmocka_all.h"
#include "failing_malloc.h"
#include "state/verify_correction.h"
#include "temporary.h"

#include <malloc.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>

/* The checks of the tests. */
static const struct verify_check checks[] = {
    {"txt", "Mend the record.", "dig _mta-sts.%d TXT"},
    {"mx", "Mend %d.", "dig %d MX; dig %d A"},
};

/* A text in the initializer of something static. */
#define LITERAL(TEXT)                                                                              \
    {                                                                                              \
        (TEXT), sizeof(TEXT) - 1                                                                   \
    }

static const struct verify_finding wide = {.check = LITERAL("mx"),
                                           .error = true,
                                           .found = LITERAL("no MX"),
                                           .expected = LITERAL("an MX"),
                                           .n_domains = 6};
static const struct verify_finding narrow = {.check = LITERAL("txt"),
                                             .error = true,
                                             .found = LITERAL("'two'"),
                                             .expected = LITERAL("one"),
                                             .n_domains = 1};
static const struct verify_finding warning = {.check = LITERAL("mx"),
                                              .found = LITERAL("unused"),
                                              .expected = LITERAL("used"),
                                              .n_domains = 7,
                                              .of_all = true};

static struct state opened(enum state_mode mode)
{
    struct state state;

    assert_int_equal(state_open(&state, ".", mode), 0);
    return state;
}

static void add_finding(struct verify_saving *saving, const struct verify_finding *finding,
                        char first)
{
    assert_int_equal(verify_saving_add_finding(saving, finding), 0);
    for (char c = first; c < first + finding->n_domains; c++) {
        const char name[] = {c, '.', 'e', 'x'};

        assert_int_equal(verify_saving_add_to_finding(saving, text_of(name, sizeof(name))), 0);
    }
}

/* Adds the domains a to i: a to f with the wide finding, f with the narrow one too, b to h with the
 * warning, i without any; a to d are of one policy, the others of another one. */
static void add_result(struct verify_saving *saving)
{
    const struct verify_counts first = {.error = 4}, second = {.ok = 1, .warning = 2, .error = 2};

    assert_int_equal(verify_saving_add_policy(saving, 7, TEXT("first.example"), &first), 0);
    assert_int_equal(verify_saving_add_policy(saving, 5, TEXT("second.example"), &second), 0);
    assert_int_equal(
        verify_saving_add_policy(saving, 6, TEXT("empty.example"), &(struct verify_counts){0}), 0);
    for (char c = 'a'; c <= 'i'; c++) {
        const char name[] = {c, '.', 'e', 'x'};

        assert_int_equal(verify_saving_add_domain(saving, text_of(name, sizeof(name)),
                                                  c <= 'd' ? 7 : 5,
                                                  c <= 'f'   ? VERIFY_ERROR
                                                  : c <= 'h' ? VERIFY_WARNING
                                                             : VERIFY_OK),
                         0);
    }
    add_finding(saving, &narrow, 'f');
    add_finding(saving, &wide, 'a');
    add_finding(saving, &warning, 'b');
}

static void save_result(struct state *state, int64_t ended)
{
    CLEANUP(verify_saving_free_pointer) struct verify_saving *saving = NULL;
    const struct verify_run run = {
        .started = ended - 10, .ended = ended, .domains = 9, .ok = 1, .warning = 2, .error = 6};

    assert_int_equal(verify_saving_new(state, &saving), 0);
    add_result(saving);
    assert_int_equal(verify_saving_end(saving, &run, checks, ARRAY_LENGTH(checks)), 0);
}

/* Saves a run that found nothing of one domain. */
static void save_clean(struct state *state, int64_t ended)
{
    CLEANUP(verify_saving_free_pointer) struct verify_saving *saving = NULL;
    const struct verify_run run = {.started = ended, .ended = ended, .domains = 1, .ok = 1};

    assert_int_equal(verify_saving_new(state, &saving), 0);
    assert_int_equal(verify_saving_add_policy(saving, 0, TEXT("first.example"),
                                              &(struct verify_counts){1, 0, 0}),
                     0);
    assert_int_equal(verify_saving_add_domain(saving, TEXT("a.ex"), 0, VERIFY_OK), 0);
    assert_int_equal(verify_saving_end(saving, &run, checks, ARRAY_LENGTH(checks)), 0);
}

/* Writes a finding as a line. */
static int print_finding(const struct verify_finding *finding, void *context)
{
    struct buffer *out = context;
    const struct text texts[] = {finding->check,  finding->found,   finding->expected,
                                 finding->remedy, finding->command, finding->first};

    buffer_printf(out, "%c%lld%s", finding->error ? 'E' : 'W', (long long)finding->n_domains,
                  finding->of_all ? "*" : "");
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        buffer_add_string(out, "|");
        buffer_add_text(out, texts[i]);
    }
    buffer_add_string(out, "\n");
    return 0;
}

#define WIDE    "E6|mx|no MX|an MX|Mend %d.|dig a.ex MX; dig a.ex A|a.ex b.ex c.ex d.ex e.ex\n"
#define NARROW  "E1|txt|'two'|one|Mend the record.|dig _mta-sts.f.ex TXT|f.ex\n"
#define WARNING "W7*|mx|unused|used|Mend %d.|dig b.ex MX; dig b.ex A|b.ex c.ex d.ex e.ex f.ex\n"

static void assert_findings(struct state *state, size_t max, const char *expected)
{
    CLEANUP(buffer_deinit) struct buffer found = BUFFER_INIT;

    assert_int_equal(verify_result_each(state, max, print_finding, &found), 0);
    assert_string_equal(buffer_string(&found), expected);
}

static void assert_findings_of(struct state *state, const char *domain, const char *expected)
{
    CLEANUP(buffer_deinit) struct buffer found = BUFFER_INIT;

    assert_int_equal(verify_result_each_of(state, text_from(domain), print_finding, &found), 0);
    assert_string_equal(buffer_string(&found), expected);
}

static void assert_counts(struct state *state, const char *policy, int64_t ok, int64_t warnings,
                          int64_t errors)
{
    struct verify_counts counts;

    assert_int_equal(verify_result_of_policy(state, text_from(policy), &counts), 0);
    assert_int_equal(counts.ok, ok);
    assert_int_equal(counts.warning, warnings);
    assert_int_equal(counts.error, errors);
}

static void assert_run(struct state *state, int64_t ended, int64_t ok, int64_t warnings,
                       int64_t errors, int64_t causes)
{
    struct verify_run run;

    assert_int_equal(verify_runs_last(state, &run), 0);
    assert_int_equal(run.ended, ended);
    assert_int_equal(run.domains, ok + warnings + errors);
    assert_int_equal(run.ok, ok);
    assert_int_equal(run.warning, warnings);
    assert_int_equal(run.error, errors);
    assert_int_equal(run.causes, causes);
}

/* A number that a query gives. */
static int64_t number_of_query(struct state *state, const char *sql)
{
    CLEANUP(state_finish) struct sqlite3_stmt *row = NULL;

    assert_int_equal(state_prepare(state, sql, &row), 0);
    assert_int_equal(state_step(state, row), 0);
    return state_number(row, 0);
}

#define ROWS                                                                                       \
    "SELECT (SELECT count(*) FROM findings) + (SELECT count(*) FROM finding_domains)"              \
    " + (SELECT count(*) FROM verified_domains) + (SELECT count(*) FROM verified_policies)"

static void an_empty_state_has_no_result(void **state)
{
    CLEANUP(state_close) struct state database = opened(STATE_WRITE);
    struct verify_run runs[VERIFY_RUNS_MAX];
    struct verify_counts counts;
    int64_t when;
    size_t n = 1;

    (void)state;
    assert_int_equal(verify_runs_last(&database, runs), STATE_END);
    assert_int_equal(verify_runs_read(&database, runs, &n), 0);
    assert_int_equal(n, 0);
    assert_findings(&database, 20, "");
    assert_findings_of(&database, "a.ex", "");
    assert_int_equal(verify_result_looked_at(&database, TEXT("a.ex"), &when), STATE_END);
    assert_int_equal(verify_result_of_policy(&database, TEXT("first.example"), &counts), STATE_END);
}

static void what_was_saved_is_read_back(void **state)
{
    CLEANUP(state_close) struct state database = opened(STATE_WRITE);
    struct verify_counts counts;
    int64_t when;

    (void)state;
    save_result(&database, 100);
    assert_run(&database, 100, 1, 2, 6, 3);
    assert_findings(&database, 20, WIDE NARROW WARNING);
    assert_findings(&database, 2, WIDE NARROW);
    assert_findings_of(&database, "f.ex",
                       "E6|mx|no MX|an MX|Mend %d.|dig f.ex MX; dig f.ex A|\n"
                       "E1|txt|'two'|one|Mend the record.|dig _mta-sts.f.ex TXT|\n"
                       "W7*|mx|unused|used|Mend %d.|dig f.ex MX; dig f.ex A|\n");
    assert_findings_of(&database, "i.ex", "");
    assert_findings_of(&database, "j.ex", "");
    assert_int_equal(verify_result_looked_at(&database, TEXT("i.ex"), &when), 0);
    assert_int_equal(when, 100);
    assert_int_equal(verify_result_looked_at(&database, TEXT("j.ex"), &when), STATE_END);
    assert_counts(&database, "first.example", 0, 0, 4);
    assert_counts(&database, "second.example", 1, 2, 2);
    assert_int_equal(verify_result_of_policy(&database, TEXT("empty.example"), &counts), STATE_END);
    assert_int_equal(verify_result_of_policy(&database, TEXT("other.example"), &counts), STATE_END);
}

static int stop_at_second(const struct verify_finding *finding, void *context)
{
    int *n = context;

    (void)finding;
    return ++*n == 2 ? 42 : 0;
}

static void a_visitor_can_end_the_visit(void **state)
{
    CLEANUP(state_close) struct state database = opened(STATE_WRITE);
    int n = 0;

    (void)state;
    save_result(&database, 100);
    assert_int_equal(verify_result_each(&database, 20, stop_at_second, &n), 42);
    assert_int_equal(n, 2);
}

/* The number of a finding of a domain that has no other. */
static int note_number(const struct verify_finding *finding, void *context)
{
    *(int64_t *)context = finding->number;
    return 0;
}

static int64_t number_of_finding(struct state *state, const char *domain)
{
    int64_t number = -1;

    assert_int_equal(verify_result_each_of(state, text_from(domain), note_number, &number), 0);
    return number;
}

static void assert_finding(struct state *state, int64_t number, const char *expected)
{
    CLEANUP(buffer_deinit) struct buffer found = BUFFER_INIT;

    assert_int_equal(verify_result_finding(state, number, print_finding, &found), 0);
    assert_string_equal(buffer_string(&found), expected);
}

static int print_domain(struct text domain, void *context)
{
    struct buffer *out = context;

    buffer_add_text(out, domain);
    buffer_add_string(out, " ");
    return 0;
}

static void assert_domains(struct state *state, int64_t number, const char *from, size_t max,
                           const char *expected)
{
    CLEANUP(buffer_deinit) struct buffer found = BUFFER_INIT;

    assert_int_equal(
        verify_result_each_domain(state, number, text_from(from), max, print_domain, &found), 0);
    assert_string_equal(buffer_string(&found), expected);
}

static void the_domains_of_a_finding_are_read_from_a_name_on(void **state)
{
    CLEANUP(state_close) struct state database = opened(STATE_WRITE);
    int64_t number;

    (void)state;
    assert_finding(&database, 0, "");
    save_result(&database, 100);
    number = number_of_finding(&database, "a.ex");
    assert_finding(&database, number, "E6|mx|no MX|an MX|Mend %d.|dig a.ex MX; dig a.ex A|\n");
    assert_domains(&database, number, "", 50, "a.ex b.ex c.ex d.ex e.ex f.ex ");
    assert_domains(&database, number, "", 2, "a.ex b.ex ");
    assert_domains(&database, number, "c.ex", 2, "c.ex d.ex ");
    assert_domains(&database, number, "c.exa", 2, "d.ex e.ex ");
    assert_domains(&database, number, "x", 2, "");
    assert_finding(&database, 3, "");
    assert_domains(&database, 3, "", 50, "");
    save_clean(&database, 200);
    assert_finding(&database, number, "");
    assert_domains(&database, number, "", 50, "");
}

static void a_run_takes_the_place_of_the_one_before_whatever_the_clock_says(void **state)
{
    CLEANUP(state_close) struct state database = opened(STATE_WRITE);
    struct verify_run runs[VERIFY_RUNS_MAX];
    size_t n;

    (void)state;
    save_result(&database, 200);
    save_clean(&database, 200);
    assert_run(&database, 200, 1, 0, 0, 0);
    save_result(&database, 100);
    assert_run(&database, 100, 1, 2, 6, 3);
    save_clean(&database, 50);
    assert_run(&database, 50, 1, 0, 0, 0);
    assert_findings(&database, 20, "");
    assert_findings_of(&database, "f.ex", "");
    assert_counts(&database, "first.example", 1, 0, 0);
    assert_int_equal(number_of_query(&database, ROWS), 2);
    assert_int_equal(verify_runs_read(&database, runs, &n), 0);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(runs[i].ended, ((int64_t[]){50, 100, 200, 200})[i]);
}

static void the_last_runs_are_kept(void **state)
{
    CLEANUP(state_close) struct state database = opened(STATE_WRITE);
    struct verify_run runs[VERIFY_RUNS_MAX];
    size_t n;

    (void)state;
    for (int64_t i = 1; i <= VERIFY_RUNS_MAX + 3; i++)
        save_clean(&database, 1000 + i);
    assert_int_equal(verify_runs_read(&database, runs, &n), 0);
    assert_int_equal(n, VERIFY_RUNS_MAX);
    assert_int_equal(runs[0].ended, 1004);
    assert_int_equal(runs[n - 1].ended, 1000 + VERIFY_RUNS_MAX + 3);
}

static void one_that_did_not_end_leaves_what_was_saved(void **state)
{
    CLEANUP(state_close) struct state database = opened(STATE_WRITE);
    struct verify_saving *saving;
    int64_t rows;

    (void)state;
    save_result(&database, 100);
    rows = number_of_query(&database, ROWS);
    assert_int_equal(verify_saving_new(&database, &saving), 0);
    assert_int_equal(verify_saving_add_domain(saving, TEXT("a.ex"), 0, VERIFY_OK), 0);
    verify_saving_free(saving);
    assert_findings(&database, 20, WIDE NARROW WARNING);
    /* What was written by a process that died. */
    assert_int_equal(state_execute(&database,
                                   "INSERT INTO verified_domains SELECT run + 1, domain, policy,"
                                   " worst, ended FROM verified_domains;"
                                   "INSERT INTO finding_domains SELECT run + 1, finding, domain"
                                   " FROM finding_domains;"
                                   "INSERT INTO findings SELECT run + 1, number, check_name, error,"
                                   " found, expected, n_domains, of_all FROM findings;"
                                   "INSERT INTO verified_policies SELECT run + 1, number, policy,"
                                   " ok, warning, error FROM verified_policies"),
                     0);
    assert_int_equal(number_of_query(&database, ROWS), 2 * rows);
    assert_findings(&database, 20, WIDE NARROW WARNING);
    assert_run(&database, 100, 1, 2, 6, 3);
    save_result(&database, 200);
    assert_int_equal(number_of_query(&database, ROWS), rows);
    assert_run(&database, 200, 1, 2, 6, 3);
}

static void a_reader_sees_one_result_whole(void **state)
{
    CLEANUP(state_close) struct state database = opened(STATE_WRITE), reader = STATE_INIT;

    (void)state;
    save_result(&database, 100);
    reader = opened(STATE_READ);
    save_clean(&database, 200);
    assert_run(&reader, 100, 1, 2, 6, 3);
    assert_findings(&reader, 20, WIDE NARROW WARNING);
    assert_counts(&reader, "second.example", 1, 2, 2);
    state_close(&reader);
    reader = opened(STATE_READ);
    assert_run(&reader, 200, 1, 0, 0, 0);
    assert_findings(&reader, 20, "");
}

/* Corrects the last run with what was found of a domain. */
static void correct(struct state *state, const char *domain, const char *primary,
                    const struct verify_finding *findings, size_t n, size_t first_check)
{
    CLEANUP(verify_correction_free_pointer) struct verify_correction *correction = NULL;

    assert_int_equal(verify_correction_new(state, 500, checks + first_check,
                                           ARRAY_LENGTH(checks) - first_check, &correction),
                     0);
    assert_int_equal(
        verify_correction_add(correction, text_from(domain), text_from(primary), findings, n), 0);
    assert_int_equal(verify_correction_end(correction), 0);
}

static void a_correction_leaves_other_domains_and_the_time_of_the_run(void **state)
{
    CLEANUP(state_close) struct state database = opened(STATE_WRITE);
    int64_t when;

    (void)state;
    save_result(&database, 100);
    correct(&database, "a.ex", "first.example", NULL, 0, 0);
    assert_run(&database, 100, 2, 2, 5, 3);
    assert_counts(&database, "first.example", 1, 0, 3);
    assert_findings(
        &database, 1,
        "E5|mx|no MX|an MX|Mend %d.|dig b.ex MX; dig b.ex A|b.ex c.ex d.ex e.ex f.ex\n");
    assert_findings_of(&database, "a.ex", "");
    assert_int_equal(verify_result_looked_at(&database, TEXT("a.ex"), &when), 0);
    assert_int_equal(when, 500);
    assert_int_equal(verify_result_looked_at(&database, TEXT("b.ex"), &when), 0);
    assert_int_equal(when, 100);
}

static void a_correction_adds_findings_to_those_that_are_there(void **state)
{
    struct verify_finding found[] = {wide, wide};
    CLEANUP(state_close) struct state database = opened(STATE_WRITE);

    (void)state;
    found[1].error = false;
    save_result(&database, 100);
    correct(&database, "i.ex", "second.example", found, ARRAY_LENGTH(found), 0);
    assert_run(&database, 100, 0, 2, 7, 4);
    assert_counts(&database, "second.example", 0, 2, 3);
    assert_findings_of(&database, "i.ex",
                       "E7|mx|no MX|an MX|Mend %d.|dig i.ex MX; dig i.ex A|\n"
                       "W1|mx|no MX|an MX|Mend %d.|dig i.ex MX; dig i.ex A|\n");
}

static void a_correction_forgets_what_no_domain_has_any_more(void **state)
{
    CLEANUP(state_close) struct state database = opened(STATE_WRITE);

    (void)state;
    save_result(&database, 100);
    correct(&database, "f.ex", "second.example", &wide, 1, 0);
    assert_run(&database, 100, 1, 2, 6, 2);
    assert_findings(&database, 20, WIDE WARNING);
}

static void a_finding_keeps_its_number_for_itself_while_its_run_is_the_last(void **state)
{
    CLEANUP(state_close) struct state database = opened(STATE_WRITE);
    struct verify_finding other = narrow;
    int64_t first, second;

    (void)state;
    other.found = TEXT("three");
    save_clean(&database, 100);
    correct(&database, "a.ex", "first.example", &narrow, 1, 0);
    first = number_of_finding(&database, "a.ex");
    correct(&database, "a.ex", "first.example", &other, 1, 0);
    second = number_of_finding(&database, "a.ex");
    assert_int_not_equal(first, second);
    assert_finding(&database, first, "");
    correct(&database, "a.ex", "first.example", &narrow, 1, 0);
    assert_int_equal(number_of_finding(&database, "a.ex"), first);
    assert_finding(&database, second, "");
    assert_run(&database, 100, 0, 0, 1, 1);
}

static void a_correction_leaves_what_it_cannot_find(void **state)
{
    CLEANUP(state_close) struct state database = opened(STATE_WRITE);

    (void)state;
    save_result(&database, 100);
    /* The check txt was not made, and the warning is one of all domains. */
    correct(&database, "f.ex", "second.example", NULL, 0, 1);
    assert_run(&database, 100, 1, 2, 6, 3);
    assert_findings_of(&database, "f.ex",
                       "E1|txt|'two'|one|Mend the record.|dig _mta-sts.f.ex TXT|\n"
                       "W7*|mx|unused|used|Mend %d.|dig f.ex MX; dig f.ex A|\n");
    correct(&database, "f.ex", "second.example", NULL, 0, 0);
    assert_run(&database, 100, 1, 3, 5, 2);
    assert_counts(&database, "second.example", 1, 3, 1);
}

static void a_correction_knows_new_domains_and_policies(void **state)
{
    CLEANUP(state_close) struct state database = opened(STATE_WRITE);

    (void)state;
    save_result(&database, 100);
    correct(&database, "new.ex", "first.example", &narrow, 1, 0);
    assert_run(&database, 100, 1, 2, 7, 3);
    assert_counts(&database, "first.example", 0, 0, 5);
    correct(&database, "new.ex", "new.example", NULL, 0, 0);
    assert_run(&database, 100, 2, 2, 6, 3);
    assert_counts(&database, "first.example", 0, 0, 4);
    assert_counts(&database, "new.example", 1, 0, 0);
}

static void there_is_nothing_to_correct_before_the_first_run(void **state)
{
    CLEANUP(state_close) struct state database = opened(STATE_WRITE);
    struct verify_correction *correction = NULL;

    (void)state;
    assert_int_equal(
        verify_correction_new(&database, 500, checks, ARRAY_LENGTH(checks), &correction),
        STATE_END);
    assert_null(correction);
    assert_int_equal(state_execute(&database, "PRAGMA user_version"), 0);
}

static void a_correction_that_does_not_end_changes_nothing(void **state)
{
    CLEANUP(state_close) struct state database = opened(STATE_WRITE);
    struct verify_correction *correction;

    (void)state;
    save_result(&database, 100);
    assert_int_equal(
        verify_correction_new(&database, 500, checks, ARRAY_LENGTH(checks), &correction), 0);
    assert_int_equal(verify_correction_add(correction, TEXT("a.ex"), TEXT("x"), NULL, 0), 0);
    verify_correction_free(correction);
    assert_run(&database, 100, 1, 2, 6, 3);
    assert_findings(&database, 20, WIDE NARROW WARNING);
}

/* What another process writes, again and again. */
struct writer {
    atomic_bool ending;
    atomic_size_t n;
    int r;
};

static void *write_on(void *argument)
{
    struct writer *writer = argument;
    struct state state;

    writer->r = state_open(&state, ".", STATE_WRITE);
    while (writer->r == 0 && !writer->ending) {
        writer->r = state_begin(&state);
        if (writer->r == 0)
            writer->r = state_end(&state, state_execute(&state, "INSERT OR REPLACE INTO notified"
                                                                " VALUES (1, 1)"));
        writer->n++;
        sqlite3_sleep(1);
    }
    state_close(&state);
    return NULL;
}

/* Adds domains with a finding until another one has written a few times. */
static void add_until_others_have_written(struct verify_saving *saving, struct writer *writer)
{
    enum { DOMAINS_MAX = 1000000, TIMES = 3 };
    size_t before = writer->n;

    assert_int_equal(verify_saving_add_finding(saving, &wide), 0);
    for (int i = 0; i < DOMAINS_MAX && writer->n < before + TIMES; i++) {
        char name[16];
        int length = snprintf(name, sizeof(name), "%08d.ex", i);
        struct text domain = text_of(name, (size_t)length);

        assert_int_equal(verify_saving_add_domain(saving, domain, 0, VERIFY_ERROR), 0);
        assert_int_equal(verify_saving_add_to_finding(saving, domain), 0);
    }
    assert_true(writer->n >= before + TIMES);
}

static void others_write_while_a_large_result_is_saved(void **state)
{
    CLEANUP(state_close) struct state database = opened(STATE_WRITE);
    struct verify_saving *saving;
    struct writer writer = {.r = -1};
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, write_on, &writer), 0);
    assert_int_equal(verify_saving_new(&database, &saving), 0);
    add_until_others_have_written(saving, &writer);
    assert_int_equal(verify_saving_end(saving, &(struct verify_run){.ended = 300}, NULL, 0), 0);
    verify_saving_free(saving);
    writer.ending = true;
    pthread_join(thread, NULL);
    assert_int_equal(writer.r, 0);
    save_clean(&database, 400);
    assert_int_equal(number_of_query(&database, ROWS), 2);
}

/* Saves a result, or corrects it, while memory may run out. */
static int try_to_save(bool whole)
{
    CLEANUP(state_close) struct state state = STATE_INIT;
    CLEANUP(verify_saving_free_pointer) struct verify_saving *saving = NULL;
    CLEANUP(verify_correction_free_pointer) struct verify_correction *correction = NULL;
    const struct verify_run run = {.ended = 200, .domains = 1, .error = 1};
    int r = state_open(&state, ".", STATE_WRITE);

    if (r)
        return r;
    r = whole ? verify_saving_new(&state, &saving)
              : verify_correction_new(&state, 500, checks, ARRAY_LENGTH(checks), &correction);
    if (r)
        return r;
    r = whole ? verify_saving_add_finding(saving, &narrow)
              : verify_correction_add(correction, TEXT("a.ex"), TEXT("x.example"), &narrow, 1);
    if (r)
        return r;
    r = whole ? verify_saving_add_to_finding(saving, TEXT("f.ex")) : 0;
    if (r)
        return r;
    return whole ? verify_saving_end(saving, &run, checks, ARRAY_LENGTH(checks))
                 : verify_correction_end(correction);
}

/* Fails each allocation, ours and SQLite's, which can do without some. */
static void fail_each(bool whole, int64_t ended, const char *after)
{
    CLEANUP(state_close) struct state database = opened(STATE_WRITE);

    save_result(&database, 100);
    for (size_t n = 0, saved = 0; saved < 2; n++) {
        bool failed;
        int r;

        failing_malloc_after(n);
        r = try_to_save(whole);
        failed = failing_malloc_end();
        assert_true(r == 0 || failed);
        assert_findings(&database, 20, r ? WIDE NARROW WARNING : after);
        assert_int_equal(number_of_query(&database, "SELECT ended FROM verify_runs"
                                                    " ORDER BY id DESC LIMIT 1"),
                         r ? 100 : ended);
        saved = failed ? 0 : saved + 1;
        if (r == 0)
            save_result(&database, 100);
    }
}

static void a_result_is_saved_whole_or_not_at_all_when_memory_runs_out(void **state)
{
    (void)state;
    fail_each(true, 200, NARROW);
}

static void a_correction_counts_whole_or_not_at_all_when_memory_runs_out(void **state)
{
    (void)state;
    fail_each(false, 100,
              "E5|mx|no MX|an MX|Mend %d.|dig b.ex MX; dig b.ex A|b.ex c.ex d.ex e.ex f.ex\n"
              "E2|txt|'two'|one|Mend the record.|dig _mta-sts.a.ex TXT|a.ex f.ex\n" WARNING);
}

static int roundup(int n)
{
    return n;
}

static int size_of(void *pointer)
{
    return (int)malloc_usable_size(pointer);
}

static void *allocate(int n)
{
    return __wrap_malloc((size_t)n);
}

static void *reallocate(void *pointer, int n)
{
    return __wrap_realloc(pointer, (size_t)n);
}

static int begin_allocating(void *context)
{
    (void)context;
    return SQLITE_OK;
}

static void end_allocating(void *context)
{
    (void)context;
}

/* Has SQLite allocate where the tests can fail it. */
static const sqlite3_mem_methods failing = {
    allocate, free, reallocate, size_of, roundup, begin_allocating, end_allocating, NULL};

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_empty_state_has_no_result, temporary_enter,
                                        temporary_leave),
        cmocka_unit_test_setup_teardown(what_was_saved_is_read_back, temporary_enter,
                                        temporary_leave),
        cmocka_unit_test_setup_teardown(a_visitor_can_end_the_visit, temporary_enter,
                                        temporary_leave),
        cmocka_unit_test_setup_teardown(the_domains_of_a_finding_are_read_from_a_name_on,
                                        temporary_enter, temporary_leave),
        cmocka_unit_test_setup_teardown(
            a_run_takes_the_place_of_the_one_before_whatever_the_clock_says, temporary_enter,
            temporary_leave),
        cmocka_unit_test_setup_teardown(the_last_runs_are_kept, temporary_enter, temporary_leave),
        cmocka_unit_test_setup_teardown(one_that_did_not_end_leaves_what_was_saved, temporary_enter,
                                        temporary_leave),
        cmocka_unit_test_setup_teardown(a_reader_sees_one_result_whole, temporary_enter,
                                        temporary_leave),
        cmocka_unit_test_setup_teardown(a_correction_leaves_other_domains_and_the_time_of_the_run,
                                        temporary_enter, temporary_leave),
        cmocka_unit_test_setup_teardown(a_correction_adds_findings_to_those_that_are_there,
                                        temporary_enter, temporary_leave),
        cmocka_unit_test_setup_teardown(a_correction_forgets_what_no_domain_has_any_more,
                                        temporary_enter, temporary_leave),
        cmocka_unit_test_setup_teardown(
            a_finding_keeps_its_number_for_itself_while_its_run_is_the_last, temporary_enter,
            temporary_leave),
        cmocka_unit_test_setup_teardown(a_correction_leaves_what_it_cannot_find, temporary_enter,
                                        temporary_leave),
        cmocka_unit_test_setup_teardown(a_correction_knows_new_domains_and_policies,
                                        temporary_enter, temporary_leave),
        cmocka_unit_test_setup_teardown(there_is_nothing_to_correct_before_the_first_run,
                                        temporary_enter, temporary_leave),
        cmocka_unit_test_setup_teardown(a_correction_that_does_not_end_changes_nothing,
                                        temporary_enter, temporary_leave),
        cmocka_unit_test_setup_teardown(a_result_is_saved_whole_or_not_at_all_when_memory_runs_out,
                                        temporary_enter, temporary_leave),
        cmocka_unit_test_setup_teardown(
            a_correction_counts_whole_or_not_at_all_when_memory_runs_out, temporary_enter,
            temporary_leave),
        cmocka_unit_test_setup_teardown(others_write_while_a_large_result_is_saved, temporary_enter,
                                        temporary_leave),
    };

    assert_int_equal(sqlite3_config(SQLITE_CONFIG_MALLOC, &failing), SQLITE_OK);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
