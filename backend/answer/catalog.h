/* The catalog zone (RFC 9432): it lists all own zones, so that secondaries add and remove them by
 * themselves. */
#pragma once

#include "answer/answer.h"

/* Finds the rows at a canonical name in the catalog zone: SOA and NS at its apex, the version
 * (2) at version.<catalog>, a PTR record for each zone at <label>.zones.<catalog>. Returns whether
 * there are any; if not, OUT is of no use. */
bool catalog_find(const struct snapshot *snapshot, const struct name *name, struct answer *out);

/* Makes the answer at version.<catalog>. There must be a catalog zone. */
void catalog_version(const struct snapshot *snapshot, struct answer *out);

/* Makes the answer that lists a zone in the catalog zone. ZONE is not the catalog zone itself. */
void catalog_member(const struct snapshot *snapshot, const struct zone *zone, struct answer *out);
