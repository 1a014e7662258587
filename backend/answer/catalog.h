/* The catalog zones (RFC 9432): they list all own zones, each its part of them (zones.h), so that
 * secondaries add and remove them by themselves. */
#pragma once

#include "answer/answer.h"

/* Finds the rows at a canonical name in a catalog zone: SOA and NS at its apex, the version
 * (2) at version.<catalog>, a PTR record for each zone at <label>.zones.<catalog>. Returns whether
 * there are any; if not, OUT is of no use. */
bool catalog_find(const struct snapshot *snapshot, const struct name *name, struct answer *out);

/* Makes the answer at version.<catalog> of a part of the catalog, which must be there. */
void catalog_version(const struct snapshot *snapshot, uint32_t part, struct answer *out);

/* Makes the answer that lists a zone in the catalog zone of its part. ZONE is no catalog zone
 * itself, and there are catalog zones. */
void catalog_member(const struct snapshot *snapshot, const struct zone *zone, struct answer *out);
