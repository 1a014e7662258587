/* The index of own zones.
 *
 * PowerDNS knows a zone by an id from the backend, which must stay the same for the zone, be unique
 * and lie above the ids of its other backends. There is no place to keep ids, so they come from the
 * names: an id is what 32 bits of the SHA-256 of the name say. If two names say the same, the later
 * one in the order of the hashes gets the next id. (So a new zone can move the id of another one,
 * with three hundred thousand zones in 1 of 7,000 cases.) The index has all zones in the order of
 * their ids; a zone's number is its place there. It leads back from an id to the name.
 *
 * The first half of the SHA-256 is also the label that the zone has in a catalog zone (RFC 9432).
 * That lists all other zones, or there are several, <i>.<catalog>, and each lists those zones of
 * which other bits of the SHA-256 say its part i: no zone moves while the number of parts stays.
 */
#pragma once

#include "policy/policy_records.h"

struct domain_table;

enum {
    ZONE_ID_MIN = 1000000, /* PowerDNS's other backends count up from 1 */
    ZONE_ID_MAX = 2147483647,
    ZONE_LABEL_LENGTH = 32, /* octets: hexadecimal digits */
};

/* A zone in the index. */
struct zone_slot {
    uint32_t id;
    uint32_t position; /* of the domain in the table; of a catalog zone its part */
    uint16_t owner;    /* enum owner of the apex */
    uint16_t part;     /* of the catalog zone that lists it */
};

/* What a catalog zone lists. */
struct catalog_part {
    uint32_t n;           /* zones */
    uint64_t fingerprint; /* of their names: equal for equal sets of zones */
    size_t octets;        /* of their names */
};

struct zones {
    struct zone_slot *slots; /* in the order of their ids */
    size_t n, capacity;
    size_t octets;              /* of the names of all zones */
    struct catalog_part *parts; /* by number */
    uint32_t n_parts;           /* 0 without catalog zones */
};

/* Makes an index with a number of catalog zones, which are still to be added. Returns 0 or
 * -ENOMEM. */
int zones_init(struct zones *zones, uint32_t n_parts);

/* Frees the index, which is empty and usable afterwards, without catalog zones. */
void zones_deinit(struct zones *zones);

/* Adds a zone with its name: that of a domain at a position of the table, with the apex at an
 * owner; or the part and OWNER_CATALOG. Returns 0 or -ENOMEM. */
int zones_add(struct zones *zones, uint32_t position, enum owner owner, struct text name);

/* Gives every zone its id, once all were added: the index can be searched from then on. TABLE and
 * SETTINGS tell the names. */
void zones_assign_ids(struct zones *zones, const struct domain_table *table,
                      const struct zone_settings *settings);

/* Writes the name of a catalog zone: <part>.<catalog>, or <catalog> if it is the only one. */
void zones_catalog_name(const struct zone_settings *settings, uint32_t part, struct name *out);

/* Writes the name of a zone, of which TABLE or SETTINGS tell the rest. */
void zones_name(const struct zone_slot *slot, const struct domain_table *table,
                const struct zone_settings *settings, struct name *out);

/* Finds a zone by what zones_add was told of it. Returns its number; the zone must be there. */
size_t zones_find(const struct zones *zones, uint32_t position, enum owner owner, struct text name);

/* Finds a zone by its id. Returns its number, or n if there is none. */
size_t zones_find_id(const struct zones *zones, uint32_t id);

/* Writes the label of a zone in a catalog zone: the first half of the SHA-256 of its name, in
 * hexadecimal and terminated. The same name always has the same label. */
void zones_label(struct text name, char label[ZONE_LABEL_LENGTH + 1]);

/* The first number that a zone with such a label can have, n if no zone can; others may follow it.
 */
size_t zones_find_label(const struct zones *zones, struct text label);
