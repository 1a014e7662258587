#include "table.h"

#include "buffer.h"

#include <errno.h>

enum {
    ENTRY_VALUE = 4,  /* octets of the value, at the start of an entry */
    ENTRY_HEADER = 5, /* and one of the name's length */
    FIRST_ENTRY = 1,
    ENTRIES_SMALLEST = 256,
    ITEMS_SMALLEST = 16,
    RADIX_BITS = 11, /* three passes sort 32 bits */
    RADIX_PASSES = 3,
    RADIX = 1 << RADIX_BITS,
};

void table_builder_init(struct table_builder *builder, uint64_t seed)
{
    *builder = (struct table_builder){.seed = seed, .used = FIRST_ENTRY};
}

void table_builder_deinit(struct table_builder *builder)
{
    free(builder->entries);
    free(builder->items);
    table_builder_init(builder, builder->seed);
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

static struct table_entry entry_at(const uint8_t *entries, size_t position)
{
    const uint8_t *entry = entries + position;
    struct table_entry out = {
        .name = {.data = (const char *)entry + ENTRY_HEADER, .length = entry[ENTRY_VALUE]},
    };

    memcpy(&out.value, entry, ENTRY_VALUE);
    return out;
}

static int reserve_entry(struct table_builder *builder, size_t size)
{
    size_t capacity = builder->capacity ? builder->capacity : ENTRIES_SMALLEST;
    uint8_t *entries;

    if (size <= builder->capacity - builder->used && builder->entries)
        return 0;
    while (capacity - builder->used < size)
        capacity *= 2;
    entries = realloc(builder->entries, capacity);
    if (!entries)
        return -ENOMEM;
    builder->entries = entries;
    builder->capacity = capacity;
    return 0;
}

static int reserve_item(struct table_builder *builder)
{
    size_t capacity = builder->items_capacity ? builder->items_capacity * 2 : ITEMS_SMALLEST;
    struct table_item *items;

    if (builder->n_items < builder->items_capacity)
        return 0;
    items = reallocarray(builder->items, capacity, sizeof(*items));
    if (!items)
        return -ENOMEM;
    builder->items = items;
    builder->items_capacity = capacity;
    return 0;
}

int table_builder_add(struct table_builder *builder, struct text name, uint32_t value,
                      uint64_t where)
{
    size_t size = ENTRY_HEADER + name.length;
    uint8_t *entry;
    int r;

    if (builder->used + size > UINT32_MAX)
        return TABLE_FULL;
    r = reserve_entry(builder, size);
    r = r ? r : reserve_item(builder);
    if (r)
        return r;
    entry = builder->entries + builder->used;
    memcpy(entry, &value, ENTRY_VALUE);
    entry[ENTRY_VALUE] = (uint8_t)name.length;
    memcpy(entry + ENTRY_HEADER, name.data, name.length);
    builder->items[builder->n_items++] = (struct table_item){
        .where = where,
        .hash = hash_name(builder->seed, name),
        .position = (uint32_t)builder->used,
    };
    builder->used += size;
    return 0;
}

static size_t radix_digit(uint32_t hash, int pass)
{
    return hash >> (pass * RADIX_BITS) & (RADIX - 1);
}

/* Where the slots of each digit begin, for every pass. */
static void count_digits(const struct table_builder *builder, uint32_t starts[RADIX_PASSES][RADIX])
{
    for (size_t i = 0; i < builder->n_items; i++)
        for (int pass = 0; pass < RADIX_PASSES; pass++)
            starts[pass][radix_digit(builder->items[i].hash, pass)]++;
    for (int pass = 0; pass < RADIX_PASSES; pass++) {
        uint32_t sum = 0;

        for (size_t digit = 0; digit < RADIX; digit++) {
            uint32_t count = starts[pass][digit];

            starts[pass][digit] = sum;
            sum += count;
        }
    }
}

static void sort_pass(const struct table_slot *from, size_t n, int pass, uint32_t starts[RADIX],
                      struct table_slot *to)
{
    for (size_t i = 0; i < n; i++)
        to[starts[radix_digit(from[i].hash, pass)]++] = from[i];
}

/* Makes slots of all items, sorted by their hashes, equal ones by position. Returns them, or NULL.
 */
static struct table_slot *sort_items(const struct table_builder *builder)
{
    size_t n = builder->n_items;
    CLEANUP(free_pointer) struct table_slot *other = reallocarray(NULL, n + 1, sizeof(*other));
    struct table_slot *slots = reallocarray(NULL, n + 1, sizeof(*slots));
    uint32_t starts[RADIX_PASSES][RADIX] = {0};

    if (!other || !slots) {
        free(slots);
        return NULL;
    }
    count_digits(builder, starts);
    for (size_t i = 0; i < n; i++) {
        const struct table_item *item = &builder->items[i];

        slots[starts[0][radix_digit(item->hash, 0)]++] =
            (struct table_slot){.hash = item->hash, .position = item->position};
    }
    sort_pass(slots, n, 1, starts[1], other);
    sort_pass(other, n, 2, starts[2], slots);
    return slots;
}

/* An entry that has the name of an earlier one; both by position. */
struct duplicate {
    uint32_t first, again;
};

/* The slot of the same name among some that have the same hash, or NULL. */
static const struct table_slot *find_same(const uint8_t *entries, const struct table_slot *slots,
                                          size_t n, uint32_t position)
{
    struct text name = entry_at(entries, position).name;

    for (size_t i = 0; i < n; i++)
        if (text_equals(entry_at(entries, slots[i].position).name, name))
            return &slots[i];
    return NULL;
}

/* Takes the duplicates out of sorted slots, and returns how many slots remain. */
static size_t take_duplicates(const uint8_t *entries, struct table_slot *slots, size_t n,
                              struct buffer *duplicates)
{
    size_t kept = 0, run = 0; /* where the kept slots of the current hash begin */

    for (size_t i = 0; i < n; i++) {
        const struct table_slot *same;

        if (kept == 0 || slots[kept - 1].hash != slots[i].hash)
            run = kept;
        same = find_same(entries, slots + run, kept - run, slots[i].position);
        if (same)
            buffer_add(duplicates, &(struct duplicate){same->position, slots[i].position},
                       sizeof(struct duplicate));
        else
            slots[kept++] = slots[i];
    }
    return kept;
}

static int compare_duplicates(const void *a, const void *b)
{
    const struct duplicate *left = a, *right = b;

    return left->again < right->again ? -1 : left->again > right->again;
}

static int compare_position(const void *key, const void *element)
{
    uint32_t position = *(const uint32_t *)key;
    const struct table_item *item = element;

    return position < item->position ? -1 : position > item->position;
}

static uint64_t where_of(const struct table_builder *builder, uint32_t position)
{
    const struct table_item *item =
        bsearch(&position, builder->items, builder->n_items, sizeof(*item), compare_position);

    return item->where;
}

/* Hands the duplicates to the caller, and leaves their entries out of the visits to come. */
static void report_duplicates(const struct table_builder *builder, struct duplicate *duplicates,
                              size_t n,
                              void (*clash)(const struct table_clash *clash, void *context),
                              void *context)
{
    const uint32_t dead = TABLE_VALUE_DEAD;

    if (n)
        qsort(duplicates, n, sizeof(*duplicates), compare_duplicates);
    for (size_t i = 0; i < n; i++) {
        struct table_clash report = {
            .first = entry_at(builder->entries, duplicates[i].first),
            .again = entry_at(builder->entries, duplicates[i].again),
            .first_where = where_of(builder, duplicates[i].first),
            .again_where = where_of(builder, duplicates[i].again),
        };

        clash(&report, context);
        memcpy(builder->entries + duplicates[i].again, &dead, ENTRY_VALUE);
    }
}

static inline size_t slot_home(uint32_t hash, size_t n_homes)
{
    return (size_t)(((uint64_t)hash * n_homes) >> 32);
}

/* Where a slot goes that follows upon the one before NEXT. */
static inline size_t slot_place(uint32_t hash, size_t n_homes, size_t next)
{
    size_t home = slot_home(hash, n_homes);

    return home > next ? home : next;
}

/* Lays sorted slots out, each at its home or behind the one before. Returns them, or NULL. */
static struct table_slot *lay_out(const struct table_slot *sorted, size_t n, size_t n_homes)
{
    struct table_slot *slots;
    size_t next = 0;

    for (size_t i = 0; i < n; i++)
        next = slot_place(sorted[i].hash, n_homes, next) + 1;
    if (next < n_homes)
        next = n_homes;
    slots = calloc(next + 1, sizeof(*slots));
    if (!slots)
        return NULL;
    next = 0;
    for (size_t i = 0; i < n; i++) {
        next = slot_place(sorted[i].hash, n_homes, next);
        slots[next++] = sorted[i];
    }
    return slots;
}

/* Gives back the room that was kept for more entries. */
static int trim_entries(struct table_builder *builder)
{
    uint8_t *entries = realloc(builder->entries, builder->used);

    if (!entries)
        return -ENOMEM;
    builder->entries = entries;
    builder->capacity = builder->used;
    return 0;
}

int table_build(struct table_builder *builder,
                void (*clash)(const struct table_clash *clash, void *context), void *context,
                struct table *out)
{
    CLEANUP(buffer_deinit) struct buffer duplicates = BUFFER_INIT;
    CLEANUP(free_pointer) struct table_slot *sorted = sort_items(builder);
    struct table table = {.seed = builder->seed, .used = builder->used};

    if (!sorted || trim_entries(builder) != 0)
        return -ENOMEM;
    table.n = take_duplicates(builder->entries, sorted, builder->n_items, &duplicates);
    table.n_homes = table.n + table.n / 3 + 1;
    table.slots = lay_out(sorted, table.n, table.n_homes);
    if (duplicates.failed || !table.slots) {
        free(table.slots);
        return -ENOMEM;
    }
    report_duplicates(builder, (struct duplicate *)(void *)duplicates.data,
                      duplicates.length / sizeof(struct duplicate), clash, context);
    table.entries = builder->entries;
    builder->entries = NULL;
    table_builder_deinit(builder);
    *out = table;
    return 0;
}

size_t table_size(const struct table *table)
{
    return table->used + table->n_homes * sizeof(*table->slots);
}

void table_deinit(struct table *table)
{
    free(table->entries);
    free(table->slots);
    *table = (struct table){0};
}

bool table_find(const struct table *table, struct text name, struct table_entry *out)
{
    uint32_t hash = hash_name(table->seed, name);
    const struct table_slot *slot = table->slots + slot_home(hash, table->n_homes);

    for (; slot->position; slot++) {
        struct table_entry entry;

        if (slot->hash != hash)
            continue;
        entry = entry_at(table->entries, slot->position);
        if (text_equals(entry.name, name)) {
            *out = entry;
            return true;
        }
    }
    return false;
}

bool table_next(const struct table *table, size_t *cursor, struct table_entry *out)
{
    size_t at = *cursor ? *cursor : FIRST_ENTRY;

    while (at < table->used) {
        struct table_entry entry = entry_at(table->entries, at);

        at += ENTRY_HEADER + entry.name.length;
        *cursor = at;
        if (entry.value == TABLE_VALUE_DEAD)
            continue;
        *out = entry;
        return true;
    }
    return false;
}
