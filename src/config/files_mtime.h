/* When what a configuration consists of has changed last. Serials of own zones begin there: files,
 * the directories that globs look in, and certificates. */
#pragma once

#include "base/buffer.h"

#include <time.h>

enum { FILES_CLOCKS_DIFFER = 300 }; /* seconds that a file's time may be ahead of the clock */

struct files_mtime {
    uint32_t newest;    /* in seconds since 1970 */
    struct buffer path; /* the file that has changed then */
};

#define FILES_MTIME_INIT ((struct files_mtime){0})

void files_mtime_deinit(struct files_mtime *mtime);

/* Notes when a file has changed. A time that leaves no room for later serials, from half a year
 * before 32 bits are used up in 2106, is left out. */
void files_mtime_note(struct files_mtime *mtime, const char *path, time_t modified);

/* Notes when the directories have changed that a glob looks in, on all levels: a file that is gone
 * leaves no other trace. HOLDER and PATTERN as glob_path has them. Returns 0 or -ENOMEM. */
int files_mtime_note_glob(struct files_mtime *mtime, const char *holder, const char *pattern);
