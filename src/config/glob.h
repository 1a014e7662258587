/* The files that a name or a glob in the configuration stands for. */
#pragma once

#include "base/base.h"

/* Positive results. */
enum {
    GLOB_EMPTY = 1,  /* the glob matches no file */
    GLOB_UNREADABLE, /* a directory that it names cannot be searched */
};

/* Hands the path of every file that a pattern stands for to a function, until it returns negative:
 * in the order of their bytes those that match a glob (glob(7)), or the one that is named without
 * *, ? and [, whether it exists or not. The pattern is relative to the directory of HOLDER, the
 * file that holds it, and the paths begin as HOLDER's does. Returns 0, one of the results above,
 * -ENOMEM, or what the function returned. */
int glob_each(const char *holder, const char *pattern, int (*use)(const char *path, void *context),
              void *context);

/* Whether a pattern is a glob, and does not name one file. */
bool glob_is_pattern(const char *pattern);

/* How much of a glob names the directory where the search begins, below which all that it matches
 * lies: nothing, or up to a slash. */
size_t glob_base(const char *pattern);
