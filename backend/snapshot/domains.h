/* The part of a load that its snapshots share: the domains, the policies as they were loaded, and
 * the index of own zones. Only the builder writes it; from builder_freeze on nothing in it changes.
 * It is counted by references. For this room alone. */
#pragma once

#include "snapshot/domain_table.h"
#include "snapshot/retiring.h"
#include "snapshot/zones.h"

#include <stdatomic.h>

/* An arena that is counted by references: what the policies of a configuration point at outlives
 * the domains of the load that has read it, as others are made of these (retiring.h). */
struct shared_arena {
    atomic_uint references;
    struct arena arena;
};

/* What a retiring domain has beside its entry in the table. */
struct retiring_note {
    int64_t until;     /* seconds since 1970 */
    uint32_t position; /* in the table */
    uint32_t listed;   /* its value in the configuration, or DOMAIN_TABLE_LEFT_OUT */
};

struct domains {
    atomic_uint references;
    struct domain_table table;
    struct policy *policies; /* of the configuration, then of retiring domains */
    size_t n_configured, n_policies;
    size_t n_held;
    size_t n_unlisted;              /* domains that are not in the configuration */
    struct retiring_note *retiring; /* in the order of positions */
    size_t n_retiring;
    int64_t first_until, last_until;    /* of these */
    uint64_t sums[SNAPSHOT_BUCKETS];    /* changes.h */
    struct zone_settings zone_settings; /* without nameservers if there are no own zones */
    struct zones zones;
    struct shared_arena *configured; /* what the first policies and the zone settings point at */
    struct arena own;                /* what the other policies point at */
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

/* Makes an empty object with one reference. With a CONFIGURED arena, it takes a reference of that;
 * with NULL it makes one. Returns NULL if out of memory. */
struct domains *domains_new(struct shared_arena *configured);

/* Takes a further reference; returns the object. */
struct domains *domains_ref(struct domains *domains);

/* Drops a reference; the last one frees the object. NULL is allowed. */
void domains_unref(struct domains *domains);
DEFINE_CLEANUP(struct domains *, domains_unref)

/* Has a policy begin without domains; SEED is that of the table. */
void domains_begin_policy(struct policy *policy, uint64_t seed);

/* Counts a domain in, or out again, by its name, domain_table_hash of that, and its value. */
void domains_count(struct domains *domains, uint64_t hash, struct text name, uint32_t value);
void domains_discount(struct domains *domains, uint64_t hash, struct text name, uint32_t value);

/* Makes the index of own zones, once the table is made. Returns 0 or -ENOMEM. */
int domains_index_zones(struct domains *domains);

/* Makes the domains for snapshot_retire, with one reference. Returns 0 or -ENOMEM. */
int domains_retire(const struct domains *loaded, const struct retiring_set *set,
                   struct domains **out);

/* The note about the domain at a position, or NULL if it is not retiring. */
const struct retiring_note *domains_note(const struct domains *domains, uint32_t position);
