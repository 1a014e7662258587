#include "snapshot/domain_table.h"

#include "base/array.h"

#include <errno.h>

enum {
    ENTRY_VALUE = 4,  /* octets of the value, at the start of an entry */
    ENTRY_HEADER = 5, /* and one of the name's length */
    FIRST_ENTRY = 1,
    AHEAD = 16, /* entries for whose slots the memory is asked before they are inserted */
};

/* What the builder knows of an entry; they are in the order of positions. */
struct domain_table_added {
    uint64_t mark;
    uint32_t hash;
    uint32_t position;
};

void domain_table_builder_init(struct domain_table_builder *builder, uint64_t seed)
{
    *builder = (struct domain_table_builder){.seed = seed};
}

void domain_table_builder_deinit(struct domain_table_builder *builder)
{
    buffer_deinit(&builder->entries);
    free(builder->added);
    domain_table_builder_init(builder, builder->seed);
}

static uint32_t hash_name(uint64_t seed, struct text name)
{
    return (uint32_t)(domain_table_hash(seed, name) >> 32);
}

int domain_table_builder_add(struct domain_table_builder *builder, uint64_t hash, struct text name,
                             uint32_t value, uint64_t mark)
{
    struct buffer *entries = &builder->entries;
    size_t size = ENTRY_HEADER + name.length;
    char *entry;

    if (entries->length == 0)
        buffer_add(entries, "", FIRST_ENTRY);
    if (entries->length + size > UINT32_MAX)
        return DOMAIN_TABLE_FULL;
    entry = buffer_reserve(entries, size);
    if (!entry || ARRAY_RESERVE(builder->added, builder->n, builder->capacity))
        return -ENOMEM;
    builder->added[builder->n++] =
        (struct domain_table_added){mark, (uint32_t)(hash >> 32), (uint32_t)entries->length};
    memcpy(entry, &value, ENTRY_VALUE);
    entry[ENTRY_VALUE] = (char)name.length;
    memcpy(entry + ENTRY_HEADER, name.data, name.length);
    entries->length += size;
    return 0;
}

uint32_t domain_table_builder_next(const struct domain_table_builder *builder)
{
    return builder->entries.length ? (uint32_t)builder->entries.length : FIRST_ENTRY;
}

struct domain_table_entry domain_table_at(const struct domain_table *table, uint32_t position)
{
    const uint8_t *entry = table->entries + position;
    struct domain_table_entry out = {
        .name = text_of((const char *)entry + ENTRY_HEADER, entry[ENTRY_VALUE]),
        .position = position,
    };

    memcpy(&out.value, entry, ENTRY_VALUE);
    return out;
}

/* The slot at which the search for a hash begins. */
static inline struct domain_table_slot *home_slot(const struct domain_table *table, uint32_t hash)
{
    return table->slots + (((uint64_t)hash * table->n_slots) >> 32);
}

/* Searches a name with its hash. Returns the slot of its entry, or the free one in which the search
 * ends. */
static inline struct domain_table_slot *find_slot(const struct domain_table *table, uint32_t hash,
                                                  struct text name)
{
    struct domain_table_slot *slot = home_slot(table, hash);

    while (slot->position &&
           (slot->hash != hash || !text_equals(domain_table_at(table, slot->position).name, name)))
        if (++slot == table->slots + table->n_slots)
            slot = table->slots;
    return slot;
}

static int compare_positions(const void *a, const void *b)
{
    const struct domain_table_added *left = a, *right = b;

    return (left->position > right->position) - (left->position < right->position);
}

/* Reports a name that is in the table already, at the position FIRST, and leaves its entry out. */
static void report_clash(const struct domain_table *table,
                         const struct domain_table_builder *builder,
                         const struct domain_table_added *again, uint32_t first,
                         void (*clash)(const struct domain_table_clash *clash, void *context),
                         void *context)
{
    const struct domain_table_added key = {.position = first};
    const struct domain_table_added *found =
        bsearch(&key, builder->added, builder->n, sizeof(key), compare_positions);
    const uint32_t left_out = DOMAIN_TABLE_LEFT_OUT;
    struct domain_table_clash report = {
        .first = domain_table_at(table, first),
        .again = domain_table_at(table, again->position),
        .first_mark = found->mark,
        .again_mark = again->mark,
    };

    clash(&report, context);
    memcpy(table->entries + again->position, &left_out, ENTRY_VALUE);
}

/* Gives back the room that was kept for more entries. */
static int trim_entries(struct buffer *entries)
{
    char *trimmed = entries->length ? realloc(entries->data, entries->length) : NULL;

    if (!trimmed)
        return entries->length ? -ENOMEM : 0;
    entries->data = trimmed;
    entries->capacity = entries->length;
    return 0;
}

int domain_table_build(struct domain_table_builder *builder,
                       void (*clash)(const struct domain_table_clash *clash, void *context),
                       void *context, struct domain_table *out)
{
    size_t n = builder->n, n_slots = n + n / 3 + 1;
    struct domain_table_slot *slots;

    if (trim_entries(&builder->entries))
        return -ENOMEM;
    slots = calloc(n_slots, sizeof(*slots));
    if (!slots)
        return -ENOMEM;
    *out = (struct domain_table){
        .seed = builder->seed,
        .entries = (uint8_t *)builder->entries.data,
        .used = builder->entries.length,
        .slots = slots,
        .n_slots = n_slots,
    };
    builder->entries = BUFFER_INIT;
    for (size_t i = 0; i < n; i++) {
        const struct domain_table_added *added = &builder->added[i];
        struct domain_table_slot *slot =
            find_slot(out, added->hash, domain_table_at(out, added->position).name);

        if (i + AHEAD < n)
            __builtin_prefetch(home_slot(out, added[AHEAD].hash), 1);
        if (slot->position) {
            report_clash(out, builder, added, slot->position, clash, context);
            continue;
        }
        *slot = (struct domain_table_slot){.hash = added->hash, .position = added->position};
        out->n++;
    }
    domain_table_builder_deinit(builder);
    return 0;
}

void domain_table_deinit(struct domain_table *table)
{
    free(table->entries);
    free(table->slots);
    *table = (struct domain_table){0};
}

size_t domain_table_size(const struct domain_table *table)
{
    return table->used + table->n_slots * sizeof(*table->slots);
}

bool domain_table_find(const struct domain_table *table, struct text name,
                       struct domain_table_entry *out)
{
    const struct domain_table_slot *slot = find_slot(table, hash_name(table->seed, name), name);

    if (slot->position == 0)
        return false;
    *out = domain_table_at(table, slot->position);
    return true;
}

bool domain_table_next(const struct domain_table *table, size_t *cursor,
                       struct domain_table_entry *out)
{
    size_t at = *cursor ? *cursor : FIRST_ENTRY;

    while (at < table->used) {
        struct domain_table_entry entry = domain_table_at(table, (uint32_t)at);

        at += ENTRY_HEADER + entry.name.length;
        *cursor = at;
        if (entry.value == DOMAIN_TABLE_LEFT_OUT)
            continue;
        *out = entry;
        return true;
    }
    return false;
}

/* The entries lie at their home slots, in the order of hashes, or after these up to the next free
 * slot. */
bool domain_table_next_prefix(const struct domain_table *table, uint32_t prefix, unsigned int bits,
                              size_t *cursor, struct domain_table_entry *out)
{
    uint64_t next = ((uint64_t)prefix + 1) << (32 - bits);
    size_t first = (size_t)(home_slot(table, prefix << (32 - bits)) - table->slots);
    size_t end = (size_t)(next * table->n_slots >> 32);

    while (*cursor < table->n_slots) {
        size_t at = first + (*cursor)++;
        const struct domain_table_slot *slot = &table->slots[at % table->n_slots];

        if (slot->position == 0 && at >= end)
            break;
        if (slot->position == 0 || slot->hash >> (32 - bits) != prefix)
            continue;
        *out = domain_table_at(table, slot->position);
        return true;
    }
    return false;
}
