/* The files of one configuration, numbered, so that what was read from them can say where it comes
 * from in few bytes. */
#pragma once

#include "base/arena.h"
#include "config/diagnostics.h"
#include "os/file.h"

enum { SOURCES_MAX = UINT16_MAX };

/* Which file it is, whatever its path, and who reads it. */
struct source_origin {
    dev_t device;
    ino_t inode;
    uint32_t reader;   /* a number of the caller's own */
    uint64_t named_at; /* where it is named, packed by source_pack; 0: nowhere */
};

struct source {
    const char *name;
    struct source_origin origin;
};

struct sources {
    struct source *items;
    size_t n, capacity;
    struct arena arena; /* of the names */
};

#define SOURCES_INIT ((struct sources){0})

/* The positive result of adding: there are SOURCES_MAX already. */
enum { SOURCES_FULL = 1 };

void sources_deinit(struct sources *sources);

/* Adds a file by the name that messages are to call it. Returns 0 and its number, SOURCES_FULL or
 * -ENOMEM. */
int sources_add(struct sources *sources, const char *name, const struct source_origin *origin,
                uint16_t *number);

/* What the same file, for the same reader, was added with; NULL if it was not. */
const struct source_origin *sources_find(const struct sources *sources,
                                         const struct source_origin *origin);

/* The name of a file that was added. */
const char *sources_name(const struct sources *sources, uint16_t number);

/* A place packed into 64 bits: 16 of the file's number, 30 of the line, 18 of the column. A line or
 * column beyond that becomes 0: not known. */
uint64_t source_pack(uint16_t number, uint32_t line, uint32_t column);

/* The place that was packed; it names its file as long as SOURCES lives. */
struct place source_unpack(const struct sources *sources, uint64_t packed);

/* Goes past the byte order mark (U+FEFF in UTF-8) that a file may begin with. */
void file_skip_mark(struct file *file);

/* Whether a file that nothing was read of yet is UTF-16, as some editors and shells write it. */
bool file_is_utf16(struct file *file);

/* Reports why the file of a path was refused; at PLACE, where it is named, if that has a file. */
void file_report(const struct file *file, const char *path, struct place place,
                 struct diagnostics *diagnostics);
