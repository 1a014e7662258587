/* The past: what was published before, as far as the next load needs to know it.
 *
 * A load compares what it has read with what was published before: serials and ids that wait follow
 * from that. A reload takes the past from the published snapshot; a start takes it from what was
 * kept over the restart. So both are the same to all that comes after.
 *
 * The domains of the past are not here, as there may be millions: how they differ is in changes.h.
 */
#pragma once

#include "base/arena.h"
#include "snapshot/snapshot.h"

/* A policy as it was published. */
struct past_policy {
    struct text primary;
    struct text id;      /* what was announced; empty without a mode, like the next */
    struct text body_id; /* of the body that was served */
    uint64_t records;    /* policy_fingerprint of what was published; 0: not known */
    uint32_t serial;     /* of its zones; 0 without own zones */
    uint32_t ttl;        /* seconds */
    uint32_t max_age;    /* seconds; 0 if it is not known here, like the mode */
    enum policy_mode mode;
    struct text former; /* what domains that leave it keep (former.h); empty without a mode */
    bool retire;        /* they retire */
    bool waits;         /* another id waited to be announced */
    int64_t since;      /* from when on, in milliseconds of the clock of announcements.h */
    int64_t row;        /* for who keeps the past */
};

/* A domain whose zones had a serial above that of their policy (serials.h). */
struct past_override {
    struct text name;
    uint32_t serial;
};

/* A catalog zone as it was published. */
struct past_catalog {
    uint64_t records; /* catalog_fingerprint of what was published; 0: not known */
    uint32_t serial;
};

struct past {
    struct past_policy *policies; /* in the order of their primaries */
    size_t n_policies;
    struct past_override *overrides;
    size_t n_overrides;
    struct past_catalog *catalogs; /* by part */
    size_t n_catalogs;
    uint32_t highest;   /* of the serials that there ever were; 0: none is known */
    struct arena arena; /* what these point at, if it is not the snapshot */
};

#define PAST_INIT ((struct past){0})

/* Frees what it holds; it is empty afterwards: nothing is known. */
void past_deinit(struct past *past);

/* Makes the past of a published snapshot, which must live as long; NULL: nothing is known. Which
 * ids waited is for the caller to add. Returns 0 or -ENOMEM. */
int past_of(const struct snapshot *published, struct past *out);

/* Puts the policies into their order. */
void past_sort(struct past *past);

/* The policy of a primary, or NULL. */
struct past_policy *past_find(const struct past *past, struct text primary);
