#include "state/sync_runs.h"

static int add(struct state *state, const struct sync_run *run)
{
    CLEANUP(state_finish) struct sqlite3_stmt *insert = NULL;
    const int64_t values[] = {run->started, run->ended,     run->refused, run->names,
                              run->members, run->uncovered, run->failed};
    int r =
        state_prepare(state, "INSERT INTO sync_runs VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)", &insert);

    if (r)
        return r;
    for (int i = 0; i < (int)ARRAY_LENGTH(values); i++)
        state_bind_number(insert, i + 1, values[i]);
    return state_run(state, insert);
}

/* The last one that was not refused is kept whatever came after it. */
static int forget(struct state *state)
{
    CLEANUP(state_finish) struct sqlite3_stmt *statement = NULL;
    int r = state_prepare(state,
                          "DELETE FROM sync_runs WHERE id NOT IN"
                          " (SELECT id FROM sync_runs ORDER BY id DESC LIMIT ?) AND id NOT IN"
                          " (SELECT id FROM sync_runs WHERE NOT refused ORDER BY id DESC LIMIT 1)",
                          &statement);

    if (r)
        return r;
    state_bind_number(statement, 1, SYNC_RUNS_MAX);
    return state_run(state, statement);
}

int sync_runs_add(struct state *state, const struct sync_run *run)
{
    int r = state_begin(state);

    if (r)
        return r;
    r = add(state, run);
    if (r == 0)
        r = forget(state);
    return state_end(state, r);
}

int sync_runs_last(struct state *state, struct sync_run *out, int64_t *succeeded)
{
    CLEANUP(state_finish) struct sqlite3_stmt *statement = NULL;
    int r = state_prepare(state,
                          "SELECT started, ended, refused, names, members, uncovered, failed,"
                          " coalesce((SELECT ended FROM sync_runs WHERE NOT refused"
                          " ORDER BY id DESC LIMIT 1), 0) FROM sync_runs ORDER BY id DESC LIMIT 1",
                          &statement);

    if (r)
        return r;
    r = state_step(state, statement);
    if (r)
        return r;
    *out = (struct sync_run){
        .started = state_number(statement, 0),
        .ended = state_number(statement, 1),
        .refused = state_number(statement, 2),
        .names = state_number(statement, 3),
        .members = state_number(statement, 4),
        .uncovered = state_number(statement, 5),
        .failed = state_number(statement, 6),
    };
    *succeeded = state_number(statement, 7);
    return 0;
}
