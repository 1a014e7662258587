#include "service/announcements.h"

#include "base/array.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

enum { NAMED = 10 }; /* ids in one description; the others are counted */

void announcements_deinit(struct announcements *announcements)
{
    free(announcements->items);
    *announcements = ANNOUNCEMENTS_INIT;
}

/* Decides about one policy. Returns whether its id waits. */
static bool plan_policy(const struct past_policy *old, const struct policy *loaded, int64_t now,
                        struct waiting_id *out)
{
    if (!old || old->id.length == 0 || loaded->id.length == 0 || text_equals(old->id, loaded->id))
        return false;
    out->since = now;
    if (text_equals(old->body_id, loaded->body_id)) {
        if (!old->waits)
            return false;
        out->since = old->since;
    }
    out->due = out->since + (int64_t)loaded->announce_delay * 1000;
    snprintf(out->id, sizeof(out->id), "%.*s", (int)old->id.length, old->id.data);
    return out->due > now;
}

int announcements_plan(const struct past *past, const struct snapshot *loaded, int64_t now,
                       struct announcements *out)
{
    CLEANUP(announcements_deinit) struct announcements planned = ANNOUNCEMENTS_INIT;

    for (size_t i = 0; i < snapshot_n_policies(loaded); i++) {
        const struct policy *policy = snapshot_policy(loaded, i);
        struct waiting_id waiting = {.policy = (uint32_t)i};

        if (!plan_policy(past_find(past, policy->primary), policy, now, &waiting))
            continue;
        if (ARRAY_RESERVE(planned.items, planned.n, planned.capacity))
            return -ENOMEM;
        planned.items[planned.n++] = waiting;
    }
    *out = planned;
    planned = ANNOUNCEMENTS_INIT;
    return 0;
}

void announcements_note(const struct announcements *announcements, const struct snapshot *loaded,
                        int64_t now, struct past *past)
{
    for (size_t i = 0; i < announcements->n; i++) {
        const struct waiting_id *waiting = &announcements->items[i];
        struct past_policy *policy =
            past_find(past, snapshot_policy(loaded, waiting->policy)->primary);

        policy->waits = waiting->due > now;
        policy->since = waiting->since;
    }
}

/* Lists the ids that wait at a time. Returns the list, which the caller frees, or NULL. */
static struct announcement *list_waiting(const struct announcements *announcements, int64_t now,
                                         size_t *n)
{
    struct announcement *list = calloc(announcements->n + 1, sizeof(*list));

    *n = 0;
    for (size_t i = 0; i < announcements->n && list; i++) {
        const struct waiting_id *waiting = &announcements->items[i];

        if (waiting->due > now)
            list[(*n)++] = (struct announcement){waiting->policy, text_from(waiting->id)};
    }
    return list;
}

int announcements_follow(const struct announcements *announcements, const struct snapshot *loaded,
                         const struct snapshot_before *before, struct snapshot **out)
{
    size_t n;
    CLEANUP(free_pointer) struct announcement *waiting = list_waiting(announcements, INT64_MIN, &n);

    if (!waiting)
        return -ENOMEM;
    return snapshot_follow(loaded, before, waiting, n, out);
}

int announcements_apply(const struct announcements *announcements, struct snapshot *loaded,
                        const struct snapshot_before *before, int64_t now, struct snapshot **out)
{
    size_t n;
    CLEANUP(free_pointer) struct announcement *waiting = list_waiting(announcements, now, &n);

    if (!waiting)
        return -ENOMEM;
    if (n)
        return snapshot_announce(loaded, before, waiting, n, out);
    *out = snapshot_ref(loaded);
    return 0;
}

int64_t announcements_next(const struct announcements *announcements)
{
    int64_t next = INT64_MAX;

    for (size_t i = 0; i < announcements->n; i++)
        if (announcements->items[i].due < next)
            next = announcements->items[i].due;
    return next;
}

void announcements_drop_due(struct announcements *announcements, int64_t now)
{
    size_t kept = 0;

    for (size_t i = 0; i < announcements->n; i++)
        if (announcements->items[i].due > now)
            announcements->items[kept++] = announcements->items[i];
    announcements->n = kept;
}

void announcements_defer_due(struct announcements *announcements, int64_t now, int64_t until)
{
    for (size_t i = 0; i < announcements->n; i++)
        if (announcements->items[i].due <= now)
            announcements->items[i].due = until;
}

void announcements_describe(const struct announcements *announcements,
                            const struct snapshot *loaded, int64_t now, struct buffer *out)
{
    size_t n = announcements->n;

    for (size_t i = 0; i < n && i < NAMED; i++) {
        const struct waiting_id *waiting = &announcements->items[i];
        const struct policy *policy = snapshot_policy(loaded, waiting->policy);

        if (i == 0)
            buffer_printf(out, "%zu %s: ", n, n == 1 ? "id waits" : "ids wait");
        buffer_printf(out, "%s%s %s -> %s in %" PRId64 " s", i ? ", " : "", policy->primary.data,
                      waiting->id, policy->id.data, (waiting->due - now + 999) / 1000);
    }
    if (n > NAMED)
        buffer_printf(out, " and %zu more", n - NAMED);
}

struct status_waiting *announcements_show(const struct announcements *announcements,
                                          const struct snapshot *loaded, int64_t now, time_t clock)
{
    struct status_waiting *shown = status_waiting_new(announcements->n);

    for (size_t i = 0; i < announcements->n && shown; i++) {
        const struct waiting_id *waiting = &announcements->items[i];
        struct status_waiting_id *id = &shown->ids[i];

        *id = (struct status_waiting_id){
            .policy = waiting->policy,
            .due = clock + (time_t)((waiting->due - now + 999) / 1000),
        };
        snprintf(id->announced, sizeof(id->announced), "%s", waiting->id);
        snprintf(id->next, sizeof(id->next), "%s",
                 snapshot_policy(loaded, waiting->policy)->id.data);
    }
    return shown;
}
