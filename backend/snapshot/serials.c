#include "snapshot/serials.h"

#include "base/array.h"
#include "snapshot/zones.h"

#include <errno.h>

void serials_deinit(struct serials *serials)
{
    free(serials->policies);
    free(serials->overrides);
    *serials = (struct serials){0};
}

/* Whether the SOA records of two snapshots are the same, serials aside. */
static bool same_authority(const struct snapshot *a, const struct snapshot *b)
{
    const struct zone_settings *one = snapshot_zone_settings(a);
    const struct zone_settings *other = snapshot_zone_settings(b);

    return one->n_nameservers && other->n_nameservers &&
           name_equals(&one->nameservers[0], &other->nameservers[0]) &&
           name_equals(&one->hostmaster, &other->hostmaster);
}

/* The serial of a policy: the one it had, if its zones are the same as before; else FRESH. */
static uint32_t policy_serial(const struct snapshot *snapshot, size_t number,
                              const struct snapshot *before, uint32_t fresh)
{
    const struct policy *policy = snapshot_policy(snapshot, number);
    const struct policy *old = before ? snapshot_same_policy(before, policy) : NULL;

    if (old && old->zones && policy_records_same(old, policy) && same_authority(before, snapshot))
        return snapshot_policy_serial(before, snapshot_policy_number(before, old));
    return fresh;
}

static uint32_t catalog_serial(const struct snapshot *snapshot, const struct snapshot *before,
                               uint32_t fresh)
{
    const struct zones *zones = snapshot_zones(snapshot),
                       *old = before ? snapshot_zones(before) : NULL;

    if (!snapshot_has_catalog(snapshot))
        return 0;
    if (old && old->n == zones->n && old->fingerprint == zones->fingerprint &&
        name_equals(&snapshot_zone_settings(before)->catalog,
                    &snapshot_zone_settings(snapshot)->catalog) &&
        same_authority(before, snapshot))
        return snapshot_serials(before)->catalog;
    return fresh;
}

/* The override of a domain, or 0. */
static uint32_t find_override(const struct serials *serials, uint32_t position)
{
    size_t low = 0, high = serials->n_overrides;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (serials->overrides[middle].position < position)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == serials->n_overrides || serials->overrides[low].position != position)
        return 0;
    return serials->overrides[low].serial;
}

uint32_t serials_domain(const struct serials *serials, size_t policy, uint32_t position)
{
    uint32_t override = find_override(serials, position);

    return override > serials->policies[policy] ? override : serials->policies[policy];
}

/* The serial that a domain's zones must have at least, whatever their policy has; or 0. SERIAL is
 * that of the policy. */
static uint32_t needed_serial(const struct domain *domain, uint32_t serial,
                              const struct snapshot *before, uint32_t fresh)
{
    struct domain old;
    uint32_t override;

    if (!snapshot_find(before, domain->name, &old) || !old.policy->zones ||
        !text_equals(old.policy->primary, domain->policy->primary))
        return fresh;
    override = find_override(snapshot_serials(before), old.position);
    if (override &&
        serial != snapshot_policy_serial(before, snapshot_policy_number(before, old.policy)))
        return fresh;
    return override;
}

/* Finds the domains whose zones need a higher serial than their policy's. */
static int add_overrides(struct serials *serials, const struct snapshot *snapshot,
                         const struct snapshot *before)
{
    struct domain domain;
    size_t cursor = 0;

    if (!before || serials_highest(serials) == 0)
        return 0;
    while (snapshot_next_domain(snapshot, &cursor, &domain)) {
        uint32_t serial = serials->policies[snapshot_policy_number(snapshot, domain.policy)];
        uint32_t needed;

        if (!domain.policy->zones)
            continue;
        needed = needed_serial(&domain, serial, before, serials->fresh);
        if (needed <= serial)
            continue;
        if (ARRAY_RESERVE(serials->overrides, serials->n_overrides, serials->capacity))
            return -ENOMEM;
        serials->overrides[serials->n_overrides++] =
            (struct serial_override){domain.position, needed};
    }
    return 0;
}

int serials_make(const struct snapshot *snapshot, const struct snapshot *before,
                 uint32_t files_mtime, const struct announcement *waiting, size_t n,
                 struct serials *out)
{
    CLEANUP(serials_deinit) struct serials serials = {.n_policies = snapshot_n_policies(snapshot)};
    int r;

    if (before) {
        uint32_t highest = snapshot_highest_serial(before), past = snapshot_serials(before)->past;

        serials.past = highest > past ? highest : past;
    }
    /* Higher than all before: a zone that is new now may have been there earlier. */
    serials.fresh = files_mtime > serials.past ? files_mtime : serials.past + 1;
    serials.catalog = catalog_serial(snapshot, before, serials.fresh);
    serials.policies = calloc(serials.n_policies + 1, sizeof(*serials.policies));
    if (!serials.policies)
        return -ENOMEM;
    for (size_t i = 0; i < serials.n_policies; i++)
        if (snapshot_policy(snapshot, i)->zones)
            serials.policies[i] = policy_serial(snapshot, i, before, serials.fresh);
    for (size_t i = 0; i < n; i++) {
        uint32_t *serial = &serials.policies[waiting[i].policy];

        if (*serial && *serial < serials.past + 2)
            *serial = serials.past + 2;
    }
    r = add_overrides(&serials, snapshot, before);
    if (r)
        return r;
    *out = serials;
    serials = (struct serials){0};
    return 0;
}

int serials_make_waiting(const struct snapshot *snapshot, const struct snapshot *loaded,
                         const struct snapshot *before, const struct announcement *waiting,
                         size_t n, struct serials *out)
{
    const struct serials *later = snapshot_serials(loaded);
    CLEANUP(serials_deinit)
    struct serials serials = {
        .n_policies = later->n_policies,
        .catalog = later->catalog,
        .fresh = later->fresh - 1 > later->past ? later->fresh - 1 : later->fresh,
        .past = later->past,
    };
    int r;

    serials.policies = calloc(serials.n_policies + 1, sizeof(*serials.policies));
    if (!serials.policies)
        return -ENOMEM;
    memcpy(serials.policies, later->policies, serials.n_policies * sizeof(*serials.policies));
    for (size_t i = 0; i < n; i++) {
        size_t number = waiting[i].policy;

        if (serials.policies[number])
            serials.policies[number] =
                policy_serial(snapshot, number, before, later->policies[number] - 1);
    }
    /* Policies have lower serials than in LOADED, so more domains may need overrides. */
    r = add_overrides(&serials, snapshot, before);
    if (r)
        return r;
    *out = serials;
    serials = (struct serials){0};
    return 0;
}

uint32_t serials_highest(const struct serials *serials)
{
    uint32_t highest = serials->catalog;

    for (size_t i = 0; i < serials->n_policies; i++)
        if (serials->policies[i] > highest)
            highest = serials->policies[i];
    for (size_t i = 0; i < serials->n_overrides; i++)
        if (serials->overrides[i].serial > highest)
            highest = serials->overrides[i].serial;
    return highest;
}

size_t serials_size(const struct serials *serials)
{
    return serials->n_policies * sizeof(*serials->policies) +
           serials->capacity * sizeof(*serials->overrides);
}
