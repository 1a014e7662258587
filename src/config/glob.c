#include "config/glob.h"

#include "base/array.h"
#include "base/buffer.h"

#include <errno.h>

#define GLOB_CHARACTERS "*?["

bool glob_is_pattern(const char *pattern)
{
    return strpbrk(pattern, GLOB_CHARACTERS);
}

char *glob_path(const char *holder, const char *pattern)
{
    CLEANUP(buffer_deinit) struct buffer path = BUFFER_INIT;
    const char *slash = strrchr(holder, '/');
    bool is_glob = glob_is_pattern(pattern);

    for (const char *c = holder; pattern[0] != '/' && slash && c <= slash; c++) {
        if (is_glob && strchr(GLOB_CHARACTERS "\\", *c))
            buffer_add_string(&path, "\\");
        buffer_add(&path, c, 1);
    }
    buffer_add_string(&path, pattern);
    return buffer_take_string(&path);
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* For glob: a directory that does not exist is only no match, any other failure ends the search. */
static int on_unreadable(const char *path, int error)
{
    (void)path;
    return error != ENOENT;
}

int glob_find(const char *path, glob_t *found)
{
    switch (glob(path, GLOB_NOSORT, on_unreadable, found)) {
    case 0:
        qsort(found->gl_pathv, found->gl_pathc, sizeof(*found->gl_pathv), compare_paths);
        return 0;
    case GLOB_NOMATCH:
        return GLOB_EMPTY;
    case GLOB_NOSPACE:
        return -ENOMEM;
    default:
        return GLOB_UNREADABLE;
    }
}

void glob_set_deinit(struct glob_set *set)
{
    free(set->paths);
    arena_deinit(&set->arena);
    *set = GLOB_SET_INIT;
}

int glob_set_add(struct glob_set *set, const char *path)
{
    struct text copy;

    if (ARRAY_RESERVE(set->paths, set->n, set->capacity) ||
        arena_copy_text(&set->arena, text_from(path), &copy))
        return -ENOMEM;
    set->paths[set->n++] = copy.data;
    return 0;
}

void glob_set_sort(struct glob_set *set)
{
    if (set->n)
        qsort(set->paths, set->n, sizeof(*set->paths), compare_paths);
}

bool glob_set_has(const struct glob_set *set, const char *path)
{
    return set->n && bsearch(&path, set->paths, set->n, sizeof(*set->paths), compare_paths);
}
