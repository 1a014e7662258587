#include "snapshot/zones.h"

#include "base/array.h"
#include "base/number.h"
#include "snapshot/domain_table.h"

#include <errno.h>
#include <nettle/sha2.h>

enum {
    /* Names say ids up to here; the rest is room for those that must take the next id. */
    ID_SPREAD = ZONE_ID_MAX - ZONE_ID_MIN - (1 << 20),
    DIGEST_BYTES = ZONE_LABEL_LENGTH / 2,
};

void zones_deinit(struct zones *zones)
{
    free(zones->slots);
    *zones = (struct zones){0};
}

static void digest_name(struct text name, uint8_t digest[DIGEST_BYTES])
{
    struct sha256_ctx context;

    sha256_init(&context);
    sha256_update(&context, name.length, (const uint8_t *)name.data);
    sha256_digest(&context, DIGEST_BYTES, digest);
}

/* The id that the first octets of a digest say. */
static uint32_t id_from_digest(const uint8_t digest[DIGEST_BYTES])
{
    uint32_t bits = (uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 |
                    (uint32_t)digest[2] << 8 | digest[3];

    return ZONE_ID_MIN + (uint32_t)((uint64_t)bits * ID_SPREAD >> 32);
}

static uint32_t id_from_name(struct text name)
{
    uint8_t digest[DIGEST_BYTES];

    digest_name(name, digest);
    return id_from_digest(digest);
}

int zones_add(struct zones *zones, uint32_t position, enum owner owner, struct text name)
{
    uint8_t digest[DIGEST_BYTES];
    uint64_t number;

    if (ARRAY_RESERVE(zones->slots, zones->n, zones->capacity))
        return -ENOMEM;
    digest_name(name, digest);
    memcpy(&number, digest + DIGEST_BYTES - sizeof(number), sizeof(number));
    zones->fingerprint += number;
    zones->slots[zones->n++] = (struct zone_slot){id_from_digest(digest), position, owner};
    return 0;
}

void zones_name(const struct zone_slot *slot, const struct domain_table *table,
                const struct name *catalog, struct name *out)
{
    if (slot->owner == OWNER_CATALOG)
        *out = *catalog;
    else
        owner_name(slot->owner, domain_table_at(table, slot->position).name, out);
}

/* What comparing names needs. */
struct names {
    const struct domain_table *table;
    const struct name *catalog;
};

/* Orders zones by their digests: by the ids that these say, and within one id by the rest. */
static int compare_slots(const void *a, const void *b, void *context)
{
    const struct zone_slot *left = a, *right = b;
    const struct names *names = context;
    uint8_t left_digest[DIGEST_BYTES], right_digest[DIGEST_BYTES];
    struct name name;

    if (left->id != right->id)
        return left->id < right->id ? -1 : 1;
    zones_name(left, names->table, names->catalog, &name);
    digest_name(name_text(&name), left_digest);
    zones_name(right, names->table, names->catalog, &name);
    digest_name(name_text(&name), right_digest);
    return memcmp(left_digest, right_digest, DIGEST_BYTES);
}

void zones_assign_ids(struct zones *zones, const struct domain_table *table,
                      const struct name *catalog)
{
    struct names names = {table, catalog};
    uint32_t next = ZONE_ID_MIN;

    if (zones->n)
        qsort_r(zones->slots, zones->n, sizeof(*zones->slots), compare_slots, &names);
    for (size_t i = 0; i < zones->n; i++) {
        if (zones->slots[i].id < next)
            zones->slots[i].id = next;
        next = zones->slots[i].id + 1;
    }
}

/* The number of the first zone whose id is not below ID. */
static size_t first_from(const struct zones *zones, uint32_t id)
{
    size_t low = 0, high = zones->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (zones->slots[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t zones_find(const struct zones *zones, uint32_t position, enum owner owner, struct text name)
{
    size_t number = first_from(zones, id_from_name(name));

    while (zones->slots[number].position != position || zones->slots[number].owner != owner)
        number++;
    return number;
}

size_t zones_find_id(const struct zones *zones, uint32_t id)
{
    size_t number = first_from(zones, id);

    return number < zones->n && zones->slots[number].id == id ? number : zones->n;
}

void zones_label(struct text name, char label[ZONE_LABEL_LENGTH + 1])
{
    uint8_t digest[DIGEST_BYTES];

    digest_name(name, digest);
    hex_write(digest, DIGEST_BYTES, label);
}

size_t zones_find_label(const struct zones *zones, struct text label)
{
    uint8_t digest[DIGEST_BYTES];

    if (label.length != ZONE_LABEL_LENGTH)
        return zones->n;
    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        int high = hex_digit_value(label.data[2 * i]), low = hex_digit_value(label.data[2 * i + 1]);

        if (high < 0 || low < 0)
            return zones->n;
        digest[i] = (uint8_t)(high << 4 | low);
    }
    return first_from(zones, id_from_digest(digest));
}
