#include "table.h"

#include <errno.h>

enum {
    ENTRY_VALUE = 4,  /* octets of the value, at the start of an entry */
    ENTRY_HEADER = 5, /* and one of the name's length */
    SLOTS_SMALLEST = 8,
    ENTRIES_SMALLEST = 256,
};

void table_init(struct table *table, uint64_t seed)
{
    *table = (struct table){.seed = seed, .used = 1};
}

void table_deinit(struct table *table)
{
    free(table->entries);
    free(table->slots);
    table_init(table, table->seed);
}

/* Multiplies to 128 bits and folds the halves: every bit of both factors reaches every bit of the
 * result. */
static inline uint64_t mix(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint32_t hash_name(uint64_t seed, struct text name)
{
    const uint64_t k1 = 0x9e3779b97f4a7c15, k2 = 0xd6e8feb86659fd93;
    uint64_t h = seed ^ mix(name.length ^ k1, k2);
    uint64_t word;

    for (; name.length > sizeof(word); name = text_after(name, sizeof(word))) {
        memcpy(&word, name.data, sizeof(word));
        h = mix(h ^ word, k1);
    }
    word = 0;
    memcpy(&word, name.data, name.length);
    return (uint32_t)(mix(mix(h ^ word, k1), k2 ^ seed) >> 32);
}

static inline size_t slot_home(uint32_t hash, size_t n_slots)
{
    return (size_t)(((uint64_t)hash * n_slots) >> 32);
}

static inline size_t slot_after(size_t slot, size_t n_slots)
{
    return slot + 1 == n_slots ? 0 : slot + 1;
}

static void slots_put(struct table_slot *slots, size_t n_slots, struct table_slot slot)
{
    size_t i = slot_home(slot.hash, n_slots);

    while (slots[i].offset)
        i = slot_after(i, n_slots);
    slots[i] = slot;
}

/* Moves the index to another number of slots. */
static int set_slots(struct table *table, size_t n_slots)
{
    struct table_slot *slots = calloc(n_slots, sizeof(*slots));

    if (!slots)
        return -ENOMEM;
    for (size_t i = 0; i < table->n_slots; i++)
        if (table->slots[i].offset)
            slots_put(slots, n_slots, table->slots[i]);
    free(table->slots);
    table->slots = slots;
    table->n_slots = n_slots;
    return 0;
}

/* How many slots a trimmed index has: a quarter of them free. */
static size_t slots_for(size_t n)
{
    return n + n / 3 + 1;
}

static int grow_entries(struct table *table, size_t needed)
{
    size_t capacity = table->capacity ? table->capacity : ENTRIES_SMALLEST;
    uint8_t *entries;

    while (capacity < needed)
        capacity *= 2;
    entries = realloc(table->entries, capacity);
    if (!entries)
        return -ENOMEM;
    table->entries = entries;
    table->capacity = capacity;
    return 0;
}

/* Makes room for one more domain. */
static int grow(struct table *table, size_t entry_size)
{
    int r;

    if (table->used + entry_size > table->capacity) {
        r = grow_entries(table, table->used + entry_size);
        if (r)
            return r;
    }
    if (slots_for(table->n + 1) <= table->n_slots)
        return 0;
    return set_slots(table, table->n_slots ? table->n_slots * 2 : SLOTS_SMALLEST);
}

struct table_entry table_at(const struct table *table, size_t position)
{
    const uint8_t *entry = table->entries + position;
    struct table_entry out = {
        .name = {.data = (const char *)entry + ENTRY_HEADER, .length = entry[ENTRY_VALUE]},
    };

    memcpy(&out.value, entry, ENTRY_VALUE);
    return out;
}

static bool find(const struct table *table, uint32_t hash, struct text name, size_t *position)
{
    size_t i;

    if (table->n == 0)
        return false;
    i = slot_home(hash, table->n_slots);
    for (; table->slots[i].offset; i = slot_after(i, table->n_slots)) {
        if (table->slots[i].hash != hash ||
            !text_equals(table_at(table, table->slots[i].offset).name, name))
            continue;
        *position = table->slots[i].offset;
        return true;
    }
    return false;
}

int table_add(struct table *table, struct text name, uint32_t value, size_t *position)
{
    uint32_t hash = hash_name(table->seed, name);
    size_t size = ENTRY_HEADER + name.length;
    uint8_t *entry;
    int r;

    if (find(table, hash, name, position))
        return TABLE_EXISTS;
    if (table->used + size > UINT32_MAX)
        return TABLE_FULL;
    r = grow(table, size);
    if (r)
        return r;
    entry = table->entries + table->used;
    memcpy(entry, &value, ENTRY_VALUE);
    entry[ENTRY_VALUE] = (uint8_t)name.length;
    memcpy(entry + ENTRY_HEADER, name.data, name.length);
    slots_put(table->slots, table->n_slots,
              (struct table_slot){.hash = hash, .offset = (uint32_t)table->used});
    table->used += size;
    table->n++;
    return 0;
}

bool table_find(const struct table *table, struct text name, struct table_entry *out)
{
    size_t position;

    if (!find(table, hash_name(table->seed, name), name, &position))
        return false;
    *out = table_at(table, position);
    return true;
}

bool table_next(const struct table *table, size_t *position, struct table_entry *out)
{
    size_t at = *position ? *position : 1;

    if (at >= table->used)
        return false;
    *out = table_at(table, at);
    *position = at + ENTRY_HEADER + out->name.length;
    return true;
}

int table_trim(struct table *table)
{
    uint8_t *entries;
    int r;

    if (table->n == 0)
        return 0;
    r = set_slots(table, slots_for(table->n));
    if (r)
        return r;
    entries = realloc(table->entries, table->used);
    if (!entries)
        return -ENOMEM;
    table->entries = entries;
    table->capacity = table->used;
    return 0;
}
