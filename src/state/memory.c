#include "base/array.h"
#include "state/bodies.h"
#include "state/memory_parts.h"

#include <errno.h>
#include <sqlite3.h>

/* The serials that a process may have given after it last wrote, ahead of the clock: */
enum {
    SERIALS_LOST = 16,       /* at once, */
    SERIALS_LOST_MAX = 1000, /* and one a second, up to so many */
};

#define SERIAL_MAX (UINT32_MAX - (1U << 20)) /* no number in use is above */

int memory_read(struct state *state, struct memory *out)
{
    CLEANUP(state_finish) struct sqlite3_stmt *row = NULL;
    int r = state_prepare(
        state, "SELECT seed, ended, written, highest, notified, ahead, writer FROM service", &row);

    if (r)
        return r;
    r = state_step(state, row);
    if (r)
        return r;
    *out = (struct memory){
        .seed = (uint64_t)state_number(row, 0),
        .ended = state_number(row, 1),
        .written = state_number(row, 2),
        .highest = (uint32_t)state_number(row, 3),
        .notified = (uint32_t)state_number(row, 4),
        .ahead = state_number(row, 5),
        .writer = state_number(row, 6),
    };
    if (state_number(row, 3) >= 0 && state_number(row, 3) <= SERIAL_MAX)
        return 0;
    return state_impossible(state, "a highest serial");
}

/* The highest serial that a process may have given that did not end well, at a time of the clock of
 * the system: that time, or as many more than it had written as it may have had changes since. If
 * the clock was set back, that is not known. */
static uint32_t highest_lost(const struct memory *memory, int64_t now)
{
    int64_t passed = now - (memory->written - memory->ahead);
    int64_t more = passed < 0 || passed > SERIALS_LOST_MAX ? SERIALS_LOST_MAX : passed;
    uint32_t highest = memory->highest + SERIALS_LOST + (uint32_t)more;

    return now > (int64_t)highest && now <= SERIAL_MAX && now < (int64_t)highest + INT32_MAX
               ? (uint32_t)now
               : highest;
}

/* Notes that this process has not ended, and if the one before has not either, the number that its
 * serials may have reached: this process goes on from there, and may not get to write either. */
static int note_begin(struct state *state, const struct memory *memory, int64_t now)
{
    CLEANUP(state_finish) struct sqlite3_stmt *update = NULL;
    int r = state_prepare(state, "UPDATE service SET ended = 0, highest = ?", &update);

    if (r)
        return r;
    state_bind_number(update, 1,
                      memory->ended || memory->highest == 0 ? memory->highest
                                                            : highest_lost(memory, now));
    return state_run(state, update);
}

static int begin(struct state *state, uint64_t seed, int64_t now, struct memory *out)
{
    CLEANUP(state_finish) struct sqlite3_stmt *insert = NULL;
    int r = state_prepare(state, "INSERT OR IGNORE INTO service VALUES (1, ?, 1, 0, 0, 0, 0, 0, 1)",
                          &insert);

    if (r)
        return r;
    state_bind_number(insert, 1, (int64_t)seed);
    r = state_run(state, insert);
    if (r)
        return r;
    r = memory_read(state, out);
    if (r)
        return r;
    return note_begin(state, out, now);
}

int memory_begin(struct state *state, uint64_t seed, int64_t now, struct memory *out)
{
    int r = state_begin(state);

    return r ? r : state_end(state, begin(state, seed, now, out));
}

int memory_set_writer(struct state *state, int64_t writer)
{
    CLEANUP(state_finish) struct sqlite3_stmt *update = NULL;
    int r = state_prepare(state, "UPDATE service SET writer = ?", &update);

    if (r)
        return r;
    state_bind_number(update, 1, writer);
    return state_run(state, update);
}

/* Reads the serials of catalog zones, as far as they follow upon each other. */
static int read_catalogs(struct state *state, struct past *past)
{
    CLEANUP(state_finish) struct sqlite3_stmt *row = NULL;
    size_t capacity = 0;
    int r = state_prepare(state, "SELECT part, records, serial FROM catalogs ORDER BY part", &row);

    if (r)
        return r;
    while ((r = state_step(state, row)) == 0 && state_number(row, 0) == (int64_t)past->n_catalogs) {
        if (ARRAY_RESERVE(past->catalogs, past->n_catalogs, capacity))
            return -ENOMEM;
        past->catalogs[past->n_catalogs++] =
            (struct past_catalog){(uint64_t)state_number(row, 1), (uint32_t)state_number(row, 2)};
    }
    return r == STATE_END ? 0 : r;
}

static int write_catalogs(struct state *state, const struct past *past)
{
    CLEANUP(state_finish) struct sqlite3_stmt *insert = NULL;
    int r = state_execute(state, "DELETE FROM catalogs");

    if (r)
        return r;
    r = state_prepare(state, "INSERT INTO catalogs VALUES (?, ?, ?)", &insert);
    for (size_t i = 0; i < past->n_catalogs && r == 0; i++) {
        state_bind_number(insert, 1, (int64_t)i);
        state_bind_number(insert, 2, (int64_t)past->catalogs[i].records);
        state_bind_number(insert, 3, past->catalogs[i].serial);
        r = state_run(state, insert);
    }
    return r;
}

int memory_read_past(struct state *state, const struct memory *memory,
                     const struct memory_clock *clock, struct past *out)
{
    CLEANUP(past_deinit) struct past past = PAST_INIT;
    int r = memory_policies_read(state, clock, &past);

    if (r)
        return r;
    past.highest = memory->highest;
    if (memory->ended) {
        r = read_catalogs(state, &past);
        if (r)
            return r;
        r = memory_overrides_read(state, &past);
        if (r)
            return r;
    } else if (past.highest) {
        past.highest = highest_lost(memory, clock->time - clock->ahead);
        for (size_t i = 0; i < past.n_policies; i++)
            past.policies[i].records = 0;
    }
    *out = past;
    past = PAST_INIT;
    return 0;
}

int memory_write_time(struct state *state, const struct memory_clock *clock)
{
    CLEANUP(state_finish) struct sqlite3_stmt *update = NULL;
    int r = state_prepare(state, "UPDATE service SET written = ?, ahead = ?", &update);

    if (r)
        return r;
    state_bind_number(update, 1, clock->time);
    state_bind_number(update, 2, clock->ahead);
    return state_run(state, update);
}

static int write_rest(struct state *state, const struct memory_write *what)
{
    CLEANUP(state_finish) struct sqlite3_stmt *update = NULL;
    int r = write_catalogs(state, what->past);

    if (r)
        return r;
    r = state_prepare(state, "UPDATE service SET highest = ?", &update);
    if (r)
        return r;
    state_bind_number(update, 1, what->past->highest);
    r = state_run(state, update);
    return r ? r : memory_write_time(state, &what->clock);
}

static int write_unknown(struct state *state, int64_t until)
{
    CLEANUP(state_finish) struct sqlite3_stmt *update = NULL;
    int r = state_prepare(state, "UPDATE service SET unknown_until = ?1 WHERE unknown_until < ?1",
                          &update);

    if (r)
        return r;
    state_bind_number(update, 1, until);
    return state_run(state, update);
}

/* Writes inside of a transaction. */
static int write(struct state *state, const struct memory_write *what, const struct past *then)
{
    struct memory memory;
    int64_t last_body;
    int r = memory_read(state, &memory);

    if (r)
        return r;
    if (memory.seed != snapshot_seed(what->published)) {
        r = memory_domains_reseed(state, snapshot_seed(what->published));
        if (r)
            return r;
    }
    r = write_unknown(state, what->unknown_until);
    if (r)
        return r;
    r = bodies_find_last(state, &last_body);
    if (r)
        return r;
    r = memory_policies_write(state, what, then);
    if (r)
        return r;
    r = memory_domains_write(state, what, last_body);
    if (r)
        return r;
    r = memory_policies_delete(state, then, what->past);
    if (r)
        return r;
    return write_rest(state, what);
}

int memory_write(struct state *state, const struct memory_write *what)
{
    CLEANUP(past_deinit) struct past then = PAST_INIT;
    int r = state_begin(state);

    if (r)
        return r;
    r = memory_policies_read(state, &what->clock, &then);
    if (r == 0)
        r = write(state, what, &then);
    return state_end(state, r);
}

/* Until when senders may hold a policy of a snapshot that is published, or a domain retires in it.
 */
static int64_t held_until(const struct snapshot *published, int64_t now)
{
    int64_t last = snapshot_n_retiring(published) ? snapshot_last_until(published) : 0;

    for (size_t i = 0; i < snapshot_n_policies(published); i++) {
        const struct policy *policy = snapshot_policy(published, i);
        int64_t until = now + 1 + policy->max_age + policy->ttl;

        if (policy->mode == POLICY_MODE_ENFORCE && until > last)
            last = until;
    }
    return last;
}

static int leave_note(struct state *state, const struct memory_write *what)
{
    CLEANUP(state_finish) struct sqlite3_stmt *update = NULL;
    int64_t until = held_until(what->published, what->clock.time);
    struct memory memory;
    int r = memory_read(state, &memory);

    if (r)
        return r;
    if (until < what->unknown_until)
        until = what->unknown_until;
    /* On the clock of that state. */
    r = write_unknown(state, until ? until - what->clock.ahead + memory.ahead : 0);
    if (r)
        return r;
    r = state_prepare(state, "UPDATE service SET ended = 0, highest = max(highest, ?)", &update);
    if (r)
        return r;
    state_bind_number(update, 1, what->past->highest);
    return state_run(state, update);
}

int memory_leave_note(struct state *state, const struct memory_write *what)
{
    int r = state_begin(state);

    return r ? r : state_end(state, leave_note(state, what));
}

int memory_end(struct state *state)
{
    return state_execute(state, "UPDATE service SET ended = 1");
}
