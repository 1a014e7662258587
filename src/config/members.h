/* The domains of a policy: into the builder, from the configuration and from list files. */
#pragma once

#include "config/loader.h"

/* Domains that one configuration may list, each as often as it is listed. */
enum { CONFIG_DOMAINS_MAX = 1 << 24 };

/* Adds a policy with its primary, which is written at WHERE (source_pack). Returns 0, REPORTED if
 * there are too many domains, or -ENOMEM. */
int members_add_policy(struct loader *loader, const struct policy_spec *spec, uint64_t where);

/* Adds the members of the policy that was added last. Returns 0, -ECANCELED or -ENOMEM. */
int members_add(struct loader *loader, const struct policy_settings *settings);

/* Reports a domain that is listed twice, for builder_freeze; CONTEXT is the loader. In the same
 * policy that does no harm. */
void members_report_clash(const struct builder_clash *clash, void *context);
