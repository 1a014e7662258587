#include "service/announcements.h"
#include "os/clock.h"

#include "service/reload.h"

#include <errno.h>
#include <inttypes.h>

enum { NAMED = 10 }; /* ids in one description; the others are counted */

void announcements_deinit(struct announcements *announcements)
{
    free(announcements->items);
    *announcements = ANNOUNCEMENTS_INIT;
}

static int compare_policy(const void *a, const void *b)
{
    const struct pending *left = a, *right = b;

    return (left->policy > right->policy) - (left->policy < right->policy);
}

static const struct pending *find(const struct announcements *announcements, uint32_t policy)
{
    struct pending wanted = {.policy = policy};

    if (announcements->n == 0)
        return NULL;
    return bsearch(&wanted, announcements->items, announcements->n, sizeof(wanted), compare_policy);
}

/* When the body changed because of which the id of a policy may have to wait. Returns whether there
 * is such a time. */
static bool changed_since(const struct announcements *before, const struct snapshot *published,
                          const struct policy *old, const struct policy *loaded, int64_t now,
                          int64_t *out)
{
    const struct pending *pending;

    if (!text_equals(old->body_id, loaded->body_id)) {
        *out = now;
        return true;
    }
    pending = find(before, (uint32_t)(old - snapshot_policy(published, 0)));
    if (pending)
        *out = pending->since;
    return pending;
}

/* Decides about one policy. Returns whether its id waits. */
static bool plan_policy(const struct announcements *before, const struct snapshot *published,
                        const struct policy *loaded, int64_t now, struct pending *out)
{
    const struct policy *old = snapshot_same_policy(published, loaded);
    int64_t since;

    if (!old || old->id.length == 0 || loaded->id.length == 0 || text_equals(old->id, loaded->id) ||
        !changed_since(before, published, old, loaded, now, &since) ||
        since + (int64_t)loaded->announce_delay * 1000 <= now)
        return false;
    out->since = since;
    out->due = since + (int64_t)loaded->announce_delay * 1000;
    memcpy(out->id, old->id.data, old->id.length + 1);
    return true;
}

static int append(struct announcements *announcements, const struct pending *pending)
{
    size_t n = announcements->n;
    struct pending *items = announcements->items;

    /* The room doubles at each power of two. */
    if ((n & (n - 1)) == 0) {
        items = reallocarray(items, n ? 2 * n : 1, sizeof(*items));
        if (!items)
            return -ENOMEM;
        announcements->items = items;
    }
    items[announcements->n++] = *pending;
    return 0;
}

int announcements_plan(const struct announcements *before, const struct snapshot *published,
                       const struct snapshot *loaded, int64_t now, struct announcements *out)
{
    CLEANUP(announcements_deinit) struct announcements planned = ANNOUNCEMENTS_INIT;

    for (size_t i = 0; i < snapshot_n_policies(loaded); i++) {
        struct pending pending = {.policy = (uint32_t)i};

        if (plan_policy(before, published, snapshot_policy(loaded, i), now, &pending)) {
            int r = append(&planned, &pending);

            if (r)
                return r;
        }
    }
    *out = planned;
    planned = ANNOUNCEMENTS_INIT;
    return 0;
}

int announcements_apply(const struct announcements *announcements, struct snapshot *loaded,
                        const struct snapshot *before, int64_t now, struct snapshot **out)
{
    struct announcement *old = calloc(announcements->n + 1, sizeof(*old));
    size_t n = 0;
    int r = 0;

    if (!old)
        return -ENOMEM;
    for (size_t i = 0; i < announcements->n; i++) {
        const struct pending *pending = &announcements->items[i];

        if (pending->due > now)
            old[n++] = (struct announcement){pending->policy, text_from(pending->id)};
    }
    if (n)
        r = snapshot_announce(loaded, before, old, n, out);
    else
        *out = snapshot_ref(loaded);
    free(old);
    return r;
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
        const struct pending *pending = &announcements->items[i];
        const struct policy *policy = snapshot_policy(loaded, pending->policy);

        if (i == 0)
            buffer_printf(out, "%zu %s: ", n, n == 1 ? "id waits" : "ids wait");
        buffer_printf(out, "%s%s %s -> %s in %" PRId64 " s", i ? ", " : "", policy->primary.data,
                      pending->id, policy->id.data, (pending->due - now + 999) / 1000);
    }
    if (n > NAMED)
        buffer_printf(out, " and %zu more", n - NAMED);
}

/* None of the texts needs an escape. */
void announcements_write_json(const struct announcements *announcements,
                              const struct snapshot *loaded, int64_t now, time_t clock,
                              struct buffer *out)
{
    for (size_t i = 0; i < announcements->n; i++) {
        const struct pending *pending = &announcements->items[i];
        const struct policy *policy = snapshot_policy(loaded, pending->policy);
        time_t due = clock + (time_t)((pending->due - now + 999) / 1000);

        buffer_printf(
            out, "%s{\"domain\":\"%s\",\"announced\":\"%s\",\"next\":\"%s\",\"due\":\"%s\"}",
            i ? "," : "", policy->primary.data, pending->id, policy->id.data, clock_text(due).text);
    }
}
