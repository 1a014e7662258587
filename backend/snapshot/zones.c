#include "snapshot/zones.h"

#include "base/array.h"
#include "base/number.h"
#include "snapshot/domain_table.h"

#include <errno.h>
#include <nettle/sha2.h>
#include <stdio.h>

enum {
    /* Names say ids up to here; the rest is room for those that must take the next id. */
    ID_SPREAD = ZONE_ID_MAX - ZONE_ID_MIN - (1 << 20),
    DIGEST_BYTES = ZONE_LABEL_LENGTH / 2,
    PART_OFFSET = 4, /* octets of the digest that say the part */
};

int zones_init(struct zones *zones, uint32_t n_parts)
{
    *zones = (struct zones){.n_parts = n_parts};
    if (n_parts)
        zones->parts = calloc(n_parts, sizeof(*zones->parts));
    return n_parts && !zones->parts ? -ENOMEM : 0;
}

void zones_deinit(struct zones *zones)
{
    free(zones->slots);
    free(zones->parts);
    *zones = (struct zones){0};
}

static void digest_name(struct text name, uint8_t digest[DIGEST_BYTES])
{
    struct sha256_ctx context;

    sha256_init(&context);
    sha256_update(&context, name.length, (const uint8_t *)name.data);
    sha256_digest(&context, DIGEST_BYTES, digest);
}

/* Scales the four octets at the beginning of a part of a digest to a number below N. */
static uint32_t scale(const uint8_t octets[4], uint32_t n)
{
    uint32_t bits = (uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 |
                    (uint32_t)octets[2] << 8 | octets[3];

    return (uint32_t)((uint64_t)bits * n >> 32);
}

/* The id that the first octets of a digest say. */
static uint32_t id_from_digest(const uint8_t digest[DIGEST_BYTES])
{
    return ZONE_ID_MIN + scale(digest, ID_SPREAD);
}

static uint32_t id_from_name(struct text name)
{
    uint8_t digest[DIGEST_BYTES];

    digest_name(name, digest);
    return id_from_digest(digest);
}

int zones_add(struct zones *zones, uint32_t position, enum owner owner, struct text name)
{
    struct zone_slot *slot;
    uint8_t digest[DIGEST_BYTES];
    uint64_t number;

    if (ARRAY_RESERVE(zones->slots, zones->n, zones->capacity))
        return -ENOMEM;
    zones->octets += name.length;
    digest_name(name, digest);
    memcpy(&number, digest + DIGEST_BYTES - sizeof(number), sizeof(number));
    slot = &zones->slots[zones->n++];
    *slot = (struct zone_slot){
        .id = id_from_digest(digest),
        .position = position,
        .owner = (uint16_t)owner,
        .part = (uint16_t)scale(digest + PART_OFFSET, zones->n_parts),
    };
    if (zones->n_parts && owner != OWNER_CATALOG) {
        zones->parts[slot->part].n++;
        zones->parts[slot->part].fingerprint += number;
        zones->parts[slot->part].octets += name.length;
    }
    return 0;
}

void zones_catalog_name(const struct zone_settings *settings, uint32_t part, struct name *out)
{
    *out = settings->catalog;
    if (settings->catalog_parts > 1)
        out->length =
            (uint8_t)snprintf(out->text, sizeof(out->text), "%u.%s", part, settings->catalog.text);
}

void zones_name(const struct zone_slot *slot, const struct domain_table *table,
                const struct zone_settings *settings, struct name *out)
{
    if (slot->owner == OWNER_CATALOG)
        zones_catalog_name(settings, slot->position, out);
    else
        owner_name(slot->owner, domain_table_at(table, slot->position).name, out);
}

/* What comparing names needs. */
struct names {
    const struct domain_table *table;
    const struct zone_settings *settings;
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
    zones_name(left, names->table, names->settings, &name);
    digest_name(name_text(&name), left_digest);
    zones_name(right, names->table, names->settings, &name);
    digest_name(name_text(&name), right_digest);
    return memcmp(left_digest, right_digest, DIGEST_BYTES);
}

void zones_assign_ids(struct zones *zones, const struct domain_table *table,
                      const struct zone_settings *settings)
{
    struct names names = {table, settings};
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
