/* The fingerprint: a number that is the same for two snapshots, on whatever servers, exactly if
 * they publish the same; but for chance, which is one in 2^53.
 *
 * What is published is a set of pairs: a domain, and something that it has, which is a record at
 * one of its owner names, with its TTL, or its policy body. The fingerprint is the sum of
 * hash(domain) * hash(something) over all pairs. So it does not depend on the order of anything,
 * nor on how domains are divided among policies: two policies with the same records count as one.
 * It does not depend on serials of own zones either: they are times of each server's files, and no
 * sender or resolver looks at them.
 *
 * All domains of a policy that have the same share a factor. So the builder sums up their hashes
 * while it adds them, and all else costs time by the number of policies. What a domain has at
 * OWNER_ACME_CHALLENGE is its own, so that is added up at the same time. The hashes have no seed,
 * as they must be the same everywhere: who can name domains could make two servers look alike, and
 * gains nothing by that. For this room alone.
 */
#pragma once

#include "snapshot/domains.h"

/* Adds a domain to the sums of its policy, or takes it out; VALUE is as the table has it. */
void fingerprint_add(struct policy *policy, struct text name, uint32_t value);
void fingerprint_take_out(struct policy *policy, struct text name, uint32_t value);

/* A number for what a policy publishes in own zones, with its TTL and what is at their apexes, but
 * without serials: it changes when that changes. 0 if the policy has no own zones. */
uint64_t policy_fingerprint(const struct policy *policy, const struct zone_settings *zones);

/* The same for the catalog zone of a part, which must be there. */
uint64_t catalog_fingerprint(const struct zones *zones, const struct zone_settings *settings,
                             uint32_t part);

/* The fingerprint of N policies and the zone settings, below 2^53, so that a double holds it. */
uint64_t fingerprint_of(const struct policy *policies, size_t n, const struct zone_settings *zones);
