/* The policies of a configuration: from nodes to the builder.
 *
 * A policy starts as a copy of the defaults, and its own keys override them one by one. What is
 * wrong in it is reported, and still it goes to the builder, without its records and if need be
 * with a stand-in for its primary: so its domains are compared with those of all other policies,
 * and one load finds every error. A configuration with errors never gets further.
 */
#pragma once

#include "config/loader.h"

/* Reads what stands under defaults, if anything, and the defaults of the option table. Returns 0 or
 * -ENOMEM. */
int policies_read_defaults(struct loader *loader, const struct node *defaults);

/* Reads a list of policies and adds them, with all their domains, to the builder. Returns 0,
 * -ECANCELED or -ENOMEM. */
int policies_read(struct loader *loader, const struct node *policies);

/* Reports policy hosts that are aliases of one another in a loop, in the snapshot of all that was
 * loaded. */
void policies_check_aliases(const struct loader *loader, const struct snapshot *snapshot);

/* Reports values of acme_challenge that lead to a name of a listed domain or below it, where a
 * record hides those of the service. Domains that sync has found do not count: nobody chose them
 * when the value was written. Returns 0 or -ENOMEM. */
int policies_check_challenges(const struct loader *loader, const struct snapshot *snapshot);
