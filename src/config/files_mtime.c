#include "config/files_mtime.h"

#include "config/glob.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

/* Serials count on from the times of files, so some numbers are left above the last one. */
enum { NUMBERS_LEFT = 1 << 24 };

void files_mtime_deinit(struct files_mtime *mtime)
{
    buffer_deinit(&mtime->path);
}

void files_mtime_note(struct files_mtime *mtime, const char *path, time_t modified)
{
    if (modified <= (time_t)mtime->newest || modified > UINT32_MAX - NUMBERS_LEFT)
        return;
    mtime->newest = (uint32_t)modified;
    buffer_clear(&mtime->path);
    buffer_add_string(&mtime->path, path);
}

/* Notes when the directory of a path has changed. */
static int note_directory(const char *path, void *context)
{
    const char *slash = strrchr(path, '/');
    struct stat status;
    char directory[PATH_MAX];

    snprintf(directory, sizeof(directory), "%.*s", slash ? (int)(slash - path + 1) : 1,
             slash ? path : ".");
    if (stat(directory, &status) == 0)
        files_mtime_note(context, directory, status.st_mtime);
    return 0;
}

/* Notes when the directories have changed that match the beginning of a glob. */
static int note_matching(struct files_mtime *mtime, const char *holder, const char *pattern,
                         size_t length)
{
    CLEANUP(free_pointer) char *beginning = strndup(pattern, length);
    CLEANUP(free_pointer) char *path = beginning ? glob_path(holder, beginning) : NULL;
    int r;

    if (!path)
        return -ENOMEM;
    r = glob_is_pattern(beginning) ? glob_each(path, note_directory, mtime)
                                   : note_directory(path, mtime);
    return r < 0 ? r : 0;
}

int files_mtime_note_glob(struct files_mtime *mtime, const char *holder, const char *pattern)
{
    const char *end = pattern + glob_base(pattern);
    int r = note_matching(mtime, holder, pattern, (size_t)(end - pattern));

    while (r == 0 && (end = strchr(end, '/')))
        r = note_matching(mtime, holder, pattern, (size_t)(++end - pattern));
    return r;
}
