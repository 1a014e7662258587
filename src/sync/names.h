/* The names that may be mail domains: once each, in the order of their bytes, with what became of
 * them. There may be a million of them, so those that the configuration has as members already are
 * not kept a second time: such a name costs 8 octets, another one 9 and its text. */
#pragma once

#include "base/buffer.h"
#include "snapshot/snapshot.h"

/* What became of a name that is not a member of a policy, in the place of the policy's number. */
#define NAMES_NONE    (UINT32_MAX >> 1)
#define NAMES_UNKNOWN (NAMES_NONE - 1) /* it was not looked up yet, or in vain */

struct name_entry {
    uint32_t at;          /* in the bytes; of a member, its position in the snapshot */
    uint32_t member : 1;  /* whether it is one */
    uint32_t policy : 31; /* its number, or one of the above */
};

struct names {
    const struct snapshot *snapshot; /* has the members */
    struct buffer bytes;             /* each other name after an octet with its length */
    struct name_entry *items;
    size_t n, capacity;
};

void names_deinit(struct names *names);

/* The positive result of adding: there are as many bytes as can be counted. */
enum { NAMES_FULL = 1 };

/* Adds a canonical name. Returns 0, NAMES_FULL or -ENOMEM. */
int names_add(struct names *names, struct text name);

/* Adds a domain of the snapshot. Returns 0 or -ENOMEM. */
int names_add_member(struct names *names, const struct domain *domain);

/* Puts the names in order, each once. */
void names_sort(struct names *names);

/* Sets what became of a name. */
static inline void names_set(struct name_entry *entry, size_t policy)
{
    entry->policy = policy & NAMES_NONE;
}

/* The name of an entry; it lives until another one is added. */
struct text names_text(const struct names *names, const struct name_entry *entry);

/* Finds a name, once they are in order; NULL if it is not there. */
struct name_entry *names_find(const struct names *names, struct text name);
