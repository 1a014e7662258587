/* The serials of own zones (RFC 1035 3.3.13).
 *
 * A secondary transfers a zone if its serial has risen. So a serial rises with every change of the
 * zone's records, and with nothing else, over all reloads and restarts: what a load has changed
 * since what was published before (past.h) gets the time of the load, or the number after the
 * highest serial that there ever was if that is higher. Where nothing is known of the past, all
 * zones get the time.
 *
 * The zones of a policy change together, so a serial is kept for each policy. A domain that is new
 * to its policy has an override, because its zones may have had a higher serial elsewhere, now or
 * earlier. A catalog zone has a serial of its own, which changes with the set of zones that it
 * lists.
 *
 * A zone whose id waits for its announce_delay changes twice, now and later. The serial for later
 * is known when the snapshot is loaded; the one until then is the number before it.
 */
#pragma once

#include "snapshot/snapshot.h"

/* The serial of a domain's zones, if it is higher than that of the policy's zones. */
struct serial_override {
    uint32_t position; /* of the domain in the domain table */
    uint32_t serial;
};

struct serials {
    uint32_t *policies; /* by the policy's number; 0 without own zones */
    size_t n_policies;
    struct serial_override *overrides; /* in the order of positions */
    size_t n_overrides, capacity;
    uint32_t *catalogs; /* by part of the catalog */
    size_t n_catalogs;
    uint32_t fresh; /* what is given to zones that this load has changed */
    uint32_t past;  /* the highest that there ever was before */
};

/* Frees the memory; the serials are empty afterwards. */
void serials_deinit(struct serials *serials);

/* Makes serials of a number of policies and of catalog zones, all of them 0. Returns 0 or -ENOMEM.
 */
int serials_init(struct serials *serials, size_t n_policies, size_t n_catalogs);

/* Makes the serials of a snapshot that has none yet. The policies of the N ids that are WAITING get
 * a serial that leaves room for one more. Returns 0 or -ENOMEM. */
int serials_make(const struct snapshot *snapshot, const struct snapshot_before *before,
                 const struct announcement *waiting, size_t n, struct serials *out);

/* Makes the serials of a snapshot that has none yet, and differs from LOADED by N ids that are
 * WAITING. A policy whose zones are the same as before keeps its serial; the others have one below
 * that in LOADED. Returns 0 or -ENOMEM. */
int serials_make_waiting(const struct snapshot *snapshot, const struct snapshot *loaded,
                         const struct snapshot_before *before, const struct announcement *waiting,
                         size_t n, struct serials *out);

/* The serial of the zones of a domain, by its policy's number and its position in the table. */
uint32_t serials_domain(const struct serials *serials, size_t policy, uint32_t position);

/* The highest serial that there is, or ever was. */
uint32_t serials_highest(const struct serials *serials);

/* The memory that the serials take, in bytes. */
size_t serials_size(const struct serials *serials);
