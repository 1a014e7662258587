/* The list of zones that PowerDNS's API gives, read as it comes:
 *
 *   [{"name": "example.org.", "kind": "Native", …}, …]
 *
 * A million zones are some hundred megabytes of JSON (RFC 8259), of which one member matters. So
 * nothing is kept but the string that is being read; libraries that make a tree of it, as jansson
 * does, would need gigabytes. The reader is strict: a list that was cut short, or that is something
 * else, must not pass for a short one. It accepts JSON alone, of this shape, to its end. Two of one
 * name in a zone, and zones without a name, are refused. */
#pragma once

#include "base/base.h"

enum {
    ZONE_READER_STRING_MAX = 1024, /* octets of a string that are kept: no name is that long */
    ZONE_READER_DEPTH_MAX = 32,    /* arrays and objects in one another */
};

/* Takes a name. Returns 0, or a negative value, which ends the reading. */
typedef int (*zone_found)(void *context, struct text name);

struct zone_reader {
    zone_found found;
    void *context;
    const char *fault; /* why this is no list of zones, a constant; NULL: so far it is one */
    uint8_t state;     /* what may come next */
    uint8_t depth;     /* arrays and objects that are open */
    uint32_t objects;  /* a bit for each of them: it is an object */
    bool is_key;       /* the string is one */
    bool is_name;      /* the value to come is the name of a zone */
    bool has_name;     /* the zone has one */
    uint8_t digits;    /* of a \u that were read */
    uint16_t unit;     /* what they say, in UTF-16 */
    uint16_t high;     /* the first of two that are one character, or 0 */
    const char *word;  /* what is left of true, false or null */
    size_t length;     /* of the string */
    char string[ZONE_READER_STRING_MAX];
};

/* Begins to read; FOUND gets the name of each zone, which lives until it returns. */
void zone_reader_init(struct zone_reader *reader, zone_found found, void *context);

/* The positive result: this is no list of zones, and FAULT says why. */
enum { ZONE_READER_REFUSED = 1 };

/* Reads a piece. Returns 0, ZONE_READER_REFUSED, or what FOUND returned; after these two the reader
 * is of no further use. */
int zone_reader_feed(struct zone_reader *reader, const char *bytes, size_t n);

/* Says that nothing more comes. Returns 0 if the list has ended, or ZONE_READER_REFUSED. */
int zone_reader_end(struct zone_reader *reader);
