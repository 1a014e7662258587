/* The snapshot: everything that answers are made from. Nothing in a snapshot ever changes, so any
 * number of threads may read it without a lock. It is counted by references; a reload replaces it
 * whole.
 *
 * A load may have two snapshots at a time. One is as it was loaded. While ids wait for the
 * announce_delay of their policies, the other one is published: it announces the ids from before.
 * The two share the domains, the policies' other records and the index of own zones (domains.h);
 * each has its own ids and serials (serials.h).
 */
#pragma once

#include "policy/policy_records.h"

/* How a domain takes part in its policy. */
enum domain_kind {
    DOMAIN_PRIMARY,
    DOMAIN_DIRECT, /* a member that gets the same records as the primary */
    DOMAIN_CNAME,  /* a member that gets CNAMEs to the primary's names */
};

struct snapshot;
struct domain_changes;
struct domains;
struct past;
struct serials;
struct zones;

/* An id that a policy announces in place of its own. */
struct announcement {
    uint32_t policy; /* by its number; it has a mode */
    struct text id;
};

/* Makes a snapshot with one reference over domains, of which it takes a further reference, for
 * builder_freeze. Own zones have no serials yet. Returns 0 or -ENOMEM. */
int snapshot_new(struct domains *domains, struct snapshot **out);

/* What a load follows upon. */
struct snapshot_before {
    const struct past *past;              /* what was published until now */
    const struct domain_changes *changes; /* of the domains since then */
    int64_t time;                         /* of the load, in seconds since 1970 */
};

/* Makes what a load gives, with one reference: LOADED, which builder_freeze gave, but with the
 * serials that follow upon those before. WAITING are the ids that snapshot_announce is to publish
 * for a while: the policies' zones change twice, so their serials leave room for one more. Returns
 * 0 or -ENOMEM. */
int snapshot_follow(const struct snapshot *loaded, const struct snapshot_before *before,
                    const struct announcement *waiting, size_t n, struct snapshot **out);

/* Makes the snapshot to publish while ids wait, with one reference: LOADED, which snapshot_follow
 * gave, but for the ids that some policies announce and the serials of their zones. BEFORE is what
 * was published until now; its time says nothing. The cost is that of copying the policies. Returns
 * 0 or -ENOMEM. */
int snapshot_announce(const struct snapshot *loaded, const struct snapshot_before *before,
                      const struct announcement *waiting, size_t n, struct snapshot **out);

/* Takes a further reference; returns the snapshot. */
struct snapshot *snapshot_ref(struct snapshot *snapshot);

/* Drops a reference; the last one frees the snapshot. NULL is allowed. Returns NULL. */
struct snapshot *snapshot_unref(struct snapshot *snapshot);
DEFINE_CLEANUP(struct snapshot *, snapshot_unref)

/* A domain of the snapshot. What it points at lives as long as the snapshot. */
struct domain {
    struct text name; /* canonical */
    enum domain_kind kind;
    bool held;   /* its _mta-sts name is held back */
    bool synced; /* a member that was found and is not listed: see builder_begin_synced */
    const struct policy *policy;
    uint32_t position; /* in the domain table */
};

/* Finds a domain by its canonical name. Returns whether it is listed. */
bool snapshot_find(const struct snapshot *snapshot, struct text name, struct domain *out);

/* The domain at a position that another call gave. */
void snapshot_at(const struct snapshot *snapshot, uint32_t position, struct domain *out);

/* Visits every domain, in the order of their adding: start with CURSOR 0 and go on until false. */
bool snapshot_next_domain(const struct snapshot *snapshot, size_t *cursor, struct domain *out);

/* The buckets that domains are divided into (changes.h). */
enum { SNAPSHOT_BUCKET_BITS = 12, SNAPSHOT_BUCKETS = 1 << SNAPSHOT_BUCKET_BITS };

/* The sum of each bucket; the seed of the hashes; the bucket of a name. */
const uint64_t *snapshot_sums(const struct snapshot *snapshot);
uint64_t snapshot_seed(const struct snapshot *snapshot);
uint32_t snapshot_bucket(const struct snapshot *snapshot, struct text name);

/* Visits the domains of a bucket, in no order: start with CURSOR 0 and go on until false. */
bool snapshot_next_in_bucket(const struct snapshot *snapshot, uint32_t bucket, size_t *cursor,
                             struct domain *out);

/* The rows that a domain has at an owner; none if the policy does not publish that owner, or the
 * domain is held back from it. */
struct rows domain_rows(const struct domain *domain, enum owner owner);

/* Whether a domain has an own zone with the apex at an owner. */
bool domain_has_zone(const struct domain *domain, enum owner owner);

/* The memory that the snapshot takes, in bytes, with what it shares. */
size_t snapshot_size(const struct snapshot *snapshot);

/* A number below 2^53 that is equal, on all servers, exactly if the same is published: the records
 * of every domain with their TTLs, serials aside, and the policy bodies. */
uint64_t snapshot_fingerprint(const struct snapshot *snapshot);

size_t snapshot_n_domains(const struct snapshot *snapshot);     /* of the configuration */
size_t snapshot_n_all_domains(const struct snapshot *snapshot); /* retiring ones too */
size_t snapshot_n_held(const struct snapshot *snapshot);        /* domains that are held back */
size_t snapshot_n_policies(const struct snapshot *snapshot);    /* of the configuration */
size_t snapshot_n_all_policies(const struct snapshot *snapshot);

/* The policies by number, in the order of their adding: those of the configuration, and then, up to
 * snapshot_n_all_policies() - 1, those of retiring domains (retiring.h). */
const struct policy *snapshot_policy(const struct snapshot *snapshot, size_t number);

/* The number of a policy, which must be one of the snapshot's. */
size_t snapshot_policy_number(const struct snapshot *snapshot, const struct policy *policy);

/* The policy of the same primary as that of another snapshot's policy, or NULL. */
const struct policy *snapshot_same_policy(const struct snapshot *snapshot,
                                          const struct policy *policy);

/* What own zones have in common; without nameservers if there are none. */
const struct zone_settings *snapshot_zone_settings(const struct snapshot *snapshot);

/* A zone of the service's own. */
struct zone {
    struct name name; /* of the apex */
    uint32_t id, serial;
    bool catalog;  /* a catalog zone: its owner is OWNER_CATALOG, it has no domain */
    uint32_t part; /* of the catalog: that the zone is, or that lists it */
    struct domain domain;
    enum owner owner; /* of the apex */
};

/* How many own zones there are, the catalog zones included. */
size_t snapshot_n_zones(const struct snapshot *snapshot);

/* The zone of a number, 0 to snapshot_n_zones() - 1, in the order of ids. */
void snapshot_zone(const struct snapshot *snapshot, size_t number, struct zone *out);

/* The zone whose apex is at an owner of a domain, which must be one. */
void snapshot_domain_zone(const struct snapshot *snapshot, const struct domain *domain,
                          enum owner owner, struct zone *out);

/* How many catalog zones there are: none, one, or as many as the catalog has parts. */
uint32_t snapshot_n_catalogs(const struct snapshot *snapshot);

/* The catalog zone of a part, from 0 to snapshot_n_catalogs() - 1. */
void snapshot_catalog(const struct snapshot *snapshot, uint32_t part, struct zone *out);

/* The index of all own zones. */
const struct zones *snapshot_zones(const struct snapshot *snapshot);

/* The serials of all own zones, and those of one zone, of a domain's zones and of a policy's, all
 * in less time than the whole zone takes. A policy without own zones has 0. */
const struct serials *snapshot_serials(const struct snapshot *snapshot);
uint32_t snapshot_zone_serial(const struct snapshot *snapshot, size_t number);
uint32_t snapshot_domain_serial(const struct snapshot *snapshot, const struct domain *domain);
uint32_t snapshot_policy_serial(const struct snapshot *snapshot, size_t number);

/* The highest serial of all own zones, those that are held back too; 0 if there are none. */
uint32_t snapshot_highest_serial(const struct snapshot *snapshot);
