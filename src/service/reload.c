#include "service/reload.h"
#include "os/clock.h"

#include "config/diagnostics.h"

enum { IDS_NAMED = 10 }; /* changes of id in one log line; the others are counted */

/* How many domains of one snapshot another does not have. */
static size_t count_missing(const struct snapshot *of, const struct snapshot *from)
{
    struct domain domain, found;
    size_t cursor = 0, n = 0;

    while (snapshot_next_domain(of, &cursor, &domain))
        if (!snapshot_find(from, domain.name, &found))
            n++;
    return n;
}

/* Whether two policies of the same primary publish the same. */
static bool same_content(const struct policy *a, const struct policy *b)
{
    return text_equals(a->body, b->body) && policy_records_same(a, b);
}

struct policy_changes {
    size_t added, removed, changed;
};

static struct policy_changes compare_policies(const struct snapshot *before,
                                              const struct snapshot *after)
{
    struct policy_changes changes = {.removed = snapshot_n_policies(before)};

    for (size_t i = 0; i < snapshot_n_policies(after); i++) {
        const struct policy *now = snapshot_policy(after, i);
        const struct policy *old = snapshot_same_policy(before, now);

        if (!old) {
            changes.added++;
            continue;
        }
        changes.removed--;
        changes.changed += !same_content(old, now);
    }
    return changes;
}

void reload_describe_ids(const struct snapshot *before, const struct snapshot *after,
                         struct buffer *out)
{
    size_t n = 0;

    for (size_t i = 0; i < snapshot_n_policies(after); i++) {
        const struct policy *now = snapshot_policy(after, i);
        const struct policy *old = snapshot_same_policy(before, now);

        if (!old || text_equals(old->id, now->id) || n++ >= IDS_NAMED)
            continue;
        buffer_printf(out, "%s %s %s -> %s", n == 1 ? "ids:" : ",", now->primary.data,
                      old->id.length ? old->id.data : "none",
                      now->id.length ? now->id.data : "none");
    }
    if (n > IDS_NAMED)
        buffer_printf(out, " and %zu more", n - IDS_NAMED);
}

void reload_describe(const struct snapshot *before, const struct snapshot *after,
                     struct buffer *out)
{
    CLEANUP(buffer_deinit) struct buffer ids = BUFFER_INIT;
    struct policy_changes policies = compare_policies(before, after);
    size_t added = count_missing(after, before);
    size_t common = snapshot_n_domains(after) - added;

    buffer_printf(out,
                  "%zu policies (%zu added, %zu removed, %zu changed), "
                  "%zu domains (%zu added, %zu removed)",
                  snapshot_n_policies(after), policies.added, policies.removed, policies.changed,
                  snapshot_n_domains(after), added, snapshot_n_domains(before) - common);
    reload_describe_ids(before, after, &ids);
    if (ids.length)
        buffer_printf(out, "; %.*s", (int)ids.length, ids.data);
}

void reload_check_ids(const struct snapshot *before, const struct snapshot *after,
                      void (*warn)(const struct policy *policy, void *context), void *context)
{
    for (size_t i = 0; i < snapshot_n_policies(after); i++) {
        const struct policy *now = snapshot_policy(after, i);
        const struct policy *old = snapshot_same_policy(before, now);

        if (old && now->fixed_id && old->id.length && text_equals(old->id, now->id) &&
            !text_equals(old->body_id, now->body_id))
            warn(now, context);
    }
}

void reload_check_serials(const struct config *config, struct buffer *out)
{
    uint32_t highest = snapshot_highest_serial(config->snapshot);

    if (highest > config->files_mtime)
        buffer_printf(out,
                      "serials of own zones are up to %u, but the newest file is of %u (%s): a "
                      "restart would take them back; run touch on the configuration",
                      highest, config->files_mtime, clock_text(config->files_mtime).text);
}
