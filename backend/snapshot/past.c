#include "snapshot/past.h"

#include "policy/former.h"
#include "snapshot/domains.h"
#include "snapshot/fingerprint.h"
#include "snapshot/serials.h"

#include <errno.h>

void past_deinit(struct past *past)
{
    free(past->policies);
    free(past->overrides);
    free(past->catalogs);
    arena_deinit(&past->arena);
    *past = PAST_INIT;
}

static int compare_primaries(const void *a, const void *b)
{
    const struct past_policy *left = a, *right = b;

    return text_compare(left->primary, right->primary);
}

void past_sort(struct past *past)
{
    if (past->n_policies)
        qsort(past->policies, past->n_policies, sizeof(*past->policies), compare_primaries);
}

struct past_policy *past_find(const struct past *past, struct text primary)
{
    const struct past_policy wanted = {.primary = primary};

    if (past->n_policies == 0)
        return NULL;
    return bsearch(&wanted, past->policies, past->n_policies, sizeof(wanted), compare_primaries);
}

/* What domains keep that leave a policy, if it has a mode. */
static int take_former(struct past *past, const struct policy *policy, struct text *out)
{
    CLEANUP(buffer_deinit) struct buffer former = BUFFER_INIT;

    *out = policy->former;
    if (policy->mode == POLICY_MODE_ABSENT || policy->former.length)
        return 0;
    former_write(&former, policy);
    return former.failed ? -ENOMEM : arena_copy_text(&past->arena, buffer_text(&former), out);
}

static int take_policies(struct past *past, const struct snapshot *published)
{
    for (size_t i = 0; i < past->n_policies; i++) {
        const struct policy *policy = snapshot_policy(published, i);
        struct text former;

        if (take_former(past, policy, &former))
            return -ENOMEM;
        past->policies[i] = (struct past_policy){
            .primary = policy->primary,
            .id = policy->id,
            .body_id = policy->body_id,
            .records = policy_fingerprint(policy, snapshot_zone_settings(published)),
            .serial = snapshot_policy_serial(published, i),
            .ttl = policy->ttl,
            .max_age = policy->max_age,
            .mode = policy->mode,
            .former = former,
            .retire = policy->retire,
        };
    }
    past_sort(past);
    return 0;
}

static void take_overrides(struct past *past, const struct snapshot *published)
{
    const struct serials *serials = snapshot_serials(published);

    for (size_t i = 0; i < past->n_overrides; i++) {
        struct domain domain;

        snapshot_at(published, serials->overrides[i].position, &domain);
        past->overrides[i] = (struct past_override){domain.name, serials->overrides[i].serial};
    }
}

static void take_catalogs(struct past *past, const struct snapshot *published)
{
    const struct serials *serials = snapshot_serials(published);

    for (uint32_t part = 0; part < past->n_catalogs; part++)
        past->catalogs[part] = (struct past_catalog){
            .records = catalog_fingerprint(snapshot_zones(published),
                                           snapshot_zone_settings(published), part),
            .serial = serials->catalogs[part],
        };
}

int past_of(const struct snapshot *published, struct past *out)
{
    CLEANUP(past_deinit) struct past past = PAST_INIT;

    if (published) {
        const struct serials *serials = snapshot_serials(published);

        past.n_policies = snapshot_n_all_policies(published);
        past.n_overrides = serials->n_overrides;
        past.n_catalogs = serials->n_catalogs;
        past.policies = calloc(past.n_policies + 1, sizeof(*past.policies));
        past.overrides = calloc(past.n_overrides + 1, sizeof(*past.overrides));
        past.catalogs = calloc(past.n_catalogs + 1, sizeof(*past.catalogs));
        if (!past.policies || !past.overrides || !past.catalogs)
            return -ENOMEM;
        if (take_policies(&past, published))
            return -ENOMEM;
        take_overrides(&past, published);
        take_catalogs(&past, published);
        past.highest = serials_highest(serials);
    }
    *out = past;
    past = PAST_INIT;
    return 0;
}
