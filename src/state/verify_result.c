#include "state/verify_result.h"

#define LAST "(SELECT max(id) FROM verify_runs)"

/* Of a finding F: what a struct verify_finding has, where DOMAIN is an example of its domains. */
#define COLUMNS(DOMAIN)                                                                            \
    "f.check_name, f.error, f.found, f.expected, c.remedy,"                                        \
    " replace(c.command, '%d', " DOMAIN "), f.n_domains, f.of_all, f.run, f.number"
/* One of its domains; and the first of them, ?2 at most. */
#define EXAMPLE "(SELECT min(domain) FROM finding_domains WHERE run = f.run AND finding = f.number)"
#define FIRST                                                                                      \
    "(SELECT group_concat(domain, ' ') FROM (SELECT domain FROM finding_domains"                   \
    " WHERE run = f.run AND finding = f.number ORDER BY domain LIMIT ?2))"
#define CHECKS " LEFT JOIN verify_checks c ON c.name = f.check_name"
/* Some domain has it. With the values of ERROR the index finds these alone, however many others a
 * correction has left. */
#define IN_USE " AND f.error IN (0, 1) AND f.n_domains > 0"
#define ORDER  " ORDER BY f.error DESC, f.n_domains DESC, f.number"

/* Visits the rows of a statement. */
static int visit(struct state *state, struct sqlite3_stmt *row, verify_finding_visitor *visitor,
                 void *context)
{
    int r;

    while ((r = state_step(state, row)) == 0) {
        const struct verify_finding finding = {
            .check = state_text(row, 0),
            .error = state_number(row, 1),
            .found = state_text(row, 2),
            .expected = state_text(row, 3),
            .remedy = state_text(row, 4),
            .command = state_text(row, 5),
            .n_domains = state_number(row, 6),
            .of_all = state_number(row, 7),
            .run = state_number(row, 8),
            .number = state_number(row, 9),
            .first = state_text(row, 10),
        };

        r = visitor(&finding, context);
        if (r)
            return r;
    }
    return r == STATE_END ? 0 : r;
}

int verify_result_each(struct state *state, size_t max, verify_finding_visitor *visitor,
                       void *context)
{
    CLEANUP(state_finish) struct sqlite3_stmt *row = NULL;
    int r =
        state_prepare(state,
                      "SELECT " COLUMNS(EXAMPLE) ", " FIRST " FROM findings f" CHECKS
                                                 " WHERE f.run = " LAST IN_USE ORDER " LIMIT ?1",
                      &row);

    if (r)
        return r;
    state_bind_number(row, 1, (int64_t)max);
    state_bind_number(row, 2, VERIFY_FIRST_MAX);
    return visit(state, row, visitor, context);
}

int verify_result_finding(struct state *state, int64_t number, verify_finding_visitor *visitor,
                          void *context)
{
    CLEANUP(state_finish) struct sqlite3_stmt *row = NULL;
    int r = state_prepare(state,
                          "SELECT " COLUMNS(EXAMPLE) ", '' FROM findings f" CHECKS
                                                     " WHERE f.run = " LAST
                                                     " AND f.number = ? AND f.n_domains > 0",
                          &row);

    if (r)
        return r;
    state_bind_number(row, 1, number);
    return visit(state, row, visitor, context);
}

int verify_result_each_domain(struct state *state, int64_t number, struct text from, size_t max,
                              verify_domain_visitor *visitor, void *context)
{
    CLEANUP(state_finish) struct sqlite3_stmt *row = NULL;
    int r = state_prepare(state,
                          "SELECT domain FROM finding_domains WHERE run = " LAST
                          " AND finding = ?1 AND domain >= ?2 ORDER BY domain LIMIT ?3",
                          &row);

    if (r)
        return r;
    state_bind_number(row, 1, number);
    state_bind_text(row, 2, from);
    state_bind_number(row, 3, (int64_t)max);
    while ((r = state_step(state, row)) == 0) {
        r = visitor(state_text(row, 0), context);
        if (r)
            return r;
    }
    return r == STATE_END ? 0 : r;
}

int verify_result_looked_at(struct state *state, struct text domain, int64_t *out)
{
    CLEANUP(state_finish) struct sqlite3_stmt *row = NULL;
    int r = state_prepare(state,
                          "SELECT coalesce(d.ended, r.ended) FROM verified_domains d"
                          " JOIN verify_runs r ON r.id = d.run"
                          " WHERE d.run = " LAST " AND d.domain = ?",
                          &row);

    if (r)
        return r;
    state_bind_text(row, 1, domain);
    r = state_step(state, row);
    if (r == 0)
        *out = state_number(row, 0);
    return r;
}

int verify_result_each_of(struct state *state, struct text domain, verify_finding_visitor *visitor,
                          void *context)
{
    CLEANUP(state_finish) struct sqlite3_stmt *row = NULL;
    int r = state_prepare(
        state,
        "SELECT " COLUMNS(
            "?1") ", '' FROM finding_domains d"
                  " CROSS JOIN findings f ON f.run = d.run AND f.number = d.finding" CHECKS
                  " WHERE d.run = " LAST " AND d.domain = ?1" ORDER,
        &row);

    if (r)
        return r;
    state_bind_text(row, 1, domain);
    return visit(state, row, visitor, context);
}

int verify_result_of_policy(struct state *state, struct text primary, struct verify_counts *out)
{
    CLEANUP(state_finish) struct sqlite3_stmt *row = NULL;
    int r = state_prepare(state,
                          "SELECT ok, warning, error FROM verified_policies"
                          " WHERE run = " LAST " AND policy = ?"
                          " AND ok + warning + error > 0",
                          &row);

    if (r)
        return r;
    state_bind_text(row, 1, primary);
    r = state_step(state, row);
    if (r == 0)
        *out = (struct verify_counts){state_number(row, 0), state_number(row, 1),
                                      state_number(row, 2)};
    return r;
}
