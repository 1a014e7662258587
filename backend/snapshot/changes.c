#include "snapshot/changes.h"

#include "base/array.h"
#include "snapshot/retiring.h"

#include <errno.h>

void domain_changes_deinit(struct domain_changes *changes)
{
    free(changes->items);
    arena_deinit(&changes->arena);
    *changes = DOMAIN_CHANGES_INIT;
}

static int compare_changes(const void *a, const void *b)
{
    const struct domain_change *left = a, *right = b;

    if (left->position != right->position)
        return left->position < right->position ? -1 : 1;
    return text_compare(left->name, right->name);
}

void domain_changes_sort(struct domain_changes *changes)
{
    if (changes->n)
        qsort(changes->items, changes->n, sizeof(*changes->items), compare_changes);
}

/* Adds a change. NOW is NULL for a domain that has gone, BEFORE for one that is new. */
static int add(struct domain_changes *changes, const struct domain *now,
               const struct past_domain *before)
{
    struct domain_change *change;

    if (ARRAY_RESERVE(changes->items, changes->n, changes->capacity))
        return -ENOMEM;
    change = &changes->items[changes->n];
    *change = (struct domain_change){.was_there = before};
    if (before) {
        change->before = *before;
        if (arena_copy_text(&changes->arena, before->name, &change->before.name) ||
            arena_copy_text(&changes->arena, before->primary, &change->before.primary))
            return -ENOMEM;
        change->name = change->before.name;
    }
    if (now) {
        change->name = now->name;
        change->position = now->position;
        change->moved = before && !text_equals(before->primary, now->policy->primary);
    }
    changes->n++;
    changes->n_added += !before;
    changes->n_removed += !now;
    return 0;
}

static bool differs(const struct domain *now, const struct past_domain *before)
{
    return now->kind != before->kind || now->held != before->held ||
           (now->policy->mode != POLICY_MODE_ABSENT) != before->has_mode ||
           !text_equals(now->policy->primary, before->primary);
}

static struct past_domain past_domain_of(const struct snapshot *published,
                                         const struct domain *domain)
{
    return (struct past_domain){
        .name = domain->name,
        .primary = domain->policy->primary,
        .kind = domain->kind,
        .held = domain->held,
        .has_mode = domain->policy->mode != POLICY_MODE_ABSENT,
        .enforced_until = snapshot_until(published, domain),
    };
}

/* Compares a bucket of the domains that are with all that were. */
static int compare_now(struct domain_changes *changes, const struct snapshot *published,
                       const struct snapshot *loaded, uint32_t bucket)
{
    struct domain now, old;
    size_t cursor = 0;
    int r = 0;

    while (r == 0 && snapshot_next_in_bucket(loaded, bucket, &cursor, &now)) {
        struct past_domain before;

        if (!snapshot_find(published, now.name, &old)) {
            r = add(changes, &now, NULL);
            continue;
        }
        before = past_domain_of(published, &old);
        if (differs(&now, &before))
            r = add(changes, &now, &before);
    }
    return r;
}

/* Finds those of a bucket that have gone. */
static int compare_then(struct domain_changes *changes, const struct snapshot *published,
                        const struct snapshot *loaded, uint32_t bucket)
{
    struct domain now, old;
    size_t cursor = 0;
    int r = 0;

    while (r == 0 && snapshot_next_in_bucket(published, bucket, &cursor, &old)) {
        struct past_domain before = past_domain_of(published, &old);

        if (!snapshot_find(loaded, old.name, &now))
            r = add(changes, NULL, &before);
    }
    return r;
}

int domain_changes_between(const struct snapshot *published, const struct snapshot *loaded,
                           struct domain_changes *out)
{
    CLEANUP(domain_changes_deinit) struct domain_changes changes = DOMAIN_CHANGES_INIT;
    const uint64_t *before = snapshot_sums(published), *now = snapshot_sums(loaded);
    bool comparable = snapshot_seed(published) == snapshot_seed(loaded);
    int r;

    for (uint32_t bucket = 0; bucket < SNAPSHOT_BUCKETS; bucket++) {
        if (comparable && before[bucket] == now[bucket])
            continue;
        r = compare_now(&changes, published, loaded, bucket);
        if (r)
            return r;
        r = compare_then(&changes, published, loaded, bucket);
        if (r)
            return r;
    }
    domain_changes_sort(&changes);
    *out = changes;
    changes = DOMAIN_CHANGES_INIT;
    return 0;
}

static int compare_names(const void *a, const void *b)
{
    const struct past_domain *left = a, *right = b;

    return text_compare(left->name, right->name);
}

int domain_changes_add_bucket(struct domain_changes *changes, const struct snapshot *loaded,
                              uint32_t bucket, const struct past_domain *domains, size_t n)
{
    struct domain now;
    size_t cursor = 0;
    int r = 0;

    for (size_t i = 0; i < n && r == 0; i++) {
        if (!snapshot_find(loaded, domains[i].name, &now))
            r = add(changes, NULL, &domains[i]);
        else if (differs(&now, &domains[i]))
            r = add(changes, &now, &domains[i]);
    }
    while (r == 0 && snapshot_next_in_bucket(loaded, bucket, &cursor, &now)) {
        const struct past_domain wanted = {.name = now.name};

        if (n == 0 || !bsearch(&wanted, domains, n, sizeof(wanted), compare_names))
            r = add(changes, &now, NULL);
    }
    return r;
}
