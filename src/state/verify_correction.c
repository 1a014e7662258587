#include "state/verify_correction.h"

#include "base/buffer.h"
#include "state/verify_parts.h"

#include <errno.h>
#include <sqlite3.h>

enum statement {
    FIND_DOMAIN,
    COUNT_RUN,
    COUNT_POLICY,
    NARROW_FINDINGS,
    TAKE_FINDINGS,
    FIND_POLICY,
    ADD_POLICY,
    FIND_FINDING,
    ADD_FINDING,
    WIDEN_FINDING,
    GIVE_FINDING,
    SET_DOMAIN,
    STATEMENT_COUNT
};

/* ?1 is the run everywhere, and ?2 the domain where there is one. */
#define REPLACED                                                                                   \
    " (SELECT d.finding FROM finding_domains d CROSS JOIN findings f"                              \
    " ON f.run = d.run AND f.number = d.finding"                                                   \
    " WHERE d.run = ?1 AND d.domain = ?2 AND NOT f.of_all"                                         \
    " AND instr(?3, ',' || f.check_name || ','))"

static const char *const texts[STATEMENT_COUNT] = {
    [FIND_DOMAIN] = "SELECT policy, worst FROM verified_domains WHERE run = ?1 AND domain = ?2",
    [COUNT_RUN] = "UPDATE verify_runs SET domains = domains + ?2, ok = ok + ?2 * (?3 = 0),"
                  " warning = warning + ?2 * (?3 = 1), error = error + ?2 * (?3 = 2)"
                  " WHERE id = ?1",
    [COUNT_POLICY] = "UPDATE verified_policies SET ok = ok + ?2 * (?3 = 0),"
                     " warning = warning + ?2 * (?3 = 1), error = error + ?2 * (?3 = 2)"
                     " WHERE run = ?1 AND number = ?4",
    [NARROW_FINDINGS] = "UPDATE findings SET n_domains = n_domains - 1"
                        " WHERE run = ?1 AND number IN" REPLACED,
    [TAKE_FINDINGS] = "DELETE FROM finding_domains"
                      " WHERE run = ?1 AND domain = ?2 AND finding IN" REPLACED,
    [FIND_POLICY] = "SELECT number FROM verified_policies WHERE run = ?1 AND policy = ?2",
    [ADD_POLICY] = "INSERT INTO verified_policies SELECT ?1, coalesce(max(number) + 1, 0), ?2,"
                   " 0, 0, 0 FROM verified_policies WHERE run = ?1 RETURNING number",
    [FIND_FINDING] = "SELECT number FROM findings WHERE run = ?1 AND check_name = ?2"
                     " AND error = ?3 AND found = ?4 AND expected = ?5",
    [ADD_FINDING] = "INSERT INTO findings SELECT ?1, coalesce(max(number) + 1, 0), ?2, ?3, ?4, ?5,"
                    " 0, 0 FROM findings WHERE run = ?1 RETURNING number",
    [WIDEN_FINDING] = "UPDATE findings SET n_domains = n_domains + 1"
                      " WHERE run = ?1 AND number = ?2",
    [GIVE_FINDING] = "INSERT INTO finding_domains VALUES (?1, ?2, ?3)",
    [SET_DOMAIN] = "INSERT OR REPLACE INTO verified_domains SELECT ?1, ?2, ?3,"
                   " coalesce(max(1 + f.error), 0), ?4 FROM finding_domains d"
                   " CROSS JOIN findings f ON f.run = d.run AND f.number = d.finding"
                   " WHERE d.run = ?1 AND d.domain = ?2 RETURNING worst",
};

struct verify_correction {
    struct state *state;
    const struct verify_check *checks;
    size_t n_checks;
    struct buffer names; /* of the checks, with commas around each */
    int64_t run, ended;
    bool writing; /* in a transaction */
    struct sqlite3_stmt *statements[STATEMENT_COUNT];
};

static int prepare(struct verify_correction *correction)
{
    for (size_t i = 0; i < STATEMENT_COUNT; i++) {
        int r = state_prepare(correction->state, texts[i], &correction->statements[i]);

        if (r)
            return r;
        state_bind_number(correction->statements[i], 1, correction->run);
    }
    buffer_add_string(&correction->names, ",");
    for (size_t i = 0; i < correction->n_checks; i++)
        buffer_printf(&correction->names, "%s,", correction->checks[i].name);
    return correction->names.failed ? -ENOMEM : 0;
}

/* Runs a statement that gives at most one row of numbers. Returns 0, STATE_END if it gives none,
 * STATE_FAILED or -ENOMEM. */
static int fetch(struct verify_correction *correction, enum statement which, int64_t *out, int n)
{
    struct sqlite3_stmt *statement = correction->statements[which];
    int r = state_step(correction->state, statement);

    for (int i = 0; i < n && r == 0; i++)
        out[i] = state_number(statement, i);
    sqlite3_reset(statement);
    return r;
}

static int execute(struct verify_correction *correction, enum statement which)
{
    return state_run(correction->state, correction->statements[which]);
}

/* Counts a domain in, with BY of 1, or out, with -1. */
static int count(struct verify_correction *correction, int64_t policy, int64_t worst, int64_t by)
{
    struct sqlite3_stmt *const *statements = correction->statements;
    int r;

    for (enum statement which = COUNT_RUN; which <= COUNT_POLICY; which++) {
        state_bind_number(statements[which], 2, by);
        state_bind_number(statements[which], 3, worst);
    }
    state_bind_number(statements[COUNT_POLICY], 4, policy);
    r = execute(correction, COUNT_RUN);
    return r ? r : execute(correction, COUNT_POLICY);
}

/* Counts a domain out as it was found before, if it was looked at. */
static int count_out(struct verify_correction *correction, struct text domain)
{
    int64_t before[2];
    int r;

    state_bind_text(correction->statements[FIND_DOMAIN], 2, domain);
    r = fetch(correction, FIND_DOMAIN, before, 2);
    if (r == STATE_END)
        return 0;
    return r ? r : count(correction, before[0], before[1], -1);
}

/* Takes the findings from a domain that are looked for again. */
static int take_findings(struct verify_correction *correction, struct text domain)
{
    int r;

    for (enum statement which = NARROW_FINDINGS; which <= TAKE_FINDINGS; which++) {
        state_bind_text(correction->statements[which], 2, domain);
        state_bind_text(correction->statements[which], 3, buffer_text(&correction->names));
    }
    r = execute(correction, NARROW_FINDINGS);
    return r ? r : execute(correction, TAKE_FINDINGS);
}

/* Finds the number of a finding, or adds it. */
static int find_finding(struct verify_correction *correction, const struct verify_finding *finding,
                        int64_t *out)
{
    int r = STATE_END;

    for (enum statement which = FIND_FINDING; which <= ADD_FINDING && r == STATE_END; which++) {
        struct sqlite3_stmt *statement = correction->statements[which];

        state_bind_text(statement, 2, finding->check);
        state_bind_number(statement, 3, finding->error);
        state_bind_text(statement, 4, finding->found);
        state_bind_text(statement, 5, finding->expected);
        r = fetch(correction, which, out, 1);
    }
    return r;
}

static int give_finding(struct verify_correction *correction, struct text domain,
                        const struct verify_finding *finding)
{
    int64_t number;
    int r = find_finding(correction, finding, &number);

    if (r)
        return r;
    state_bind_number(correction->statements[WIDEN_FINDING], 2, number);
    r = execute(correction, WIDEN_FINDING);
    if (r)
        return r;
    state_bind_number(correction->statements[GIVE_FINDING], 2, number);
    state_bind_text(correction->statements[GIVE_FINDING], 3, domain);
    return execute(correction, GIVE_FINDING);
}

/* Finds the number of a policy, or adds it. */
static int find_policy(struct verify_correction *correction, struct text primary, int64_t *out)
{
    int r = STATE_END;

    for (enum statement which = FIND_POLICY; which <= ADD_POLICY && r == STATE_END; which++) {
        state_bind_text(correction->statements[which], 2, primary);
        r = fetch(correction, which, out, 1);
    }
    return r;
}

/* Counts a domain in as it is found now. */
static int count_in(struct verify_correction *correction, struct text domain, struct text primary)
{
    struct sqlite3_stmt *set = correction->statements[SET_DOMAIN];
    int64_t policy, worst;
    int r = find_policy(correction, primary, &policy);

    if (r)
        return r;
    state_bind_text(set, 2, domain);
    state_bind_number(set, 3, policy);
    state_bind_number(set, 4, correction->ended);
    r = fetch(correction, SET_DOMAIN, &worst, 1);
    return r ? r : count(correction, policy, worst, 1);
}

int verify_correction_add(struct verify_correction *correction, struct text domain,
                          struct text primary, const struct verify_finding *findings, size_t n)
{
    int r = count_out(correction, domain);

    if (r)
        return r;
    r = take_findings(correction, domain);
    for (size_t i = 0; i < n && r == 0; i++)
        r = give_finding(correction, domain, &findings[i]);
    return r ? r : count_in(correction, domain, primary);
}

/* Counts the findings that domains have. Those that none has any more keep their numbers: they may
 * come back, and no other finding of the run is to be taken for one of them. */
static int count_causes(struct verify_correction *correction)
{
    CLEANUP(state_finish) struct sqlite3_stmt *update = NULL;
    int r = state_prepare(correction->state,
                          "UPDATE verify_runs SET causes = (SELECT count(*) FROM findings"
                          " WHERE run = ?1 AND error IN (0, 1) AND n_domains > 0)"
                          " WHERE id = ?1",
                          &update);

    if (r)
        return r;
    state_bind_number(update, 1, correction->run);
    return state_run(correction->state, update);
}

static int begin(struct verify_correction *correction)
{
    int r = state_begin(correction->state);

    if (r)
        return r;
    correction->writing = true;
    r = verify_last_number(correction->state, &correction->run);
    if (r)
        return r;
    return correction->run ? prepare(correction) : STATE_END;
}

static int end(struct verify_correction *correction, int r)
{
    correction->writing = false;
    return state_end(correction->state, r);
}

int verify_correction_new(struct state *state, int64_t ended, const struct verify_check *checks,
                          size_t n_checks, struct verify_correction **out)
{
    CLEANUP(verify_correction_free_pointer)
    struct verify_correction *correction = calloc(1, sizeof(*correction));
    int r;

    if (!correction)
        return -ENOMEM;
    correction->state = state;
    correction->ended = ended;
    correction->checks = checks;
    correction->n_checks = n_checks;
    correction->names = BUFFER_INIT;
    r = begin(correction);
    if (r)
        return r;
    *out = correction;
    correction = NULL;
    return 0;
}

static int finish(struct verify_correction *correction)
{
    int r = count_causes(correction);

    return r ? r : verify_checks_write(correction->state, correction->checks, correction->n_checks);
}

int verify_correction_end(struct verify_correction *correction)
{
    return end(correction, finish(correction));
}

void verify_correction_free(struct verify_correction *correction)
{
    if (!correction)
        return;
    if (correction->writing)
        (void)end(correction, STATE_FAILED);
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        state_finish(&correction->statements[i]);
    buffer_deinit(&correction->names);
    free(correction);
}
