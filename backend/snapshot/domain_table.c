#include "snapshot/domain_table.h"

#include "base/buffer.h"

#include <errno.h>

enum {
    ENTRY_VALUE = 4,  /* octets of the value, at the start of an entry */
    ENTRY_HEADER = 5, /* and one of the name's length */
    FIRST_ENTRY = 1,
    ENTRIES_SMALLEST = 256,
    BUCKET_BITS = 9, /* of a hash, by which slots are sorted first: into what a cache can hold */
    BUCKETS = 1 << BUCKET_BITS,
    FEW = 8,      /* slots, on average, that are left to sorting by insertion */
    FEW_MAX = 64, /* slots that are too many for that */
};

void domain_table_builder_init(struct domain_table_builder *builder, uint64_t seed)
{
    *builder = (struct domain_table_builder){.seed = seed, .used = FIRST_ENTRY};
}

void domain_table_builder_deinit(struct domain_table_builder *builder)
{
    free(builder->entries);
    marks_deinit(&builder->places);
    domain_table_builder_init(builder, builder->seed);
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

static struct domain_table_entry entry_at(const uint8_t *entries, size_t position)
{
    const uint8_t *entry = entries + position;
    struct domain_table_entry out = {
        .name = {.data = (const char *)entry + ENTRY_HEADER, .length = entry[ENTRY_VALUE]},
        .position = (uint32_t)position,
    };

    memcpy(&out.value, entry, ENTRY_VALUE);
    return out;
}

static int reserve_entry(struct domain_table_builder *builder, size_t size)
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

int domain_table_builder_add(struct domain_table_builder *builder, struct text name, uint32_t value,
                             uint64_t where)
{
    size_t size = ENTRY_HEADER + name.length;
    uint8_t *entry;
    int r;

    if (builder->used + size > UINT32_MAX)
        return DOMAIN_TABLE_FULL;
    r = reserve_entry(builder, size);
    r = r ? r : marks_add(&builder->places, where);
    if (r)
        return r;
    entry = builder->entries + builder->used;
    memcpy(entry, &value, ENTRY_VALUE);
    entry[ENTRY_VALUE] = (uint8_t)name.length;
    memcpy(entry + ENTRY_HEADER, name.data, name.length);
    builder->used += size;
    return 0;
}

/* The entry behind another one. */
static size_t next_position(const uint8_t *entries, size_t position)
{
    return position + ENTRY_HEADER + entry_at(entries, position).name.length;
}

static int compare_slots(const void *a, const void *b)
{
    const struct domain_table_slot *left = a, *right = b;

    if (left->hash != right->hash)
        return left->hash < right->hash ? -1 : 1;
    return left->position < right->position ? -1 : left->position > right->position;
}

/* Sorts slots that stand in the order of their positions. Mostly there are a few; there are many
 * where one name was added again and again. */
static void sort_few(struct domain_table_slot *slots, size_t n)
{
    if (n > FEW_MAX) {
        qsort(slots, n, sizeof(*slots), compare_slots);
        return;
    }
    for (size_t i = 1; i < n; i++) {
        struct domain_table_slot slot = slots[i];
        size_t at = i;

        for (; at > 0 && slots[at - 1].hash > slot.hash; at--)
            slots[at] = slots[at - 1];
        slots[at] = slot;
    }
}

/* How many bits of a hash tell N slots apart so far that a few share them. */
static unsigned int bits_for(size_t n)
{
    unsigned int bits = 0;

    while (n >> bits > FEW)
        bits++;
    return bits;
}

/* A number of a hash's bits, below the highest ones that are skipped. */
static size_t bits_of(uint32_t hash, unsigned int skip, unsigned int bits)
{
    return (size_t)((uint64_t)(uint32_t)(hash << skip) << bits >> 32);
}

/* Turns counts into where each count's part begins. */
static void sum_up(uint32_t *counts, size_t n)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < n; i++) {
        uint32_t count = counts[i];

        counts[i] = sum;
        sum += count;
    }
}

/* Sorts a bucket, whose slots differ below the skipped bits: into small parts in SCRATCH, sorts
 * these, and copies all back. */
static void sort_bucket(struct domain_table_slot *slots, size_t n, unsigned int skip,
                        struct domain_table_slot *scratch, uint32_t *ends)
{
    unsigned int bits = bits_for(n);
    size_t n_parts = (size_t)1 << bits, begin = 0;

    memset(ends, 0, n_parts * sizeof(*ends));
    for (size_t i = 0; i < n; i++)
        ends[bits_of(slots[i].hash, skip, bits)]++;
    sum_up(ends, n_parts);
    for (size_t i = 0; i < n; i++)
        scratch[ends[bits_of(slots[i].hash, skip, bits)]++] = slots[i];
    for (size_t part = 0; part < n_parts; part++) {
        sort_few(scratch + begin, ends[part] - begin);
        begin = ends[part];
    }
    memcpy(slots, scratch, n * sizeof(*slots));
}

/* Puts a slot of every entry into its bucket, and says where each ends. Hashing twice costs less
 * than remembering the hashes. */
static void fill_buckets(const struct domain_table_builder *builder, uint32_t ends[BUCKETS],
                         struct domain_table_slot *slots)
{
    const uint8_t *entries = builder->entries;

    for (size_t at = FIRST_ENTRY; at < builder->used; at = next_position(entries, at))
        ends[bits_of(hash_name(builder->seed, entry_at(entries, at).name), 0, BUCKET_BITS)]++;
    sum_up(ends, BUCKETS);
    for (size_t at = FIRST_ENTRY; at < builder->used; at = next_position(entries, at)) {
        uint32_t hash = hash_name(builder->seed, entry_at(entries, at).name);

        slots[ends[bits_of(hash, 0, BUCKET_BITS)]++] =
            (struct domain_table_slot){.hash = hash, .position = (uint32_t)at};
    }
}

static size_t largest_bucket(const uint32_t ends[BUCKETS])
{
    size_t largest = 0, begin = 0;

    for (size_t bucket = 0; bucket < BUCKETS; bucket++) {
        if (ends[bucket] - begin > largest)
            largest = ends[bucket] - begin;
        begin = ends[bucket];
    }
    return largest;
}

static int sort_buckets(struct domain_table_slot *slots, const uint32_t ends[BUCKETS])
{
    size_t largest = largest_bucket(ends), begin = 0;
    CLEANUP(free_pointer)
    struct domain_table_slot *scratch = reallocarray(NULL, largest + 1, sizeof(*scratch));
    CLEANUP(free_pointer)
    uint32_t *part_ends = reallocarray(NULL, (size_t)1 << bits_for(largest), sizeof(*part_ends));

    if (!scratch || !part_ends)
        return -ENOMEM;
    for (size_t bucket = 0; bucket < BUCKETS; bucket++) {
        sort_bucket(slots + begin, ends[bucket] - begin, BUCKET_BITS, scratch, part_ends);
        begin = ends[bucket];
    }
    return 0;
}

/* Makes slots of all entries, sorted by their hashes, equal ones by position. Returns them, or
 * NULL. */
static struct domain_table_slot *sort_entries(const struct domain_table_builder *builder)
{
    size_t n = builder->places.n;
    struct domain_table_slot *slots = reallocarray(NULL, n + 1, sizeof(*slots));
    uint32_t ends[BUCKETS] = {0};

    if (!slots)
        return NULL;
    fill_buckets(builder, ends, slots);
    if (sort_buckets(slots, ends)) {
        free(slots);
        return NULL;
    }
    return slots;
}

/* An entry that has the name of an earlier one. */
struct duplicate {
    uint32_t first, again; /* by position */
    uint32_t first_number, again_number;
};

/* The slot of the same name among some that have the same hash, or NULL. */
static const struct domain_table_slot *find_same(const uint8_t *entries,
                                                 const struct domain_table_slot *slots, size_t n,
                                                 uint32_t position)
{
    struct text name = entry_at(entries, position).name;

    for (size_t i = 0; i < n; i++)
        if (text_equals(entry_at(entries, slots[i].position).name, name))
            return &slots[i];
    return NULL;
}

/* Takes the duplicates out of sorted slots, and returns how many slots remain. */
static size_t take_duplicates(const uint8_t *entries, struct domain_table_slot *slots, size_t n,
                              struct buffer *duplicates)
{
    size_t kept = 0, run = 0; /* where the kept slots of the current hash begin */

    for (size_t i = 0; i < n; i++) {
        const struct domain_table_slot *same;

        if (kept == 0 || slots[kept - 1].hash != slots[i].hash)
            run = kept;
        same = find_same(entries, slots + run, kept - run, slots[i].position);
        if (same)
            buffer_add(duplicates,
                       &(struct duplicate){.first = same->position, .again = slots[i].position},
                       sizeof(struct duplicate));
        else
            slots[kept++] = slots[i];
    }
    return kept;
}

static int compare_first(const void *a, const void *b)
{
    const struct duplicate *left = a, *right = b;

    return left->first < right->first ? -1 : left->first > right->first;
}

static int compare_again(const void *a, const void *b)
{
    const struct duplicate *left = a, *right = b;

    return left->again < right->again ? -1 : left->again > right->again;
}

/* Counts entries from where the last call has stopped up to a position. */
struct counter {
    size_t position;
    uint32_t number;
};

static uint32_t count_to(struct counter *counter, const uint8_t *entries, uint32_t position)
{
    for (; counter->position < position; counter->number++)
        counter->position = next_position(entries, counter->position);
    return counter->number;
}

/* Finds the numbers of the duplicates, and leaves them in the order of their adding. */
static void number_duplicates(const uint8_t *entries, struct duplicate *duplicates, size_t n)
{
    struct counter first = {.position = FIRST_ENTRY}, again = {.position = FIRST_ENTRY};

    qsort(duplicates, n, sizeof(*duplicates), compare_first);
    for (size_t i = 0; i < n; i++)
        duplicates[i].first_number = count_to(&first, entries, duplicates[i].first);
    qsort(duplicates, n, sizeof(*duplicates), compare_again);
    for (size_t i = 0; i < n; i++)
        duplicates[i].again_number = count_to(&again, entries, duplicates[i].again);
}

/* Hands the duplicates to the caller, and leaves their entries out of the visits to come. */
static void report_duplicates(const struct domain_table_builder *builder,
                              struct duplicate *duplicates, size_t n,
                              void (*clash)(const struct domain_table_clash *clash, void *context),
                              void *context)
{
    const uint32_t dead = DOMAIN_TABLE_VALUE_DEAD;

    if (n)
        number_duplicates(builder->entries, duplicates, n);
    for (size_t i = 0; i < n; i++) {
        struct domain_table_clash report = {
            .first = entry_at(builder->entries, duplicates[i].first),
            .again = entry_at(builder->entries, duplicates[i].again),
            .first_where = marks_get(&builder->places, duplicates[i].first_number),
            .again_where = marks_get(&builder->places, duplicates[i].again_number),
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
static struct domain_table_slot *lay_out(const struct domain_table_slot *sorted, size_t n,
                                         size_t n_homes)
{
    struct domain_table_slot *slots;
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
static int trim_entries(struct domain_table_builder *builder)
{
    uint8_t *entries = realloc(builder->entries, builder->used);

    if (!entries)
        return -ENOMEM;
    builder->entries = entries;
    builder->capacity = builder->used;
    return 0;
}

int domain_table_build(struct domain_table_builder *builder,
                       void (*clash)(const struct domain_table_clash *clash, void *context),
                       void *context, struct domain_table *out)
{
    CLEANUP(buffer_deinit) struct buffer duplicates = BUFFER_INIT;
    CLEANUP(free_pointer) struct domain_table_slot *sorted = sort_entries(builder);
    struct domain_table table = {.seed = builder->seed, .used = builder->used};

    if (!sorted || trim_entries(builder) != 0)
        return -ENOMEM;
    table.n = take_duplicates(builder->entries, sorted, builder->places.n, &duplicates);
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
    domain_table_builder_deinit(builder);
    *out = table;
    return 0;
}

size_t domain_table_size(const struct domain_table *table)
{
    return table->used + table->n_homes * sizeof(*table->slots);
}

void domain_table_deinit(struct domain_table *table)
{
    free(table->entries);
    free(table->slots);
    *table = (struct domain_table){0};
}

bool domain_table_find(const struct domain_table *table, struct text name,
                       struct domain_table_entry *out)
{
    uint32_t hash = hash_name(table->seed, name);
    const struct domain_table_slot *slot = table->slots + slot_home(hash, table->n_homes);

    for (; slot->position; slot++) {
        struct domain_table_entry entry;

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

struct domain_table_entry domain_table_at(const struct domain_table *table, uint32_t position)
{
    return entry_at(table->entries, position);
}

bool domain_table_next(const struct domain_table *table, size_t *cursor,
                       struct domain_table_entry *out)
{
    size_t at = *cursor ? *cursor : FIRST_ENTRY;

    while (at < table->used) {
        struct domain_table_entry entry = entry_at(table->entries, at);

        at += ENTRY_HEADER + entry.name.length;
        *cursor = at;
        if (entry.value == DOMAIN_TABLE_VALUE_DEAD)
            continue;
        *out = entry;
        return true;
    }
    return false;
}
