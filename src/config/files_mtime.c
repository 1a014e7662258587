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

int files_mtime_note_glob(struct files_mtime *mtime, const char *holder, const char *pattern)
{
    const char *end = pattern + glob_base(pattern);

    for (;;) {
        CLEANUP(free_pointer) char *directories = strndup(pattern, (size_t)(end - pattern));

        if (!directories || glob_each(holder, directories, note_directory, mtime) < 0)
            return -ENOMEM;
        end = strchr(end, '/');
        if (!end)
            return 0;
        end++;
    }
}
