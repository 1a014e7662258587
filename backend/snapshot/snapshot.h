/* The snapshot: everything answers are made from. A builder collects policies and domains, freezing
 * it gives a snapshot, and nothing in a snapshot ever changes, so any number of threads may read it
 * without locks. It is counted by references; a reload replaces it whole.
 *
 * The domain table inside holds one small entry a domain, packed in one run of bytes, and an
 * open-addressed index over it: see table.h.
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
struct builder;
struct zones;

/* Makes an empty builder. The seed makes the order of the table's index unpredictable, so that
 * nobody can prepare names that collide in it. Returns 0 or -ENOMEM. */
int builder_new(uint64_t seed, struct builder **out);

/* Frees a builder and all it holds; NULL is allowed. */
void builder_free(struct builder *builder);

/* Sets what own zones have in common, before the first policy with zones is added. What it points
 * at is copied. Returns 0 or -ENOMEM. */
int builder_set_zones(struct builder *builder, const struct zone_settings *settings);

/* The positive result of adding: the table cannot address more domains. */
enum { BUILDER_FULL = 1 };

/* Adds a policy and its primary. WHERE is a mark of the caller's own, for example a place in a
 * file; it comes back if the same domain is added again. The policies are numbered from 0 in the
 * order of their adding. Returns 0, BUILDER_FULL or -ENOMEM. */
int builder_add_policy(struct builder *builder, const struct policy_spec *spec, uint64_t where,
                       uint32_t *policy);

/* Adds a member, DOMAIN_DIRECT or DOMAIN_CNAME, to a policy; HELD says whether its _mta-sts name is
 * held back. The name is one that name_from_domain gave. Returns as builder_add_policy does. */
int builder_add_member(struct builder *builder, uint32_t policy, enum domain_kind kind, bool held,
                       const struct name *domain, uint64_t where);

/* A domain that was added again: where and in which policies. */
struct builder_clash {
    struct text name;
    uint32_t first_policy, policy;
    uint64_t first_where, where;
};

/* Turns the builder into a snapshot with one reference, which the caller owns; the builder is empty
 * afterwards and is to be freed. Domains that were added again are left out, and handed to CLASH in
 * the order of their adding. Memory that only building needed is given back. Returns 0 or -ENOMEM
 * (the builder is then only good for freeing). */
int builder_freeze(struct builder *builder,
                   void (*clash)(const struct builder_clash *clash, void *context), void *context,
                   struct snapshot **out);

/* An id that a policy announces in place of its own. */
struct announcement {
    uint32_t policy; /* by number */
    struct text id;
};

/* Sets the serials of all own zones in a snapshot that nobody answers from yet. A policy that
 * publishes the same records as in the snapshot BEFORE keeps its serial, and so does the catalog
 * zone while the zones are the same. All others get NEWEST, a time in seconds, or where that would
 * not be an increase the number after the highest that any zone has had since the start; so do the
 * zones of a domain that is new or has moved to another policy. BEFORE is NULL at the start.
 * Returns 0 or -ENOMEM. */
int snapshot_set_serials(struct snapshot *snapshot, const struct snapshot *before, uint32_t newest);

/* Makes a snapshot, with one reference, that differs from another in the ids that some policies
 * announce, policies which have a mode. The two share the domains, so this costs only the policies.
 * FROM must come from builder_freeze; it lives as long as the new one needs it. Own zones of such
 * policies have a serial below that of FROM, which rises by one if there is no room: the one that
 * they have in the snapshot BEFORE, if they publish the same as there. Returns 0 or -ENOMEM. */
int snapshot_announce(struct snapshot *from, const struct snapshot *before,
                      const struct announcement *announcements, size_t n, struct snapshot **out);

/* Takes a further reference; returns the snapshot. */
struct snapshot *snapshot_ref(struct snapshot *snapshot);

/* Drops a reference; the last one frees the snapshot. NULL is allowed. Returns NULL. */
struct snapshot *snapshot_unref(struct snapshot *snapshot);

/* A domain of the snapshot. The text lives as long as the snapshot. */
struct domain {
    struct text name; /* canonical */
    enum domain_kind kind;
    bool held; /* its _mta-sts name is held back */
    const struct policy *policy;
    uint32_t position; /* in the domain table */
};

/* Finds a domain by its canonical name. Returns whether it is listed. */
bool snapshot_find(const struct snapshot *snapshot, struct text name, struct domain *out);

/* Visits every domain, in the order of their adding: start with CURSOR 0 and go on until false. */
bool snapshot_next_domain(const struct snapshot *snapshot, size_t *cursor, struct domain *out);

/* The memory that the snapshot takes, in bytes. */
size_t snapshot_size(const struct snapshot *snapshot);

size_t snapshot_n_domains(const struct snapshot *snapshot);
size_t snapshot_n_held(const struct snapshot *snapshot); /* domains that are held back */
size_t snapshot_n_policies(const struct snapshot *snapshot);

/* The policies by number, 0 to snapshot_n_policies() - 1, in the order of their adding. */
const struct policy *snapshot_policy(const struct snapshot *snapshot, size_t number);

/* The number of a policy of the snapshot. */
size_t snapshot_policy_number(const struct snapshot *snapshot, const struct policy *policy);

/* The domain at a position that another call gave. */
void snapshot_at(const struct snapshot *snapshot, uint32_t position, struct domain *out);

/* The rows that a domain has at an owner; none if the policy does not publish that owner, or the
 * domain is held back from it. */
struct rows domain_rows(const struct domain *domain, enum owner owner);

/* Whether a domain has an own zone with the apex at an owner. */
bool domain_has_zone(const struct domain *domain, enum owner owner);

/* The policy of the same primary in another snapshot, or NULL. */
const struct policy *snapshot_same_policy(const struct snapshot *snapshot,
                                          const struct policy *policy);

/* What own zones have in common; without nameservers where there are none. */
const struct zone_settings *snapshot_zone_settings(const struct snapshot *snapshot);

/* A zone of the service's own. */
struct zone {
    struct name name; /* of the apex */
    uint32_t id, serial;
    bool catalog; /* the catalog zone: it has neither domain nor owner */
    struct domain domain;
    enum owner owner; /* of the apex */
};

/* How many own zones there are, the catalog zone included. */
size_t snapshot_n_zones(const struct snapshot *snapshot);

/* The zone of a number, in the order of ids. */
void snapshot_zone(const struct snapshot *snapshot, size_t number, struct zone *out);

/* The serial of a domain's own zones. */
uint32_t snapshot_domain_serial(const struct snapshot *snapshot, const struct domain *domain);

/* The serial of that zone alone, which costs less. */
uint32_t snapshot_zone_serial(const struct snapshot *snapshot, size_t number);

/* The highest serial of all own zones, those that are held back too; 0 if there are none. */
uint32_t snapshot_highest_serial(const struct snapshot *snapshot);

/* The zone whose apex is at an owner of a domain, which must be one. */
void snapshot_domain_zone(const struct snapshot *snapshot, const struct domain *domain,
                          enum owner owner, struct zone *out);

/* Whether there is a catalog zone. */
bool snapshot_has_catalog(const struct snapshot *snapshot);

/* The catalog zone. Returns whether there is one. */
bool snapshot_catalog(const struct snapshot *snapshot, struct zone *out);

/* The index of all own zones. */
const struct zones *snapshot_zones(const struct snapshot *snapshot);
