#include "state/notified.h"

#include "base/array.h"

#include <errno.h>

static int read_zones(struct state *state, struct notified *out)
{
    CLEANUP(state_finish) struct sqlite3_stmt *row = NULL;
    int r = state_prepare(state, "SELECT zone, serial FROM notified ORDER BY zone", &row);

    if (r)
        return r;
    while ((r = state_step(state, row)) == 0) {
        if (ARRAY_RESERVE(out->zones, out->n, out->capacity))
            return -ENOMEM;
        out->zones[out->n++] =
            (struct notified_zone){(uint32_t)state_number(row, 0), (uint32_t)state_number(row, 1)};
    }
    return r == STATE_END ? 0 : r;
}

int notified_read(struct state *state, struct notified *out)
{
    CLEANUP(state_finish) struct sqlite3_stmt *row = NULL;
    CLEANUP(notified_deinit) struct notified notified = NOTIFIED_INIT;
    int r = state_prepare(state, "SELECT notified FROM service", &row);

    if (r)
        return r;
    r = state_step(state, row);
    if (r)
        return r == STATE_END ? 0 : r;
    notified.all_to = (uint32_t)state_number(row, 0);
    r = read_zones(state, &notified);
    if (r)
        return r;
    *out = notified;
    notified = NOTIFIED_INIT;
    return 0;
}

static int add_zones(struct state *state, const struct notified *news)
{
    CLEANUP(state_finish) struct sqlite3_stmt *put = NULL;
    int r = state_prepare(state, "INSERT OR REPLACE INTO notified VALUES (?, ?)", &put);

    for (size_t i = 0; i < news->n && r == 0; i++) {
        state_bind_number(put, 1, news->zones[i].id);
        state_bind_number(put, 2, news->zones[i].serial);
        r = state_run(state, put);
    }
    return r;
}

static int set_all(struct state *state, uint32_t serial)
{
    CLEANUP(state_finish) struct sqlite3_stmt *update = NULL;
    int r = state_prepare(state, "UPDATE service SET notified = ?", &update);

    if (r)
        return r;
    state_bind_number(update, 1, serial);
    return state_run(state, update);
}

int notified_write(struct state *state, const struct notified *news, bool all)
{
    int r = state_begin(state);

    if (r)
        return r;
    r = set_all(state, news->all_to);
    if (r == 0)
        r = all ? state_execute(state, "DELETE FROM notified") : add_zones(state, news);
    return state_end(state, r);
}
