/* The domain table: from a domain's canonical name to its policy.
 *
 * Every domain is one packed entry in a single run of bytes: the number of its policy and its kind
 * (4 octets), the length of its name (1), the name. Over it lies an index of 8-octet slots,
 * open-addressed with linear probing: a slot holds 32 bits of the name's hash and the entry's
 * offset, so that a look-up touches one line of the index and, only where the hash agrees, one
 * entry. A slot's home is its hash scaled to the number of slots, which keeps the slots in the
 * order of their hashes: growing walks memory forwards and never looks at a name. With the index at
 * three quarters full, a domain costs 16 octets and its name, and the memory grows by nothing else.
 *
 * The hash is seeded, so that who can choose the names in a list cannot choose where they go.
 */
#pragma once

#include "base.h"

struct table_slot {
    uint32_t hash;
    uint32_t offset; /* of the entry; 0: free */
};

struct table {
    uint64_t seed;
    uint8_t *entries; /* the first entry begins at 1, as 0 marks a free slot */
    size_t used;
    size_t capacity;
    struct table_slot *slots;
    size_t n_slots;
    size_t n; /* domains */
};

struct table_entry {
    struct text name; /* lives as long as the table is not changed */
    uint32_t value;
};

/* Positive results of table_add. */
enum {
    TABLE_EXISTS = 1,
    TABLE_FULL, /* offsets have 32 bits */
};

void table_init(struct table *table, uint64_t seed);
void table_deinit(struct table *table);

/* Adds a name of at most NAME_TEXT_MAX octets. Returns 0; TABLE_EXISTS, and *POSITION is then the
 * position of the entry that has the name; TABLE_FULL; or -ENOMEM. */
int table_add(struct table *table, struct text name, uint32_t value, size_t *position);

/* Finds a name. Returns whether it is there. */
bool table_find(const struct table *table, struct text name, struct table_entry *out);

/* Visits the entries in the order of their adding: start with POSITION 0 and go on until false. A
 * position is the entry's offset, and grows with the order. */
bool table_next(const struct table *table, size_t *position, struct table_entry *out);

/* The entry at a position that table_add gave. */
struct table_entry table_at(const struct table *table, size_t position);

/* Gives back the memory that was kept for growing, and makes the index as dense as it is to be.
 * Returns 0 or -ENOMEM (the table is then as it was). */
int table_trim(struct table *table);
