/* The builder: it collects policies and domains while a configuration is read, and freezing it
 * gives a snapshot. */
#pragma once

#include "snapshot/snapshot.h"

struct builder;

/* Makes an empty builder. The seed makes the order of the domain table unpredictable, so nobody can
 * prepare names that collide in it. Returns 0 or -ENOMEM. */
int builder_new(uint64_t seed, struct builder **out);

/* Frees a builder and all it holds; NULL is allowed. */
void builder_free(struct builder *builder);
DEFINE_CLEANUP(struct builder *, builder_free)

/* Sets what own zones have in common, before the first policy with zones is added. What it points
 * at is copied. Returns 0 or -ENOMEM. */
int builder_set_zones(struct builder *builder, const struct zone_settings *settings);

/* The positive result of adding: the domain table cannot address more domains. */
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

/* Says that the members to come were found and are not listed. What is listed goes before them: of
 * those that were added already, nothing is handed to the clash function of builder_freeze. */
void builder_begin_synced(struct builder *builder);

/* A domain that was added again: where and in which policies. */
struct builder_clash {
    struct text name;
    uint32_t first_policy, policy;
    uint64_t first_where, where;
};

/* Turns the builder into a snapshot with one reference, which the caller owns. Domains that were
 * added again are left out, and handed to CLASH in the order of their adding. Own zones have no
 * serials yet: snapshot_follow gives them. Memory that only building needed is given back. Returns
 * 0 or -ENOMEM; either way the builder is only good for builder_free afterwards. */
int builder_freeze(struct builder *builder,
                   void (*clash)(const struct builder_clash *clash, void *context), void *context,
                   struct snapshot **out);
