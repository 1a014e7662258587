#include "service/reload.h"

#include "base/number.h"
#include "config/diagnostics.h"
#include "os/clock.h"

/* In one log line; the others are counted. */
enum {
    IDS_NAMED = 10, /* changes of id */
    DOMAINS_NAMED = 5,
};

/* Counts the domains that are new, and names those that were held back and are not any more: their
 * certificates have come. */
static size_t compare_domains(const struct snapshot *before, const struct snapshot *after,
                              struct buffer *released)
{
    struct domain now, old;
    size_t cursor = 0, n_added = 0, n_released = 0;

    while (snapshot_next_domain(after, &cursor, &now)) {
        if (!snapshot_find(before, now.name, &old))
            n_added++;
        else if (old.held && !now.held && n_released++ < DOMAINS_NAMED)
            buffer_printf(released, "%s%.*s", n_released == 1 ? "" : ", ", (int)now.name.length,
                          now.name.data);
    }
    if (n_released > DOMAINS_NAMED)
        buffer_printf(released, " and %zu more", n_released - DOMAINS_NAMED);
    return n_added;
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
    CLEANUP(buffer_deinit) struct buffer ids = BUFFER_INIT, released = BUFFER_INIT;
    struct policy_changes policies = compare_policies(before, after);
    size_t added = compare_domains(before, after, &released);
    size_t common = snapshot_n_domains(after) - added;

    buffer_printf(out, "%s (%zu added, %zu removed, %zu changed), %s (%zu added, %zu removed)",
                  number_of(snapshot_n_policies(after), "policy", "policies").text, policies.added,
                  policies.removed, policies.changed,
                  number_of(snapshot_n_domains(after), "domain", "domains").text, added,
                  snapshot_n_domains(before) - common);
    if (released.length)
        buffer_printf(out, "; no longer waiting for a certificate: %.*s", (int)released.length,
                      released.data);
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
