#include "service/reload.h"

#include "base/number.h"

/* In one log line; the others are counted. */
enum {
    IDS_NAMED = 10, /* changes of id */
    DOMAINS_NAMED = 5,
};

/* Names the domains that were held back and are not any more: their certificates have come. */
static void name_released(const struct snapshot *after, const struct domain_changes *changes,
                          struct buffer *out)
{
    struct domain now;
    size_t n = 0;

    for (size_t i = changes->n_removed; i < changes->n; i++) {
        const struct domain_change *change = &changes->items[i];

        if (!change->was_there || !change->before.held)
            continue;
        snapshot_at(after, change->position, &now);
        if (!now.held && n++ < DOMAINS_NAMED)
            buffer_printf(out, "%s%.*s", n == 1 ? "" : ", ", (int)now.name.length, now.name.data);
    }
    if (n > DOMAINS_NAMED)
        buffer_printf(out, " and %zu more", n - DOMAINS_NAMED);
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

/* Whether a domain is in the configuration that had changed to this: that it is at a POSITION. */
static bool is_listed(const struct snapshot *after, uint32_t position)
{
    struct domain domain;

    if (position == 0)
        return false;
    snapshot_at(after, position, &domain);
    return policy_lists(domain.policy->primary);
}

static bool was_listed(const struct domain_change *change)
{
    return change->was_there && policy_lists(change->before.primary);
}

size_t reload_count_added(const struct snapshot *after, const struct domain_changes *changes)
{
    size_t n = 0;

    for (size_t i = 0; i < changes->n; i++)
        n += !was_listed(&changes->items[i]) && is_listed(after, changes->items[i].position);
    return n;
}

size_t reload_count_removed(const struct snapshot *after, const struct domain_changes *changes)
{
    size_t n = 0;

    for (size_t i = 0; i < changes->n; i++)
        n += was_listed(&changes->items[i]) && !is_listed(after, changes->items[i].position);
    return n;
}

/* A change of their number takes work on the secondaries. */
static void describe_catalogs(const struct snapshot *before, const struct snapshot *after,
                              struct buffer *out)
{
    uint32_t old = snapshot_n_catalogs(before), now = snapshot_n_catalogs(after);

    if (old != now)
        buffer_printf(out, "; catalog zones: %u -> %u", old, now);
}

void reload_describe(const struct snapshot *before, const struct snapshot *after,
                     const struct domain_changes *changes, struct buffer *out)
{
    CLEANUP(buffer_deinit) struct buffer ids = BUFFER_INIT, released = BUFFER_INIT;
    struct policy_changes policies = compare_policies(before, after);

    name_released(after, changes, &released);
    buffer_printf(out, "%s (%zu added, %zu removed, %zu changed), %s (%zu added, %zu removed)",
                  number_of(snapshot_n_policies(after), "policy", "policies").text, policies.added,
                  policies.removed, policies.changed,
                  number_of(snapshot_n_domains(after), "domain", "domains").text,
                  reload_count_added(after, changes), reload_count_removed(after, changes));
    describe_catalogs(before, after, out);
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

bool reload_removes_too_many(size_t removed, size_t n, uint32_t limit)
{
    return removed >= RELOAD_REMOVED_MIN && removed * 100 > n * limit;
}
