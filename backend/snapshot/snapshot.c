#include "policy/challenge.h"
#include "snapshot/domains.h"
#include "snapshot/fingerprint.h"
#include "snapshot/serials.h"

#include <errno.h>

struct snapshot {
    atomic_uint references;
    struct domains *domains;       /* a reference */
    const struct policy *policies; /* those of the domains, or own ones with other ids */
    struct arena arena;            /* of own policies */
    uint64_t fingerprint;
    struct serials serials;
};

static void take_fingerprint(struct snapshot *snapshot)
{
    snapshot->fingerprint = fingerprint_of(snapshot->policies, snapshot->domains->n_policies,
                                           &snapshot->domains->zone_settings);
}

/* Makes a snapshot without serials, which has the policies of the domains. */
static struct snapshot *new_snapshot(struct domains *domains)
{
    struct snapshot *snapshot = calloc(1, sizeof(*snapshot));

    if (!snapshot)
        return NULL;
    snapshot->references = 1;
    snapshot->domains = domains_ref(domains);
    snapshot->policies = domains->policies;
    return snapshot;
}

int snapshot_new(struct domains *domains, struct snapshot **out)
{
    CLEANUP(snapshot_unref_pointer) struct snapshot *snapshot = new_snapshot(domains);
    int r;

    if (!snapshot)
        return -ENOMEM;
    r = serials_init(&snapshot->serials, domains->n_policies, domains->zones.n_parts);
    if (r)
        return r;
    take_fingerprint(snapshot);
    *out = snapshot;
    snapshot = NULL;
    return 0;
}

int snapshot_follow(const struct snapshot *loaded, const struct snapshot_before *before,
                    const struct announcement *waiting, size_t n, struct snapshot **out)
{
    CLEANUP(snapshot_unref_pointer) struct snapshot *snapshot = new_snapshot(loaded->domains);
    int r;

    if (!snapshot)
        return -ENOMEM;
    r = serials_make(snapshot, before, waiting, n, &snapshot->serials);
    if (r)
        return r;
    take_fingerprint(snapshot);
    *out = snapshot;
    snapshot = NULL;
    return 0;
}

int snapshot_announce(const struct snapshot *loaded, const struct snapshot_before *before,
                      const struct announcement *waiting, size_t n, struct snapshot **out)
{
    CLEANUP(snapshot_unref_pointer) struct snapshot *snapshot = new_snapshot(loaded->domains);
    size_t size = loaded->domains->n_policies * sizeof(struct policy);
    struct policy *policies;
    int r;

    if (!snapshot)
        return -ENOMEM;
    policies = arena_alloc(&snapshot->arena, size);
    if (!policies)
        return -ENOMEM;
    memcpy(policies, loaded->policies, size);
    snapshot->policies = policies;
    for (size_t i = 0; i < n; i++) {
        r = policy_records_announce(&snapshot->arena, &policies[waiting[i].policy], waiting[i].id);
        if (r)
            return r;
    }
    r = serials_make_waiting(snapshot, loaded, before, waiting, n, &snapshot->serials);
    if (r)
        return r;
    take_fingerprint(snapshot);
    *out = snapshot;
    snapshot = NULL;
    return 0;
}

struct snapshot *snapshot_ref(struct snapshot *snapshot)
{
    atomic_fetch_add_explicit(&snapshot->references, 1, memory_order_relaxed);
    return snapshot;
}

struct snapshot *snapshot_unref(struct snapshot *snapshot)
{
    if (!snapshot || atomic_fetch_sub_explicit(&snapshot->references, 1, memory_order_acq_rel) != 1)
        return NULL;
    serials_deinit(&snapshot->serials);
    arena_deinit(&snapshot->arena);
    domains_unref(snapshot->domains);
    free(snapshot);
    return NULL;
}

bool snapshot_find(const struct snapshot *snapshot, struct text name, struct domain *out)
{
    struct domain_table_entry entry;

    if (!domain_table_find(&snapshot->domains->table, name, &entry))
        return false;
    *out = domain_of(snapshot->policies, &entry);
    return true;
}

void snapshot_at(const struct snapshot *snapshot, uint32_t position, struct domain *out)
{
    struct domain_table_entry entry = domain_table_at(&snapshot->domains->table, position);

    *out = domain_of(snapshot->policies, &entry);
}

bool snapshot_next_domain(const struct snapshot *snapshot, size_t *cursor, struct domain *out)
{
    struct domain_table_entry entry;

    if (!domain_table_next(&snapshot->domains->table, cursor, &entry))
        return false;
    *out = domain_of(snapshot->policies, &entry);
    return true;
}

const uint64_t *snapshot_sums(const struct snapshot *snapshot)
{
    return snapshot->domains->sums;
}

uint64_t snapshot_seed(const struct snapshot *snapshot)
{
    return snapshot->domains->table.seed;
}

uint32_t snapshot_bucket(const struct snapshot *snapshot, struct text name)
{
    return domain_bucket(domain_table_hash(snapshot_seed(snapshot), name));
}

bool snapshot_next_in_bucket(const struct snapshot *snapshot, uint32_t bucket, size_t *cursor,
                             struct domain *out)
{
    struct domain_table_entry entry;

    if (!domain_table_next_prefix(&snapshot->domains->table, bucket, SNAPSHOT_BUCKET_BITS, cursor,
                                  &entry))
        return false;
    *out = domain_of(snapshot->policies, &entry);
    return true;
}

struct rows domain_rows(const struct domain *domain, enum owner owner)
{
    const struct policy *policy = domain->policy;

    if (owner == OWNER_MTA_STS && domain->held)
        return (struct rows){0};
    /* The template of a domain that retires may be that of another policy. */
    if (owner == OWNER_ACME_CHALLENGE && policy->rows[owner].n &&
        challenge_check_domain(policy->rows[owner].first[0].content, domain->name) != 0)
        return (struct rows){0};
    return domain->kind == DOMAIN_CNAME ? policy->aliases[owner] : policy->rows[owner];
}

bool domain_has_zone(const struct domain *domain, enum owner owner)
{
    return policy_has_zone(domain->policy, owner) && domain_rows(domain, owner).n > 0;
}

size_t snapshot_size(const struct snapshot *snapshot)
{
    const struct domains *domains = snapshot->domains;

    return sizeof(*snapshot) + snapshot->arena.total + serials_size(&snapshot->serials) +
           sizeof(*domains) + domain_table_size(&domains->table) +
           domains->n_policies * sizeof(*domains->policies) + domains->configured->arena.total +
           domains->own.total + domains->n_retiring * sizeof(*domains->retiring) +
           domains->zones.capacity * sizeof(*domains->zones.slots);
}

uint64_t snapshot_fingerprint(const struct snapshot *snapshot)
{
    return snapshot->fingerprint;
}

size_t snapshot_n_domains(const struct snapshot *snapshot)
{
    return snapshot->domains->table.n - snapshot->domains->n_unlisted;
}

size_t snapshot_n_all_domains(const struct snapshot *snapshot)
{
    return snapshot->domains->table.n;
}

size_t snapshot_n_held(const struct snapshot *snapshot)
{
    return snapshot->domains->n_held;
}

size_t snapshot_n_policies(const struct snapshot *snapshot)
{
    return snapshot->domains->n_configured;
}

size_t snapshot_n_all_policies(const struct snapshot *snapshot)
{
    return snapshot->domains->n_policies;
}

const struct policy *snapshot_policy(const struct snapshot *snapshot, size_t number)
{
    return &snapshot->policies[number];
}

size_t snapshot_policy_number(const struct snapshot *snapshot, const struct policy *policy)
{
    return (size_t)(policy - snapshot->policies);
}

const struct policy *snapshot_same_policy(const struct snapshot *snapshot,
                                          const struct policy *policy)
{
    struct domain domain;

    if (!snapshot_find(snapshot, policy->primary, &domain) || domain.kind != DOMAIN_PRIMARY)
        return NULL;
    return domain.policy;
}

int snapshot_retire(const struct snapshot *loaded, const struct retiring_set *set,
                    struct snapshot **out)
{
    CLEANUP(domains_unref_pointer) struct domains *domains = NULL;
    int r = domains_retire(loaded->domains, set, &domains);

    return r ? r : snapshot_new(domains, out);
}

size_t snapshot_n_retiring(const struct snapshot *snapshot)
{
    return snapshot->domains->n_retiring;
}

void snapshot_retiring(const struct snapshot *snapshot, size_t number, struct domain *out)
{
    snapshot_at(snapshot, snapshot->domains->retiring[number].position, out);
}

int64_t snapshot_until(const struct snapshot *snapshot, const struct domain *domain)
{
    const struct retiring_note *note = NULL;

    if (domain->policy->former.length)
        note = domains_note(snapshot->domains, domain->position);
    return note ? note->until : 0;
}

int64_t snapshot_first_until(const struct snapshot *snapshot)
{
    return snapshot->domains->first_until;
}

int64_t snapshot_last_until(const struct snapshot *snapshot)
{
    return snapshot->domains->last_until;
}

const struct zone_settings *snapshot_zone_settings(const struct snapshot *snapshot)
{
    return &snapshot->domains->zone_settings;
}

size_t snapshot_n_zones(const struct snapshot *snapshot)
{
    return snapshot->domains->zones.n;
}

void snapshot_zone(const struct snapshot *snapshot, size_t number, struct zone *out)
{
    const struct domains *domains = snapshot->domains;
    const struct zone_slot *slot = &domains->zones.slots[number];

    *out = (struct zone){
        .id = slot->id,
        .serial = snapshot_zone_serial(snapshot, number),
        .catalog = slot->owner == OWNER_CATALOG,
        .part = slot->owner == OWNER_CATALOG ? slot->position : slot->part,
        .owner = slot->owner,
    };
    zones_name(slot, &domains->table, &domains->zone_settings, &out->name);
    if (!out->catalog)
        snapshot_at(snapshot, slot->position, &out->domain);
}

void snapshot_domain_zone(const struct snapshot *snapshot, const struct domain *domain,
                          enum owner owner, struct zone *out)
{
    struct name apex;

    owner_name(owner, domain->name, &apex);
    snapshot_zone(snapshot,
                  zones_find(&snapshot->domains->zones, domain->position, owner, name_text(&apex)),
                  out);
}

uint32_t snapshot_n_catalogs(const struct snapshot *snapshot)
{
    return snapshot->domains->zones.n_parts;
}

void snapshot_catalog(const struct snapshot *snapshot, uint32_t part, struct zone *out)
{
    const struct domains *domains = snapshot->domains;
    struct name name;

    zones_catalog_name(&domains->zone_settings, part, &name);
    snapshot_zone(snapshot, zones_find(&domains->zones, part, OWNER_CATALOG, name_text(&name)),
                  out);
}

const struct zones *snapshot_zones(const struct snapshot *snapshot)
{
    return &snapshot->domains->zones;
}

const struct serials *snapshot_serials(const struct snapshot *snapshot)
{
    return &snapshot->serials;
}

uint32_t snapshot_zone_serial(const struct snapshot *snapshot, size_t number)
{
    const struct zone_slot *slot = &snapshot->domains->zones.slots[number];
    uint32_t value;

    if (slot->owner == OWNER_CATALOG)
        return snapshot->serials.catalogs[slot->position];
    value = domain_table_at(&snapshot->domains->table, slot->position).value;
    return serials_domain(&snapshot->serials, domain_policy_number(value), slot->position);
}

uint32_t snapshot_domain_serial(const struct snapshot *snapshot, const struct domain *domain)
{
    return serials_domain(&snapshot->serials, snapshot_policy_number(snapshot, domain->policy),
                          domain->position);
}

uint32_t snapshot_policy_serial(const struct snapshot *snapshot, size_t number)
{
    return snapshot->serials.policies[number];
}

uint32_t snapshot_highest_serial(const struct snapshot *snapshot)
{
    return serials_highest(&snapshot->serials);
}
