/* The catalog zone (RFC 9432): it lists all own zones, so that secondaries learn of new domains and
 * forget removed ones by themselves. */
#pragma once

#include "answer/answer.h"

/* Finds what stands at a canonical name in the catalog zone: SOA and NS at its apex, the version
 * (2) at version.<catalog>, a PTR record for each zone at <label>.zones.<catalog>. Returns whether
 * anything does. */
bool catalog_find(const struct snapshot *snapshot, struct text name, struct answer *out);

/* What stands at version.<catalog>. There must be a catalog zone. */
void catalog_version(const struct snapshot *snapshot, struct answer *out);

/* What stands at the member of a zone, which is not the catalog zone itself. */
void catalog_member(const struct snapshot *snapshot, const struct zone *zone, struct answer *out);
