/* How the domains of a newly loaded snapshot differ from those of the past.
 *
 * There may be millions of domains, and mostly next to none has changed. So a snapshot divides them
 * into buckets, by the first bits of the hash that the domain table uses, and has a sum for each:
 * it adds up what is hashed from the name, the policy's primary and whether that has a mode, the
 * kind and whether the domain is held back. Buckets with equal sums have the same domains; only the
 * others are looked into. The hashes have a secret seed, which stays the same over reloads and
 * restarts, so nobody who chooses names can make two buckets look alike.
 */
#pragma once

#include "base/arena.h"
#include "snapshot/past.h"

/* A domain as it was. */
struct past_domain {
    struct text name;
    struct text primary; /* of its policy */
    enum domain_kind kind;
    bool held;
    bool has_mode;          /* its policy has one */
    int64_t enforced_until; /* until when senders may hold a policy with mode enforce, as far as is
                               known here; seconds since 1970, or 0 */
};

/* A domain that is new, has gone, or has another policy, another kind, is held back otherwise, or
 * whose policy has got or lost its mode. */
struct domain_change {
    struct text name;
    uint32_t position;         /* in the loaded snapshot; 0: it has gone */
    bool was_there;            /* else it is new, and the rest says nothing */
    bool moved;                /* another policy */
    struct past_domain before; /* of the past; its texts live as long as the changes */
};

struct domain_changes {
    struct domain_change *items; /* those that have gone by their names, then by positions */
    size_t n, capacity;
    size_t n_added, n_removed;
    struct arena arena; /* of the texts */
};

#define DOMAIN_CHANGES_INIT ((struct domain_changes){0})

void domain_changes_deinit(struct domain_changes *changes);

/* Finds how the domains of a loaded snapshot differ from those of the published one. Returns 0 or
 * -ENOMEM. */
int domain_changes_between(const struct snapshot *published, const struct snapshot *loaded,
                           struct domain_changes *out);

/* The same for one bucket, of whose domains in the past there is a list in the order of names
 * (text_compare). To be ended by domain_changes_sort. Returns 0 or -ENOMEM. */
int domain_changes_add_bucket(struct domain_changes *changes, const struct snapshot *loaded,
                              uint32_t bucket, const struct past_domain *domains, size_t n);

/* Puts them into their order. */
void domain_changes_sort(struct domain_changes *changes);
