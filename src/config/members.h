/* The domains of a policy: into the builder, from the configuration and from list files. */
#pragma once

#include "config/loader.h"

/* Domains that one configuration may list, each as often as it is listed. */
enum { CONFIG_DOMAINS_MAX = 1 << 24 };

/* To which policy members are added, by its number, and as what. */
struct membership {
    uint32_t policy;
    enum domain_kind kind;
};

/* Adds a policy with its primary, which is written at WHERE (source_pack). Returns 0, REPORTED if
 * there are too many domains, or -ENOMEM. */
int members_add_policy(struct loader *loader, const struct policy_spec *spec, uint64_t where);

/* Adds the members of the policy that was added last. Returns 0, -ECANCELED or -ENOMEM. */
int members_add(struct loader *loader, const struct policy_settings *settings);

/* Adds the members that a list file has, one a line; reports what is wrong with them. Returns 0,
 * -ECANCELED or -ENOMEM. */
int members_add_lines(struct loader *loader, const struct membership *as, struct file *file,
                      uint16_t source);

/* Adds one member, which comes from WHERE. Returns as members_add_lines does. */
int members_add_name(struct loader *loader, const struct membership *as, struct text name,
                     uint64_t where);

/* Warns, at a node, of members whose certificates cannot be looked for. */
void members_report_certificates(const struct loader *loader, const struct node *node);

/* Reports a domain that is listed twice, for builder_freeze; CONTEXT is the loader. In the same
 * policy that does no harm. */
void members_report_clash(const struct builder_clash *clash, void *context);
