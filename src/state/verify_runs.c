#include "state/verify_runs.h"

#define COLUMNS "id, started, ended, domains, ok, warning, error, causes"

static void read_run(struct sqlite3_stmt *row, struct verify_run *out)
{
    *out = (struct verify_run){
        .number = state_number(row, 0),
        .started = state_number(row, 1),
        .ended = state_number(row, 2),
        .domains = state_number(row, 3),
        .ok = state_number(row, 4),
        .warning = state_number(row, 5),
        .error = state_number(row, 6),
        .causes = state_number(row, 7),
    };
}

int verify_runs_last(struct state *state, struct verify_run *out)
{
    CLEANUP(state_finish) struct sqlite3_stmt *row = NULL;
    int r =
        state_prepare(state, "SELECT " COLUMNS " FROM verify_runs ORDER BY id DESC LIMIT 1", &row);

    if (r)
        return r;
    r = state_step(state, row);
    if (r == 0)
        read_run(row, out);
    return r;
}

int verify_runs_read(struct state *state, struct verify_run out[static VERIFY_RUNS_MAX], size_t *n)
{
    CLEANUP(state_finish) struct sqlite3_stmt *row = NULL;
    size_t found = 0;
    int r = state_prepare(state,
                          "SELECT " COLUMNS " FROM (SELECT * FROM verify_runs ORDER BY id DESC"
                          " LIMIT ?) ORDER BY ended, id",
                          &row);

    if (r)
        return r;
    state_bind_number(row, 1, VERIFY_RUNS_MAX);
    while ((r = state_step(state, row)) == 0)
        read_run(row, &out[found++]);
    if (r != STATE_END)
        return r;
    *n = found;
    return 0;
}
