#include "base/array.h"
#include "state/bodies.h"
#include "state/memory_parts.h"

#include <errno.h>
#include <sqlite3.h>

/* The time of a moment in the past, on the other clock. One that is still to come is now: the clock
 * was set back, and what waits does so for its whole delay. */
static int64_t since_of(int64_t time, const struct memory_clock *clock)
{
    return time < clock->time ? clock->now - (clock->time - time) * 1000 : clock->now;
}

static int64_t time_of(int64_t since, const struct memory_clock *clock)
{
    return clock->time - (clock->now - since) / 1000;
}

/* Reads an id, which may be empty, for all that may be in the file. */
static int read_id(struct state *state, struct sqlite3_stmt *row, int column, struct arena *arena,
                   struct text *out)
{
    struct text id = state_text(row, column);

    if (id.length == 0 || policy_id_valid(id))
        return arena_copy_text(arena, id, out);
    return state_impossible(state, "an id");
}

#define COLUMNS                                                                                    \
    "domain, announced, body_id, records, serial, ttl, max_age, mode, former, retire, waits_since"

static int read_policy(struct state *state, struct sqlite3_stmt *row,
                       const struct memory_clock *clock, struct arena *arena,
                       struct past_policy *out)
{
    int r = arena_copy_text(arena, state_text(row, 1), &out->primary);

    if (r)
        return r;
    r = read_id(state, row, 2, arena, &out->id);
    if (r)
        return r;
    r = read_id(state, row, 3, arena, &out->body_id);
    if (r)
        return r;
    out->row = state_number(row, 0);
    out->records = (uint64_t)state_number(row, 4);
    out->serial = (uint32_t)state_number(row, 5);
    out->ttl = (uint32_t)state_number(row, 6);
    out->max_age = (uint32_t)state_number(row, 7);
    out->mode = (enum policy_mode)state_number(row, 8);
    out->retire = state_number(row, 10);
    out->waits = sqlite3_column_type(row, 11) != SQLITE_NULL;
    out->since = out->waits ? since_of(state_number(row, 11), clock) : 0;
    return arena_copy_text(arena, state_text(row, 9), &out->former);
}

int memory_policies_read(struct state *state, const struct memory_clock *clock, struct past *out)
{
    CLEANUP(state_finish) struct sqlite3_stmt *row = NULL;
    size_t capacity = 0;
    int r = state_prepare(state, "SELECT id, " COLUMNS " FROM policies ORDER BY domain", &row);

    if (r)
        return r;
    while ((r = state_step(state, row)) == 0) {
        struct past_policy policy = {0};

        if (ARRAY_RESERVE(out->policies, out->n_policies, capacity))
            return -ENOMEM;
        r = read_policy(state, row, clock, &out->arena, &policy);
        if (r)
            return r;
        out->policies[out->n_policies++] = policy;
    }
    return r == STATE_END ? 0 : r;
}

/* Whether a row says all of a policy. Times that wait are compared to the second, and may be off by
 * one for the conversion. */
static bool same(const struct past_policy *a, const struct past_policy *b)
{
    int64_t apart = a->since - b->since;

    return text_equals(a->id, b->id) && text_equals(a->body_id, b->body_id) &&
           text_equals(a->former, b->former) && a->records == b->records &&
           a->serial == b->serial && a->ttl == b->ttl && a->max_age == b->max_age &&
           a->mode == b->mode && a->retire == b->retire && a->waits == b->waits &&
           (!a->waits || (apart > -2000 && apart < 2000));
}

struct writing {
    struct state *state;
    const struct memory_write *what;
    struct sqlite3_stmt *put;
};

/* Writes a row; THEN is what there is, or NULL. */
static int write_row(struct writing *writing, const struct past_policy *then,
                     struct past_policy *now)
{
    struct sqlite3_stmt *put = writing->put;
    int r;

    state_bind_text(put, 1, now->primary);
    state_bind_text(put, 2, now->id);
    state_bind_text(put, 3, now->body_id);
    state_bind_number(put, 4, (int64_t)now->records);
    state_bind_number(put, 5, now->serial);
    state_bind_number(put, 6, now->ttl);
    state_bind_number(put, 7, now->max_age);
    state_bind_number(put, 8, now->mode);
    state_bind_text(put, 9, now->former);
    state_bind_number(put, 10, now->retire);
    if (now->waits)
        state_bind_number(put, 11, time_of(now->since, &writing->what->clock));
    else
        sqlite3_bind_null(put, 11);
    if (then)
        state_bind_number(put, 12, then->row);
    else
        sqlite3_bind_null(put, 12);
    r = state_run(writing->state, put);
    if (r == 0)
        now->row = then ? then->row : sqlite3_last_insert_rowid(writing->state->database);
    return r;
}

static int write_body(struct writing *writing, const struct past_policy *then,
                      const struct past_policy *now)
{
    const struct memory_write *what = writing->what;
    struct domain domain;

    if (then && text_equals(then->body_id, now->body_id))
        return then->ttl < now->ttl ? bodies_live_longer(writing->state, now->primary, now->ttl)
                                    : 0;
    /* Those of retiring domains are of nobody's making. */
    if (!snapshot_find(what->published, now->primary, &domain))
        return 0;
    /* A primary that has lost its mode retires, in another policy than its own. */
    if (!text_equals(domain.policy->primary, now->primary))
        return bodies_end(writing->state, now->primary, what->clock.time);
    return bodies_serve(writing->state, domain.policy, what->since, what->clock.time);
}

static int write_policy(struct writing *writing, const struct past_policy *then,
                        struct past_policy *now)
{
    int r = write_body(writing, then, now);

    if (r)
        return r;
    if (!then || !same(then, now))
        return write_row(writing, then, now);
    now->row = then->row;
    return 0;
}

int memory_policies_write(struct state *state, const struct memory_write *what,
                          const struct past *then)
{
    CLEANUP(state_finish) struct sqlite3_stmt *put = NULL;
    const struct past *now = what->past;
    struct writing writing = {state, what, NULL};
    int r = state_prepare(state,
                          "INSERT OR REPLACE INTO policies (" COLUMNS ", id)"
                          " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                          &put);

    writing.put = put;
    for (size_t i = 0; i < now->n_policies && r == 0; i++)
        r = write_policy(&writing, past_find(then, now->policies[i].primary), &now->policies[i]);
    for (size_t i = 0; i < then->n_policies && r == 0; i++)
        if (!past_find(now, then->policies[i].primary))
            r = bodies_end(state, then->policies[i].primary, what->clock.time);
    return r;
}

int memory_policies_delete(struct state *state, const struct past *then, const struct past *now)
{
    CLEANUP(state_finish) struct sqlite3_stmt *delete = NULL;
    int r = state_prepare(state, "DELETE FROM policies WHERE id = ?", &delete);

    for (size_t i = 0; i < then->n_policies && r == 0; i++) {
        if (past_find(now, then->policies[i].primary))
            continue;
        state_bind_number(delete, 1, then->policies[i].row);
        r = state_run(state, delete);
    }
    return r;
}
