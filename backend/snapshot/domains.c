#include "snapshot/domains.h"

#include "snapshot/fingerprint.h"

/* Keeps the factors of a summand apart. */
#define SUMMAND_KEY 0xd1b54a32d192ed03

static struct shared_arena *shared_arena_new(void)
{
    struct shared_arena *shared = calloc(1, sizeof(*shared));

    if (shared)
        shared->references = 1;
    return shared;
}

static struct shared_arena *shared_arena_ref(struct shared_arena *shared)
{
    atomic_fetch_add_explicit(&shared->references, 1, memory_order_relaxed);
    return shared;
}

/* Drops a reference, of COUNTER. Returns whether it was the last one. */
static bool drop(atomic_uint *counter)
{
    return atomic_fetch_sub_explicit(counter, 1, memory_order_acq_rel) == 1;
}

static void shared_arena_unref(struct shared_arena *shared)
{
    if (!drop(&shared->references))
        return;
    arena_deinit(&shared->arena);
    free(shared);
}

struct domains *domains_new(struct shared_arena *configured)
{
    struct domains *domains = calloc(1, sizeof(*domains));

    if (!domains)
        return NULL;
    domains->references = 1;
    domains->first_until = INT64_MAX;
    domains->configured = configured ? shared_arena_ref(configured) : shared_arena_new();
    if (domains->configured)
        return domains;
    free(domains);
    return NULL;
}

struct domains *domains_ref(struct domains *domains)
{
    atomic_fetch_add_explicit(&domains->references, 1, memory_order_relaxed);
    return domains;
}

void domains_unref(struct domains *domains)
{
    if (!domains || !drop(&domains->references))
        return;
    domain_table_deinit(&domains->table);
    zones_deinit(&domains->zones);
    shared_arena_unref(domains->configured);
    arena_deinit(&domains->own);
    free(domains->retiring);
    free(domains->policies);
    free(domains);
}

void domains_begin_policy(struct policy *policy, uint64_t seed)
{
    policy->n_domains = policy->n_held = policy->n_synced = policy->n_zones = 0;
    memset(policy->name_hashes, 0, sizeof(policy->name_hashes));
    policy->challenge_hash = 0;
    policy->primary_hash = domain_table_hash(seed, policy->primary);
}

/* What a domain adds to the sum of its bucket (changes.h). */
static uint64_t summand(const struct policy *policy, uint64_t hash, uint32_t value)
{
    uint64_t rest = value & (DOMAIN_HELD | ((1U << DOMAIN_KIND_BITS) - 1));

    if (policy->mode != POLICY_MODE_ABSENT)
        rest += DOMAIN_HELD << 1;
    return hash_mix(hash ^ SUMMAND_KEY, policy->primary_hash + rest);
}

void domains_count(struct domains *domains, uint64_t hash, struct text name, uint32_t value)
{
    struct policy *policy = &domains->policies[domain_policy_number(value)];
    bool held = value & DOMAIN_HELD;

    domains->sums[domain_bucket(hash)] += summand(policy, hash, value);
    domains->n_held += held;
    policy->n_domains++;
    policy->n_held += held;
    policy->n_synced += (value & DOMAIN_SYNCED) != 0;
    fingerprint_add(policy, name, value);
}

void domains_discount(struct domains *domains, uint64_t hash, struct text name, uint32_t value)
{
    struct policy *policy = &domains->policies[domain_policy_number(value)];
    bool held = value & DOMAIN_HELD;

    domains->sums[domain_bucket(hash)] -= summand(policy, hash, value);
    domains->n_held -= held;
    policy->n_domains--;
    policy->n_held -= held;
    policy->n_synced -= (value & DOMAIN_SYNCED) != 0;
    fingerprint_take_out(policy, name, value);
}

static int add_zones_of(struct domains *domains, struct policy *policy, const struct domain *domain)
{
    for (enum owner owner = 0; owner < OWNER_COUNT; owner++) {
        struct name apex;
        int r;

        if (!domain_has_zone(domain, owner))
            continue;
        owner_name(owner, domain->name, &apex);
        r = zones_add(&domains->zones, domain->position, owner, name_text(&apex));
        if (r)
            return r;
        policy->n_zones++;
    }
    return 0;
}

int domains_index_zones(struct domains *domains)
{
    const struct zone_settings *settings = &domains->zone_settings;
    struct domain_table_entry entry;
    size_t cursor = 0;
    int r = zones_init(&domains->zones, settings->catalog_parts);

    while (r == 0 && domain_table_next(&domains->table, &cursor, &entry)) {
        struct policy *policy = &domains->policies[domain_policy_number(entry.value)];
        struct domain domain = domain_of(domains->policies, &entry);

        r = add_zones_of(domains, policy, &domain);
    }
    for (uint32_t part = 0; r == 0 && part < settings->catalog_parts; part++) {
        struct name name;

        zones_catalog_name(settings, part, &name);
        r = zones_add(&domains->zones, part, OWNER_CATALOG, name_text(&name));
    }
    if (r)
        return r;
    zones_assign_ids(&domains->zones, &domains->table, settings);
    return 0;
}

const struct retiring_note *domains_note(const struct domains *domains, uint32_t position)
{
    size_t low = 0, high = domains->n_retiring;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (domains->retiring[middle].position < position)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == domains->n_retiring || domains->retiring[low].position != position)
        return NULL;
    return &domains->retiring[low];
}
