/* The files that a pattern in the configuration names. */
#pragma once

#include "base/base.h"

struct glob_paths {
    char **paths; /* in the order of their bytes */
    size_t n;
};

#define GLOB_PATHS_INIT ((struct glob_paths){0})

/* Positive results of expanding. */
enum {
    GLOB_EMPTY = 1,  /* the pattern matches no file */
    GLOB_UNREADABLE, /* a directory that it names cannot be searched */
};

void glob_paths_deinit(struct glob_paths *set);

/* Expands a pattern as glob(7) describes it, relative to the directory of HOLDER, the file that
 * holds it; the paths begin as HOLDER's does. A pattern without *, ? or [ names its file whether it
 * exists or not. Returns 0, one of the results above, or -ENOMEM. */
int glob_expand(const char *holder, const char *pattern, struct glob_paths *out);

/* Whether a pattern is to be expanded, and does not name one file. */
bool glob_is_pattern(const char *pattern);

/* How much of a pattern that is to be expanded names the directory where the search begins, below
 * which all that it matches lies: nothing, or up to a slash. */
size_t glob_base(const char *pattern);
