/* Retiring domains (RFC 8461 8.3).
 *
 * Senders that have seen mode enforce for a domain act by it until its max_age is over, whatever
 * becomes of the records. So a domain that loses its policy goes on with mode none, under a new id,
 * until no sender can hold the former policy any more; then it is gone. Who decides which domains
 * retire, and until when, is not here: it takes the past and a clock.
 *
 * In a snapshot a retiring domain is a domain like others. It is of the kind direct, in a policy
 * that is made for such domains: one for each former policy (former.h) and, if the domain is still
 * listed without a mode, the policy that lists it, whose TLSRPT record it has. So look-ups, own
 * zones and the fingerprint take no notice of it, and it costs what others cost, and 16 octets.
 *
 * The snapshots with other retiring domains are made of the configured domains of a loaded one: so
 * those whose time is over go without a file being read.
 */
#pragma once

#include "snapshot/snapshot.h"

/* A domain that is to retire. */
struct retiring {
    struct text name; /* canonical */
    int64_t until;    /* it is gone from this time on, in seconds since 1970 */
    size_t former;    /* the number of its former policy */
};

/* All of them. What it points at belongs to the caller. */
struct retiring_set {
    struct text *formers; /* former policies (former.h), in any order */
    size_t n_formers, formers_capacity;
    struct retiring *domains; /* each name once */
    size_t n, capacity;
};

#define RETIRING_SET_INIT ((struct retiring_set){0})

/* Frees the memory; the set is empty and usable afterwards. */
void retiring_set_deinit(struct retiring_set *set);

/* Adds a former policy, of which NUMBER is told, or a domain. Returns 0 or -ENOMEM. */
int retiring_set_add_former(struct retiring_set *set, struct text former, size_t *number);
int retiring_set_add(struct retiring_set *set, const struct retiring *retiring);

/* Adds the retiring domains of a snapshot. What the set then points at lives as long as that.
 * Returns 0 or -ENOMEM. */
int retiring_set_add_all(struct retiring_set *set, const struct snapshot *snapshot);

/* Takes out the domains whose time is over. */
void retiring_set_expire(struct retiring_set *set, int64_t now);

/* Makes a snapshot as builder_freeze does, with one reference: it has the domains that LOADED has
 * from the configuration, and those of a set that are not listed there under a policy with a mode.
 * Returns 0 or -ENOMEM. */
int snapshot_retire(const struct snapshot *loaded, const struct retiring_set *set,
                    struct snapshot **out);

/* Until when a domain of a snapshot is retiring, in seconds since 1970; 0 if it is not. */
int64_t snapshot_until(const struct snapshot *snapshot, const struct domain *domain);

/* How many domains are retiring, and the first and the last time until which one is; INT64_MAX and
 * 0 without any. */
size_t snapshot_n_retiring(const struct snapshot *snapshot);
int64_t snapshot_first_until(const struct snapshot *snapshot);
int64_t snapshot_last_until(const struct snapshot *snapshot);

/* The retiring domain of a number from 0. */
void snapshot_retiring(const struct snapshot *snapshot, size_t number, struct domain *out);
