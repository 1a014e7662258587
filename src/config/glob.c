#include "config/glob.h"

#include "base/buffer.h"

#include <errno.h>
#include <glob.h>

#define GLOB_CHARACTERS "*?["

void glob_paths_deinit(struct glob_paths *set)
{
    for (size_t i = 0; i < set->n; i++)
        free(set->paths[i]);
    free(set->paths);
    *set = GLOB_PATHS_INIT;
}

/* The directory of a path with its final slash, or nothing. */
static struct text directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return (struct text){.data = path, .length = slash ? (size_t)(slash - path) + 1 : 0};
}

/* Joins directory and pattern. Where the whole is to be expanded, the directory is escaped, as it
 * stands for itself. */
static char *join(struct text directory, struct text pattern, bool escaped)
{
    CLEANUP(buffer_deinit) struct buffer path = BUFFER_INIT;

    if (pattern.length && pattern.data[0] == '/')
        directory.length = 0;
    for (size_t i = 0; i < directory.length; i++) {
        if (escaped && strchr(GLOB_CHARACTERS "\\", directory.data[i]))
            buffer_add_string(&path, "\\");
        buffer_add(&path, directory.data + i, 1);
    }
    buffer_add_text(&path, pattern);
    return buffer_take_string(&path);
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int copy_paths(char *const *paths, size_t n, struct glob_paths *out)
{
    struct glob_paths set = {.paths = calloc(n, sizeof(*set.paths))};

    if (!set.paths)
        return -ENOMEM;
    for (; set.n < n; set.n++) {
        set.paths[set.n] = strdup(paths[set.n]);
        if (!set.paths[set.n]) {
            glob_paths_deinit(&set);
            return -ENOMEM;
        }
    }
    qsort(set.paths, set.n, sizeof(*set.paths), compare_paths);
    *out = set;
    return 0;
}

/* For glob: a directory that does not exist is only no match, any other failure ends the search. */
static int judge_directory(const char *path, int error)
{
    (void)path;
    return error != ENOENT;
}

static int expand_glob(const char *pattern, struct glob_paths *out)
{
    CLEANUP(globfree) glob_t found = {0};

    switch (glob(pattern, GLOB_NOSORT, judge_directory, &found)) {
    case 0:
        return copy_paths(found.gl_pathv, found.gl_pathc, out);
    case GLOB_NOMATCH:
        return GLOB_EMPTY;
    case GLOB_NOSPACE:
        return -ENOMEM;
    default:
        return GLOB_UNREADABLE;
    }
}

int glob_expand(const char *holder, const char *pattern, struct glob_paths *out)
{
    bool glob = glob_is_pattern(pattern);
    CLEANUP(free_pointer) char *path = join(directory_of(holder), text_from(pattern), glob);

    if (!path)
        return -ENOMEM;
    return glob ? expand_glob(path, out) : copy_paths(&path, 1, out);
}

bool glob_is_pattern(const char *pattern)
{
    return strpbrk(pattern, GLOB_CHARACTERS);
}

size_t glob_base(const char *pattern)
{
    size_t length = strcspn(pattern, GLOB_CHARACTERS);

    while (length && pattern[length - 1] != '/')
        length--;
    return length;
}
