#include "snapshot/serials.h"

#include "base/array.h"
#include "snapshot/changes.h"
#include "snapshot/fingerprint.h"
#include "snapshot/past.h"

#include <errno.h>

enum { NUMBERS_LEFT = 1 << 24 }; /* above the last time that is taken as a serial, in 2105 */

void serials_deinit(struct serials *serials)
{
    free(serials->policies);
    free(serials->catalogs);
    free(serials->overrides);
    *serials = (struct serials){0};
}

int serials_init(struct serials *serials, size_t n_policies, size_t n_catalogs)
{
    *serials = (struct serials){
        .policies = calloc(n_policies + 1, sizeof(*serials->policies)),
        .n_policies = n_policies,
        .catalogs = calloc(n_catalogs + 1, sizeof(*serials->catalogs)),
        .n_catalogs = n_catalogs,
    };
    if (serials->policies && serials->catalogs)
        return 0;
    serials_deinit(serials);
    return -ENOMEM;
}

/* What is given to zones that a load at a time has changed. A clock that has jumped decades ahead
 * is not followed: the serial would count as a lower one (RFC 1982 3.2), and none would be left. */
static uint32_t fresh_serial(uint32_t past, int64_t time)
{
    bool usable = time <= (int64_t)UINT32_MAX - NUMBERS_LEFT &&
                  (past == 0 || time < (int64_t)past + INT32_MAX);

    return usable && time > (int64_t)past ? (uint32_t)time : past + 1;
}

/* The serial of a policy: the one it had, if its zones are the same as before; else FRESH. */
static uint32_t policy_serial(const struct snapshot *snapshot, size_t number,
                              const struct past *past, uint32_t fresh)
{
    const struct policy *policy = snapshot_policy(snapshot, number);
    uint64_t records = policy_fingerprint(policy, snapshot_zone_settings(snapshot));
    const struct past_policy *old = past_find(past, policy->primary);

    return old && old->serial && old->records == records ? old->serial : fresh;
}

/* The same for the catalog zone of a part. */
static uint32_t catalog_serial(const struct snapshot *snapshot, uint32_t part,
                               const struct past *past, uint32_t fresh)
{
    uint64_t records =
        catalog_fingerprint(snapshot_zones(snapshot), snapshot_zone_settings(snapshot), part);
    const struct past_catalog *old = part < past->n_catalogs ? &past->catalogs[part] : NULL;

    return old && old->serial && old->records == records ? old->serial : fresh;
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

/* Gives the zones of a domain a serial of their own if their policy's is below it. */
static int add_override(struct serials *serials, const struct snapshot *snapshot, uint32_t position,
                        uint32_t serial)
{
    struct domain domain;

    snapshot_at(snapshot, position, &domain);
    if (!domain.policy->zones ||
        serial <= serials->policies[snapshot_policy_number(snapshot, domain.policy)])
        return 0;
    if (ARRAY_RESERVE(serials->overrides, serials->n_overrides, serials->capacity))
        return -ENOMEM;
    serials->overrides[serials->n_overrides++] = (struct serial_override){position, serial};
    return 0;
}

/* Keeps what a domain had above its policy's serial; if that is another one now, and not higher,
 * the domain's zones have changed, too. */
static int keep_override(struct serials *serials, const struct snapshot *snapshot,
                         const struct past *past, const struct past_override *override)
{
    const struct past_policy *old;
    struct domain domain;
    uint32_t serial;

    if (!snapshot_find(snapshot, override->name, &domain))
        return 0;
    old = past_find(past, domain.policy->primary);
    serial = serials->policies[snapshot_policy_number(snapshot, domain.policy)];
    return add_override(serials, snapshot, domain.position,
                        old && old->serial == serial ? override->serial : serials->fresh);
}

static int compare_overrides(const void *a, const void *b)
{
    const struct serial_override *left = a, *right = b;

    if (left->position != right->position)
        return left->position < right->position ? -1 : 1;
    return (left->serial < right->serial) - (left->serial > right->serial);
}

/* Puts the overrides into their order, and leaves one for each domain, the highest. */
static void sort_overrides(struct serials *serials)
{
    struct serial_override *items = serials->overrides;
    size_t kept = 0;

    if (serials->n_overrides)
        qsort(items, serials->n_overrides, sizeof(*items), compare_overrides);
    for (size_t i = 0; i < serials->n_overrides; i++)
        if (kept == 0 || items[kept - 1].position != items[i].position)
            items[kept++] = items[i];
    serials->n_overrides = kept;
}

/* Finds the domains whose zones need a higher serial than their policy's: those that had one, and
 * those that are new to their policy. */
static int add_overrides(struct serials *serials, const struct snapshot *snapshot,
                         const struct snapshot_before *before)
{
    const struct past *past = before->past;
    const struct domain_changes *changes = before->changes;
    int r = 0;

    if (past->highest == 0)
        return 0;
    for (size_t i = 0; i < past->n_overrides && r == 0; i++)
        r = keep_override(serials, snapshot, past, &past->overrides[i]);
    for (size_t i = 0; i < changes->n && r == 0; i++)
        if (changes->items[i].position && (changes->items[i].moved || !changes->items[i].was_there))
            r = add_override(serials, snapshot, changes->items[i].position, serials->fresh);
    if (r == 0)
        sort_overrides(serials);
    return r;
}

int serials_make(const struct snapshot *snapshot, const struct snapshot_before *before,
                 const struct announcement *waiting, size_t n, struct serials *out)
{
    CLEANUP(serials_deinit) struct serials serials = {0};
    const struct past *past = before->past;
    int r =
        serials_init(&serials, snapshot_n_all_policies(snapshot), snapshot_n_catalogs(snapshot));

    if (r)
        return r;
    serials.past = past->highest;
    serials.fresh = fresh_serial(past->highest, before->time);
    for (uint32_t part = 0; part < serials.n_catalogs; part++)
        serials.catalogs[part] = catalog_serial(snapshot, part, past, serials.fresh);
    for (size_t i = 0; i < serials.n_policies; i++)
        if (snapshot_policy(snapshot, i)->zones)
            serials.policies[i] = policy_serial(snapshot, i, past, serials.fresh);
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

/* A domain of a policy without an id that waits changes once, now. */
static void keep_unless_waiting(struct serial_override *override, const struct serials *serials,
                                const struct snapshot *snapshot, const struct serials *later)
{
    struct domain domain;
    size_t number;

    snapshot_at(snapshot, override->position, &domain);
    number = snapshot_policy_number(snapshot, domain.policy);
    if (serials->policies[number] == later->policies[number])
        override->serial = serials_domain(later, number, override->position);
}

int serials_make_waiting(const struct snapshot *snapshot, const struct snapshot *loaded,
                         const struct snapshot_before *before, const struct announcement *waiting,
                         size_t n, struct serials *out)
{
    const struct serials *later = snapshot_serials(loaded);
    CLEANUP(serials_deinit) struct serials serials = {0};
    int r = serials_init(&serials, later->n_policies, later->n_catalogs);

    if (r)
        return r;
    memcpy(serials.catalogs, later->catalogs, serials.n_catalogs * sizeof(*serials.catalogs));
    serials.fresh = later->fresh - 1 > later->past ? later->fresh - 1 : later->fresh;
    serials.past = later->past;
    memcpy(serials.policies, later->policies, serials.n_policies * sizeof(*serials.policies));
    for (size_t i = 0; i < n; i++) {
        size_t number = waiting[i].policy;

        if (serials.policies[number])
            serials.policies[number] =
                policy_serial(snapshot, number, before->past, later->policies[number] - 1);
    }
    /* Policies have lower serials than in LOADED, so more domains may need overrides. */
    r = add_overrides(&serials, snapshot, before);
    if (r)
        return r;
    for (size_t i = 0; i < serials.n_overrides; i++)
        keep_unless_waiting(&serials.overrides[i], &serials, snapshot, later);
    *out = serials;
    serials = (struct serials){0};
    return 0;
}

uint32_t serials_highest(const struct serials *serials)
{
    uint32_t highest = serials->past;

    for (size_t i = 0; i < serials->n_catalogs; i++)
        if (serials->catalogs[i] > highest)
            highest = serials->catalogs[i];
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
           serials->n_catalogs * sizeof(*serials->catalogs) +
           serials->capacity * sizeof(*serials->overrides);
}
