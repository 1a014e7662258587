/* The files that a pattern in the configuration names. */
#pragma once

#include "base/base.h"

struct file_set {
    char **paths; /* in the order of their bytes */
    size_t n;
};

#define FILE_SET_INIT ((struct file_set){0})

/* Positive results of expanding. */
enum {
    FILE_SET_EMPTY = 1,  /* the pattern matches no file */
    FILE_SET_UNREADABLE, /* a directory that it names cannot be searched */
};

void file_set_deinit(struct file_set *set);

/* Expands a pattern as glob(7) describes it, relative to the directory of HOLDER, the file that
 * holds it; the paths begin as HOLDER's does. A pattern without *, ? or [ names its file whether it
 * exists or not. Returns 0, one of the results above, or -ENOMEM. */
int file_set_expand(const char *holder, const char *pattern, struct file_set *out);

/* Whether a pattern is to be expanded, and does not name one file. */
bool file_set_is_glob(const char *pattern);

/* How much of a pattern that is to be expanded names the directory where the search begins, below
 * which all that it matches lies: nothing, or up to a slash. */
size_t file_set_base(const char *pattern);
