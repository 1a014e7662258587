/* The files that a name or a glob in the configuration stands for. */
#pragma once

#include "base/arena.h"

#include <glob.h>

/* Whether a pattern is a glob, and does not name one file. */
bool glob_is_pattern(const char *pattern);

/* The path that a pattern stands for: relative to the directory of HOLDER, the file that holds it.
 * If the pattern is a glob, so is the path, in which the directory is escaped. Returns NULL if out
 * of memory; the caller frees the path. */
char *glob_path(const char *holder, const char *pattern);

/* Positive results of glob_find. */
enum {
    GLOB_EMPTY = 1,  /* the glob matches no file */
    GLOB_UNREADABLE, /* a directory that it names cannot be searched */
};

/* Finds the files that a glob (glob(7)) matches, in the order of the bytes of their paths. Returns
 * 0, one of the results above or -ENOMEM; FOUND is to be freed in any case. */
int glob_find(const char *path, glob_t *found);

/* The globs that matched a file at a load, by their paths. A directory that is not mounted looks
 * like one that is empty; whether there were files at the load before tells them apart. */
struct glob_set {
    const char **paths; /* in order, once glob_set_sort was called */
    size_t n, capacity;
    struct arena arena; /* of the paths */
};

#define GLOB_SET_INIT ((struct glob_set){0})

void glob_set_deinit(struct glob_set *set);

/* Adds a glob. Returns 0 or -ENOMEM. */
int glob_set_add(struct glob_set *set, const char *path);

/* Puts the globs in order, so that they can be found. */
void glob_set_sort(struct glob_set *set);

bool glob_set_has(const struct glob_set *set, const char *path);
