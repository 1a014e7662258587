/* The domain table: from a domain's canonical name to a value, in two stages.
 *
 * While a configuration is read, a domain_table_builder only appends: every domain becomes a packed
 * entry in a single run of bytes, its value (4 octets), the length of its name (1), the name.
 * Looking for a place in an index for each of them would wait for memory a million times; instead
 * the finished table is indexed in one go.
 *
 * The index of the table is open-addressed with linear probing. A slot of 8 octets holds 32 bits of
 * the name's hash and the entry's offset; its home is the hash scaled to the number of homes, so
 * slots stand in the order of their hashes. Sorting the hashes (into buckets that a cache can hold,
 * and these into a few each) and laying the slots out one after another thus makes the index
 * without ever jumping far in memory, and finds duplicates beside each other. Probing never wraps:
 * behind the last home there are as many slots as the last run needs, and a free one.
 *
 * A look-up touches one line of the index and, only where the hash agrees, one entry. With three
 * quarters of the homes taken, a domain costs 16 octets and its name.
 *
 * The hash is seeded, so that who can choose the names in a list cannot choose where they go.
 */
#pragma once

#include "snapshot/marks.h"

struct domain_table_builder {
    uint64_t seed;
    uint8_t *entries; /* the first one begins at 1, as 0 marks a free slot */
    size_t used;
    size_t capacity;
    struct marks places; /* where each entry comes from, by its number; the caller's own marks */
};

struct domain_table_slot {
    uint32_t hash;
    uint32_t position; /* of the entry; 0: free */
};

struct domain_table {
    uint64_t seed;
    uint8_t *entries;
    size_t used;
    struct domain_table_slot *slots;
    size_t n_homes;
    size_t n; /* domains */
};

struct domain_table_entry {
    struct text name; /* lives as long as the table */
    uint32_t value;
    uint32_t position; /* for domain_table_at */
};

/* A name that was added again. */
struct domain_table_clash {
    struct domain_table_entry first, again;
    uint64_t first_where, again_where;
};

/* The value that no name can have. */
#define DOMAIN_TABLE_VALUE_DEAD UINT32_MAX

void domain_table_builder_init(struct domain_table_builder *builder, uint64_t seed);
void domain_table_builder_deinit(struct domain_table_builder *builder);

/* The positive result of adding: positions have 32 bits. */
enum { DOMAIN_TABLE_FULL = 1 };

/* Adds a name of at most NAME_TEXT_MAX octets with any value but DOMAIN_TABLE_VALUE_DEAD; WHERE is
 * a mark of the caller's own for what CLASH of domain_table_build gets. Returns 0,
 * DOMAIN_TABLE_FULL or -ENOMEM. */
int domain_table_builder_add(struct domain_table_builder *builder, struct text name, uint32_t value,
                             uint64_t where);

/* Makes the table. Names that were added again are left out, and handed to CLASH in the order of
 * their adding. The builder is empty afterwards, or after a failure as it was. Returns 0 or
 * -ENOMEM. */
int domain_table_build(struct domain_table_builder *builder,
                       void (*clash)(const struct domain_table_clash *clash, void *context),
                       void *context, struct domain_table *out);

/* The memory that the table's parts take, in bytes, but for the few slots behind the last home. */
size_t domain_table_size(const struct domain_table *table);

void domain_table_deinit(struct domain_table *table);

/* Finds a name. Returns whether it is there. */
bool domain_table_find(const struct domain_table *table, struct text name,
                       struct domain_table_entry *out);

/* The entry at a position that another call gave. */
struct domain_table_entry domain_table_at(const struct domain_table *table, uint32_t position);

/* Visits the entries in the order of their adding: start with CURSOR 0 and go on until false. */
bool domain_table_next(const struct domain_table *table, size_t *cursor,
                       struct domain_table_entry *out);
