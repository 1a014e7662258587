#include "state/verify_saving.h"

#include "os/clock.h"
#include "os/fd.h"
#include "state/verify_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/file.h>

enum {
    HOLD_MILLISECONDS = 20,  /* that others cannot write */
    PAUSE_MILLISECONDS = 20, /* that they can */
    PATIENCE_SECONDS = 60,   /* with others that write */
    ROWS_PER_LOOK = 64,      /* at the clock */
};

struct verify_saving {
    struct state *state;
    int lock;              /* on the directory: one saves at a time */
    int64_t run, n_causes; /* the number of the run; how many findings it has so far */
    bool writing;          /* in a transaction */
    int64_t since;         /* when that began, milliseconds */
    size_t n_rows;
    struct sqlite3_stmt *add_policy, *add_domain, *add_finding, *add_to_finding;
};

static int begin(struct verify_saving *saving)
{
    int r = state_begin(saving->state);

    saving->writing = r == 0;
    saving->since = clock_monotonic_ms();
    return r;
}

static int end(struct verify_saving *saving, int r)
{
    saving->writing = false;
    return state_end(saving->state, r);
}

/* Lets others write. SQLite has them look for their turn again and again, so it needs a while. */
static int pause_writing(struct verify_saving *saving)
{
    int r = end(saving, 0);

    if (r)
        return r;
    sqlite3_sleep(PAUSE_MILLISECONDS);
    return begin(saving);
}

/* Whether, after one row more, others have waited long enough. */
static bool is_time_to_pause(struct verify_saving *saving)
{
    return ++saving->n_rows % ROWS_PER_LOOK == 0 &&
           clock_monotonic_ms() >= saving->since + HOLD_MILLISECONDS;
}

/* Runs one of the statements that are run for each row. */
static int add_row(struct verify_saving *saving, struct sqlite3_stmt *statement)
{
    int r = state_run(saving->state, statement);

    return r || !is_time_to_pause(saving) ? r : pause_writing(saving);
}

/* How to find rows of other runs than one, and to remove one of them by its key. */
struct forgetting {
    const char *find_earlier, *find_later, *remove;
};

#define FORGETTING(TABLE, KEY, CONDITION)                                                          \
    {                                                                                              \
        "SELECT run, " KEY " FROM " TABLE " WHERE run < ?",                                        \
            "SELECT run, " KEY " FROM " TABLE " WHERE run > ?",                                    \
            "DELETE FROM " TABLE " WHERE run = ? AND " CONDITION                                   \
    }

static const struct forgetting forgettings[] = {
    FORGETTING("finding_domains", "finding, domain", "finding = ? AND domain = ?"),
    FORGETTING("findings", "number", "number = ?"),
    FORGETTING("verified_domains", "domain", "domain = ?"),
    FORGETTING("verified_policies", "number", "number = ?"),
};

/* Removes the row that was found. */
static int remove_row(struct verify_saving *saving, struct sqlite3_stmt *found,
                      struct sqlite3_stmt *remove)
{
    for (int i = 0; i < sqlite3_column_count(found); i++)
        sqlite3_bind_value(remove, i + 1, sqlite3_column_value(found, i));
    return state_run(saving->state, remove);
}

static int forget_rows(struct verify_saving *saving, const char *find_sql, const char *remove_sql,
                       int64_t run)
{
    CLEANUP(state_finish) struct sqlite3_stmt *find = NULL, *remove = NULL;
    int r = state_prepare(saving->state, find_sql, &find);

    if (r)
        return r;
    r = state_prepare(saving->state, remove_sql, &remove);
    if (r)
        return r;
    state_bind_number(find, 1, run);
    while ((r = state_step(saving->state, find)) == 0) {
        r = remove_row(saving, find, remove);
        if (r)
            return r;
        if (!is_time_to_pause(saving))
            continue;
        sqlite3_reset(find);
        r = pause_writing(saving);
        if (r)
            return r;
    }
    return r == STATE_END ? 0 : r;
}

/* Removes the rows of all runs but one. */
static int forget_others(struct verify_saving *saving, int64_t run)
{
    int r = begin(saving);

    for (size_t i = 0; i < ARRAY_LENGTH(forgettings) && r == 0; i++) {
        const struct forgetting *table = &forgettings[i];

        r = forget_rows(saving, table->find_earlier, table->remove, run);
        if (r == 0)
            r = forget_rows(saving, table->find_later, table->remove, run);
    }
    return saving->writing ? end(saving, r) : r;
}

static int lock_directory(struct verify_saving *saving)
{
    struct state *state = saving->state;
    char directory[PATH_MAX];
    int r;

    snprintf(directory, sizeof(directory), "%.*s", (int)(strrchr(state->path, '/') - state->path),
             state->path);
    saving->lock = open(directory[0] ? directory : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (saving->lock >= 0) {
        do
            r = flock(saving->lock, LOCK_EX);
        while (r < 0 && errno == EINTR);
        if (r == 0)
            return 0;
    }
    snprintf(state->fault, sizeof(state->fault), "cannot lock the directory: %s", strerror(errno));
    return STATE_FAILED;
}

int verify_last_number(struct state *state, int64_t *out)
{
    CLEANUP(state_finish) struct sqlite3_stmt *row = NULL;
    int r = state_prepare(state, "SELECT coalesce(max(id), 0) FROM verify_runs", &row);

    if (r)
        return r;
    r = state_step(state, row);
    if (r == 0)
        *out = state_number(row, 0);
    return r;
}

static int prepare(struct verify_saving *saving)
{
    const struct {
        const char *sql;
        struct sqlite3_stmt **statement;
    } all[] = {
        {"INSERT INTO verified_policies VALUES (?1, ?2, ?3, ?4, ?5, ?6)", &saving->add_policy},
        {"INSERT INTO verified_domains VALUES (?1, ?2, ?3, ?4, NULL)", &saving->add_domain},
        {"INSERT INTO findings VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)", &saving->add_finding},
        {"INSERT INTO finding_domains VALUES (?1, ?2, ?3)", &saving->add_to_finding},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(all); i++) {
        int r = state_prepare(saving->state, all[i].sql, all[i].statement);

        if (r)
            return r;
        state_bind_number(*all[i].statement, 1, saving->run);
    }
    return 0;
}

int verify_saving_new(struct state *state, struct verify_saving **out)
{
    CLEANUP(verify_saving_free_pointer) struct verify_saving *saving = calloc(1, sizeof(*saving));
    int64_t last;
    int r;

    if (!saving)
        return -ENOMEM;
    saving->state = state;
    saving->lock = -1;
    r = lock_directory(saving);
    if (r)
        return r;
    sqlite3_busy_timeout(state->database, PATIENCE_SECONDS * 1000);
    r = verify_last_number(state, &last);
    if (r)
        return r;
    r = forget_others(saving, last);
    if (r)
        return r;
    saving->run = last + 1;
    r = prepare(saving);
    if (r)
        return r;
    r = begin(saving);
    if (r)
        return r;
    *out = saving;
    saving = NULL;
    return 0;
}

int verify_saving_add_policy(struct verify_saving *saving, size_t number, struct text primary,
                             const struct verify_counts *counts)
{
    struct sqlite3_stmt *add = saving->add_policy;

    state_bind_number(add, 2, (int64_t)number);
    state_bind_text(add, 3, primary);
    state_bind_number(add, 4, counts->ok);
    state_bind_number(add, 5, counts->warning);
    state_bind_number(add, 6, counts->error);
    return add_row(saving, add);
}

int verify_saving_add_domain(struct verify_saving *saving, struct text domain, size_t policy,
                             enum verify_worst worst)
{
    struct sqlite3_stmt *add = saving->add_domain;

    state_bind_text(add, 2, domain);
    state_bind_number(add, 3, (int64_t)policy);
    state_bind_number(add, 4, worst);
    return add_row(saving, add);
}

int verify_saving_add_finding(struct verify_saving *saving, const struct verify_finding *finding)
{
    struct sqlite3_stmt *add = saving->add_finding;

    state_bind_number(add, 2, saving->n_causes++);
    state_bind_text(add, 3, finding->check);
    state_bind_number(add, 4, finding->error);
    state_bind_text(add, 5, finding->found);
    state_bind_text(add, 6, finding->expected);
    state_bind_number(add, 7, finding->n_domains);
    state_bind_number(add, 8, finding->of_all);
    return add_row(saving, add);
}

int verify_saving_add_to_finding(struct verify_saving *saving, struct text domain)
{
    struct sqlite3_stmt *add = saving->add_to_finding;

    state_bind_number(add, 2, saving->n_causes - 1);
    state_bind_text(add, 3, domain);
    return add_row(saving, add);
}

static int add_run(struct verify_saving *saving, const struct verify_run *run)
{
    CLEANUP(state_finish) struct sqlite3_stmt *insert = NULL;
    const int64_t values[] = {saving->run, run->started, run->ended, run->domains,
                              run->ok,     run->warning, run->error, saving->n_causes};
    int r = state_prepare(saving->state, "INSERT INTO verify_runs VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                          &insert);

    if (r)
        return r;
    for (int i = 0; i < (int)ARRAY_LENGTH(values); i++)
        state_bind_number(insert, i + 1, values[i]);
    return state_run(saving->state, insert);
}

static int forget_runs(struct state *state)
{
    CLEANUP(state_finish) struct sqlite3_stmt *forget = NULL;
    int r = state_prepare(state,
                          "DELETE FROM verify_runs WHERE id NOT IN"
                          " (SELECT id FROM verify_runs ORDER BY id DESC LIMIT ?)",
                          &forget);

    if (r)
        return r;
    state_bind_number(forget, 1, VERIFY_RUNS_MAX);
    return state_run(state, forget);
}

int verify_checks_write(struct state *state, const struct verify_check *checks, size_t n)
{
    CLEANUP(state_finish) struct sqlite3_stmt *insert = NULL;
    int r = state_prepare(state, "INSERT OR REPLACE INTO verify_checks VALUES (?, ?, ?)", &insert);

    for (size_t i = 0; i < n && r == 0; i++) {
        state_bind_text(insert, 1, text_from(checks[i].name));
        state_bind_text(insert, 2, text_from(checks[i].remedy));
        state_bind_text(insert, 3, text_from(checks[i].command));
        r = state_run(state, insert);
    }
    return r;
}

/* Makes the run the last one, in the transaction that is under way. */
static int finish(struct verify_saving *saving, const struct verify_run *run,
                  const struct verify_check *checks, size_t n_checks)
{
    int r = add_run(saving, run);

    if (r)
        return r;
    r = forget_runs(saving->state);
    if (r)
        return r;
    return verify_checks_write(saving->state, checks, n_checks);
}

int verify_saving_end(struct verify_saving *saving, const struct verify_run *run,
                      const struct verify_check *checks, size_t n_checks)
{
    int r = end(saving, finish(saving, run, checks, n_checks));

    if (r)
        return r;
    /* The run is saved now; what cannot be removed is left to the next one. */
    (void)forget_others(saving, saving->run);
    return 0;
}

void verify_saving_free(struct verify_saving *saving)
{
    if (!saving)
        return;
    if (saving->writing)
        (void)end(saving, STATE_FAILED);
    state_finish(&saving->add_policy);
    state_finish(&saving->add_domain);
    state_finish(&saving->add_finding);
    state_finish(&saving->add_to_finding);
    fd_close(&saving->lock);
    free(saving);
}
