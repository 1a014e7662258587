#include "state/verify_runs.h"

/* One transaction: run and report belong together. */
static int add(struct state *state, const struct verify_run *run, struct text report)
{
    CLEANUP(state_finish) struct sqlite3_stmt *insert = NULL, *replace = NULL, *forget = NULL;
    const int64_t values[] = {run->ended, run->started, run->domains,
                              run->ok,    run->warning, run->error};
    int r = state_prepare(state, "INSERT OR REPLACE INTO verify_runs VALUES (?, ?, ?, ?, ?, ?)",
                          &insert);

    if (r)
        return r;
    for (int i = 0; i < (int)ARRAY_LENGTH(values); i++)
        state_bind_number(insert, i + 1, values[i]);
    r = state_run(state, insert);
    if (r)
        return r;
    r = state_prepare(state, "INSERT OR REPLACE INTO verify_report VALUES (1, ?)", &replace);
    if (r)
        return r;
    state_bind_text(replace, 1, report);
    r = state_run(state, replace);
    if (r)
        return r;
    r = state_prepare(state,
                      "DELETE FROM verify_runs WHERE ended NOT IN"
                      " (SELECT ended FROM verify_runs ORDER BY ended DESC LIMIT ?)",
                      &forget);
    if (r)
        return r;
    state_bind_number(forget, 1, VERIFY_RUNS_MAX);
    return state_run(state, forget);
}

int verify_runs_add(struct state *state, const struct verify_run *run, struct text report)
{
    int r = state_begin(state);

    return r ? r : state_end(state, add(state, run, report));
}

int verify_runs_last(struct state *state, struct verify_run *out)
{
    CLEANUP(state_finish) struct sqlite3_stmt *statement = NULL;
    int r = state_prepare(state,
                          "SELECT started, ended, domains, ok, warning, error FROM verify_runs"
                          " ORDER BY ended DESC LIMIT 1",
                          &statement);

    if (r)
        return r;
    r = state_step(state, statement);
    if (r)
        return r;
    *out = (struct verify_run){
        .started = state_number(statement, 0),
        .ended = state_number(statement, 1),
        .domains = state_number(statement, 2),
        .ok = state_number(statement, 3),
        .warning = state_number(statement, 4),
        .error = state_number(statement, 5),
    };
    return 0;
}

int verify_runs_report(struct state *state, struct buffer *out)
{
    CLEANUP(state_finish) struct sqlite3_stmt *statement = NULL;
    int r = state_prepare(state, "SELECT report FROM verify_report", &statement);

    if (r)
        return r;
    r = state_step(state, statement);
    if (r == 0)
        buffer_add_text(out, state_text(statement, 0));
    return r;
}
