#include "base/array.h"
#include "state/bodies.h"
#include "state/memory_parts.h"

#include <errno.h>
#include <sqlite3.h>

enum {
    SERIALS_LOST = 16
}; /* that a process may have given after it last wrote, ahead of the clock */

#define SERIAL_MAX (UINT32_MAX - (1U << 20)) /* no number in use is above */

int memory_read(struct state *state, struct memory *out)
{
    CLEANUP(state_finish) struct sqlite3_stmt *row = NULL;
    int r = state_prepare(
        state, "SELECT seed, ended, written, highest, notified, ahead FROM service", &row);

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
    };
    if (state_number(row, 3) >= 0 && state_number(row, 3) <= SERIAL_MAX)
        return 0;
    return state_impossible(state, "a highest serial");
}

/* Notes that this process has not ended, and if the one before has not either, the numbers that its
 * serials may have reached: this process goes on from there, and may not get to write either. */
static int note_begin(struct state *state, const struct memory *memory)
{
    CLEANUP(state_finish) struct sqlite3_stmt *update = NULL;
    int r = state_prepare(state, "UPDATE service SET ended = 0, highest = highest + ?", &update);

    if (r)
        return r;
    state_bind_number(update, 1, memory->ended || memory->highest == 0 ? 0 : SERIALS_LOST);
    return state_run(state, update);
}

static int begin(struct state *state, uint64_t seed, struct memory *out)
{
    CLEANUP(state_finish) struct sqlite3_stmt *insert = NULL;
    int r = state_prepare(state, "INSERT OR IGNORE INTO service VALUES (1, ?, 1, 0, 0, 0, 0, 0)",
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
    return note_begin(state, out);
}

/* The highest serial that a process may have given that did not end well: that of a load until
 * now, or a few numbers more than it had written. */
static uint32_t highest_lost(uint32_t highest, int64_t time)
{
    highest += SERIALS_LOST;
    return time > (int64_t)highest && time <= SERIAL_MAX && time < (int64_t)highest + INT32_MAX
               ? (uint32_t)time
               : highest;
}

/* This must reach the disk before anything is published; what comes later need not. */
int memory_begin(struct state *state, uint64_t seed, struct memory *out)
{
    int r = state_execute(state, "PRAGMA synchronous = FULL");

    if (r)
        return r;
    r = state_begin(state);
    if (r)
        return r;
    r = state_end(state, begin(state, seed, out));
    if (r)
        return r;
    return state_execute(state, "PRAGMA synchronous = NORMAL");
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
        past.highest = highest_lost(past.highest, clock->time - clock->ahead);
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

int memory_end(struct state *state)
{
    return state_execute(state, "UPDATE service SET ended = 1");
}
