/* The zones of the service's own, by number.
 *
 * PowerDNS knows a zone by an id that it gets from the backend and that must stay the same for the
 * zone, be unique and lie above those of its other backends. There is no place to keep ids, so they
 * come from the names: an id is what 32 bits of the SHA-256 of the name say, and where two names
 * say the same the later one in the order of the hashes gets the next id. (So a new zone can move
 * the id of another one, of three hundred thousand in 1 of 7,000 cases.) An index of all zones in
 * the order of their ids leads back from an id to the name.
 *
 * The first half of the SHA-256 is also the label that the zone has in a catalog zone.
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
    uint32_t position; /* of the domain in the table, 0 for the catalog zone */
    uint32_t owner;    /* enum owner of the apex */
};

struct zones {
    struct zone_slot *slots; /* in the order of their ids */
    size_t n, capacity;
    uint64_t sum; /* of what the names say: equal for equal sets of zones */
};

#define ZONES_INIT ((struct zones){0})

/* Frees the index, which is empty and usable afterwards. */
void zones_deinit(struct zones *zones);

/* Adds a zone: of a domain at a position of the table, with the apex at an owner; or the catalog
 * zone. The ids are not known yet. Returns 0 or -ENOMEM. */
int zones_add(struct zones *zones, uint32_t position, enum owner owner, struct text name);

/* Gives every zone its id. The names are those that were added; TABLE and CATALOG tell them. */
void zones_settle(struct zones *zones, const struct domain_table *table, struct text catalog);

/* Writes the name of a zone. */
void zones_name(const struct zone_slot *slot, const struct domain_table *table, struct text catalog,
                struct name *out);

/* Finds a zone by its name and what zones_add was told of it. Returns its number in the index; it
 * must be there. */
size_t zones_find(const struct zones *zones, uint32_t position, enum owner owner, struct text name);

/* Finds a zone by its id. Returns its number in the index, or n if there is none. */
size_t zones_find_id(const struct zones *zones, uint32_t id);

/* The label of a zone in a catalog zone: the first half of the SHA-256 of its name, in hexadecimal
 * and terminated. The same name always has the same label. */
void zones_label(struct text name, char label[ZONE_LABEL_LENGTH + 1]);

/* The first number in the index that a zone with such a label can have; the others follow it. */
size_t zones_find_label(const struct zones *zones, struct text label);
