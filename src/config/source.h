/* The files of one configuration, numbered, so that what was read from them can say where it comes
 * from in few bytes. */
#pragma once

#include "config/diagnostics.h"

enum { SOURCES_MAX = UINT16_MAX };

struct sources {
    char **names;
    size_t n;
    size_t capacity;
};

#define SOURCES_INIT ((struct sources){0})

/* The positive result of adding: there are SOURCES_MAX already. */
enum { SOURCES_FULL = 1 };

void sources_deinit(struct sources *sources);

/* Adds a file by the name that messages are to call it. Returns 0 and its number, SOURCES_FULL or
 * -ENOMEM. */
int sources_add(struct sources *sources, const char *name, uint16_t *number);

/* The name of a file that was added. */
const char *sources_name(const struct sources *sources, uint16_t number);

/* A place packed into 64 bits: 16 of the file's number, 30 of the line, 18 of the column. A line or
 * column beyond that becomes 0: not known. */
uint64_t source_pack(uint16_t number, uint32_t line, uint32_t column);

/* The place that was packed; it names its file as long as SOURCES lives. */
struct place source_unpack(const struct sources *sources, uint64_t packed);
