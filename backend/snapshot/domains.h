/* The part of a load that its snapshots share: the domains, the policies as they were loaded, and
 * the index of own zones. Only the builder writes it; from builder_freeze on nothing in it changes.
 * It is counted by references. For this room alone. */
#pragma once

#include "snapshot/domain_table.h"
#include "snapshot/snapshot.h"
#include "snapshot/zones.h"

#include <stdatomic.h>

struct domains {
    atomic_uint references;
    struct domain_table table;
    struct policy *policies;
    size_t n_policies;
    size_t n_held;
    uint64_t sums[SNAPSHOT_BUCKETS];    /* changes.h */
    struct zone_settings zone_settings; /* without nameservers if there are no own zones */
    struct zones zones;
    struct arena arena; /* what the policies and the zone settings point at */
};

/* What the table says of a domain: the number of its policy, whether it was found and not listed,
 * whether it is held back, its kind. */
enum {
    DOMAIN_KIND_BITS = 2,
    DOMAIN_HELD = 1 << DOMAIN_KIND_BITS,
    DOMAIN_SYNCED = DOMAIN_HELD << 1,
    DOMAIN_POLICY_SHIFT = DOMAIN_KIND_BITS + 2,
    DOMAIN_POLICY_MAX = (UINT32_MAX >> DOMAIN_POLICY_SHIFT) - 1,
};

static inline uint32_t domain_policy_number(uint32_t value)
{
    return value >> DOMAIN_POLICY_SHIFT;
}

/* The bucket of a domain (changes.h), by domain_table_hash of its name. */
static inline uint32_t domain_bucket(uint64_t hash)
{
    return (uint32_t)(hash >> (64 - SNAPSHOT_BUCKET_BITS));
}

/* The domain of an entry of the table, with its policy among POLICIES. */
static inline struct domain domain_of(const struct policy *policies,
                                      const struct domain_table_entry *entry)
{
    return (struct domain){
        .name = entry->name,
        .kind = entry->value & (DOMAIN_HELD - 1),
        .held = entry->value & DOMAIN_HELD,
        .synced = entry->value & DOMAIN_SYNCED,
        .policy = &policies[domain_policy_number(entry->value)],
        .position = entry->position,
    };
}

/* Makes an empty object with one reference. Returns NULL if out of memory. */
struct domains *domains_new(void);

/* Takes a further reference; returns the object. */
struct domains *domains_ref(struct domains *domains);

/* Drops a reference; the last one frees the object. NULL is allowed. */
void domains_unref(struct domains *domains);
