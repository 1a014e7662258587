#include "state/bodies.h"

#include <sqlite3.h>

enum { KEPT = 20 }; /* of each policy, even if no sender can hold them */

int bodies_find_last(struct state *state, int64_t *out)
{
    CLEANUP(state_finish) struct sqlite3_stmt *row = NULL;
    int r = state_prepare(state, "SELECT ifnull(max(id), 0) FROM bodies", &row);

    if (r)
        return r;
    r = state_step(state, row);
    if (r == 0)
        *out = state_number(row, 0);
    return r;
}

int bodies_end(struct state *state, struct text primary, int64_t last)
{
    CLEANUP(state_finish) struct sqlite3_stmt *end = NULL;
    int r = state_prepare(
        state, "UPDATE bodies SET last = max(first, ?) WHERE policy = ? AND last IS NULL", &end);

    if (r)
        return r;
    state_bind_number(end, 1, last);
    state_bind_text(end, 2, primary);
    return state_run(state, end);
}

int bodies_live_longer(struct state *state, struct text primary, uint32_t ttl)
{
    CLEANUP(state_finish) struct sqlite3_stmt *update = NULL;
    int r = state_prepare(
        state, "UPDATE bodies SET ttl = max(ttl, ?) WHERE policy = ? AND last IS NULL", &update);

    if (r)
        return r;
    state_bind_number(update, 1, ttl);
    state_bind_text(update, 2, primary);
    return state_run(state, update);
}

static int forget_old(struct state *state, struct text primary, int64_t now)
{
    CLEANUP(state_finish) struct sqlite3_stmt *forget = NULL;
    int r = state_prepare(state,
                          "DELETE FROM bodies WHERE policy = ?1 AND last + max_age + ttl < ?2"
                          " AND id NOT IN (SELECT id FROM bodies WHERE policy = ?1"
                          " ORDER BY id DESC LIMIT ?3)",
                          &forget);

    if (r)
        return r;
    state_bind_text(forget, 1, primary);
    state_bind_number(forget, 2, now);
    state_bind_number(forget, 3, KEPT);
    return state_run(state, forget);
}

static int begin(struct state *state, const struct policy *policy, int64_t first)
{
    CLEANUP(state_finish) struct sqlite3_stmt *insert = NULL;
    int r = state_prepare(state,
                          "INSERT INTO bodies (policy, body, mode, max_age, ttl, first)"
                          " VALUES (?, ?, ?, ?, ?, ?)",
                          &insert);

    if (r)
        return r;
    state_bind_text(insert, 1, policy->primary);
    state_bind_text(insert, 2, policy->body);
    state_bind_text(insert, 3, text_from(policy_mode_text(policy->mode)));
    state_bind_number(insert, 4, policy->max_age);
    state_bind_number(insert, 5, policy->ttl);
    state_bind_number(insert, 6, first);
    return state_run(state, insert);
}

int bodies_serve(struct state *state, const struct policy *policy, int64_t first, int64_t last)
{
    int r = bodies_end(state, policy->primary, last);

    if (r)
        return r;
    r = forget_old(state, policy->primary, last);
    if (r || policy->mode == POLICY_MODE_ABSENT)
        return r;
    return begin(state, policy, first);
}

int64_t served_body_until(const struct served_body *body, int64_t now)
{
    return (body->served ? now : body->last) + body->max_age + body->ttl;
}

int bodies_each(struct state *state, struct text primary,
                void (*use)(const struct served_body *body, void *context), void *context)
{
    CLEANUP(state_finish) struct sqlite3_stmt *row = NULL;
    int r = state_prepare(state,
                          "SELECT body, mode, max_age, ttl, first, last FROM bodies"
                          " WHERE policy = ? ORDER BY id DESC",
                          &row);

    if (r)
        return r;
    state_bind_text(row, 1, primary);
    while ((r = state_step(state, row)) == 0)
        use(
            &(struct served_body){
                .body = state_text(row, 0),
                .mode = state_text(row, 1),
                .max_age = state_number(row, 2),
                .ttl = state_number(row, 3),
                .first = state_number(row, 4),
                .last = state_number(row, 5),
                .served = sqlite3_column_type(row, 5) == SQLITE_NULL,
            },
            context);
    return r == STATE_END ? 0 : r;
}
