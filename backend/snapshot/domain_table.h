/* The domain table: from a domain's canonical name to a value, in two stages.
 *
 * While a configuration is read, the builder only appends. Every domain becomes a packed entry in
 * one run of bytes: its value (4 octets), the length of its name (1), the name. Beside the entries
 * the builder keeps, until the table is made, each entry's hash, position and the caller's mark.
 *
 * The index is open-addressed with linear probing. A slot has 8 octets: 32 bits of the name's hash,
 * and the entry's position. The slot to begin at is the hash scaled to the number of slots, of
 * which three quarters are taken. A look-up touches one or two cache lines of the index, and an
 * entry only if the hash is the same. A domain costs 16 octets and its name.
 *
 * The index is made in one go from the finished list. Each insertion goes to a random place in
 * memory; because the next hashes are known, their slots are prefetched while earlier ones are
 * filled. An entry whose name is in the index already is a clash: it is reported and marked as left
 * out. Clashes thus come in the order of adding, and each costs a look-up and a binary search.
 *
 * The hash is seeded, so nobody who chooses the names in a list can choose where they go.
 */
#pragma once

#include "base/buffer.h"
#include "base/hash.h"

struct domain_table_added;

struct domain_table_builder {
    uint64_t seed;
    struct buffer entries; /* the first begins at 1, as position 0 marks a free slot */
    struct domain_table_added *added;
    size_t n, capacity; /* of the added */
};

struct domain_table_slot {
    uint32_t hash;
    uint32_t position; /* of the entry; 0: free */
};

struct domain_table {
    uint64_t seed;
    uint8_t *entries;
    size_t used; /* bytes of the entries */
    struct domain_table_slot *slots;
    size_t n_slots;
    size_t n; /* domains */
};

struct domain_table_entry {
    struct text name; /* lives as long as the table */
    uint32_t value;
    uint32_t position; /* for domain_table_at; never 0 */
};

/* A name that was added again. */
struct domain_table_clash {
    struct domain_table_entry first, again;
    uint64_t first_mark, again_mark;
};

/* The value that no name can have. */
#define DOMAIN_TABLE_LEFT_OUT UINT32_MAX

/* The positive result of adding: positions have 32 bits. */
enum { DOMAIN_TABLE_FULL = 1 };

/* Makes an empty builder; it allocates with the first name. */
void domain_table_builder_init(struct domain_table_builder *builder, uint64_t seed);

/* Frees the memory. The builder is empty and usable afterwards. */
void domain_table_builder_deinit(struct domain_table_builder *builder);

/* The hash of a name, of which the table uses the upper half. */
static inline uint64_t domain_table_hash(uint64_t seed, struct text name)
{
    return hash_text(seed, name);
}

/* Adds a name of at most NAME_TEXT_MAX octets, with its hash and with any value but
 * DOMAIN_TABLE_LEFT_OUT. MARK is the caller's own, for the clash that comes of it. Returns 0,
 * DOMAIN_TABLE_FULL, or -ENOMEM, after which the builder is only good for
 * domain_table_builder_deinit. */
int domain_table_builder_add(struct domain_table_builder *builder, uint64_t hash, struct text name,
                             uint32_t value, uint64_t mark);

/* The position that the next name to be added will have. */
uint32_t domain_table_builder_next(const struct domain_table_builder *builder);

/* Makes the table. Names that were added again are left out, and handed to CLASH in the order of
 * their adding. The builder is empty afterwards, or as it was after a failure. Returns 0 or
 * -ENOMEM. */
int domain_table_build(struct domain_table_builder *builder,
                       void (*clash)(const struct domain_table_clash *clash, void *context),
                       void *context, struct domain_table *out);

/* Frees the memory. The table is empty afterwards, and not to be searched. */
void domain_table_deinit(struct domain_table *table);

/* The memory that the table takes, in bytes. */
size_t domain_table_size(const struct domain_table *table);

/* Finds a name. Returns whether it is there. */
bool domain_table_find(const struct domain_table *table, struct text name,
                       struct domain_table_entry *out);

/* The entry at a position that another call gave. */
struct domain_table_entry domain_table_at(const struct domain_table *table, uint32_t position);

/* Visits the entries in the order of their adding: start with CURSOR 0 and go on until false. */
bool domain_table_next(const struct domain_table *table, size_t *cursor,
                       struct domain_table_entry *out);

/* Visits the entries whose hashes begin with the BITS bits of PREFIX, in no order: start with
 * CURSOR 0 and go on until false. It takes time by the number of these entries. */
bool domain_table_next_prefix(const struct domain_table *table, uint32_t prefix, unsigned int bits,
                              size_t *cursor, struct domain_table_entry *out);
