#include "config/loader.h"
#include "config/file_report.h"

#include "config/glob.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>

/* Serials count on from the times of files, so some numbers are left above the last one. */
enum { NUMBERS_LEFT = 1 << 24 };

void loader_note_time(struct loader *loader, const char *path, time_t modified)
{
    if (modified <= (time_t)loader->newest || modified > UINT32_MAX - NUMBERS_LEFT)
        return;
    loader->newest = (uint32_t)modified;
    buffer_clear(&loader->newest_path);
    buffer_add(&loader->newest_path, path, strlen(path) + 1);
}

int loader_open(struct loader *loader, const char *path, const struct node *named_at, size_t limit,
                struct file *file, uint16_t *source)
{
    struct diagnostics *diagnostics = loader->context.diagnostics;
    struct place place =
        named_at ? node_place(named_at, &loader->sources) : (struct place){.file = path};
    int r = file_open(file, path, limit);

    if (r) {
        file_report(file, named_at ? path : NULL, place, diagnostics);
        return REPORTED;
    }
    loader_note_time(loader, path, file->modified);
    r = sources_add(&loader->sources, path, source);
    if (r > 0) {
        diagnostics_error(diagnostics, place, "found more than %d files, expected fewer",
                          SOURCES_MAX);
        return REPORTED;
    }
    return r;
}

/* Notes when the directory of a path has changed. */
static void note_directory(struct loader *loader, const char *path)
{
    const char *slash = strrchr(path, '/');
    struct stat status;
    char directory[PATH_MAX];

    snprintf(directory, sizeof(directory), "%.*s", slash ? (int)(slash - path + 1) : 1,
             slash ? path : ".");
    if (stat(directory, &status) == 0)
        loader_note_time(loader, directory, status.st_mtime);
}

/* Notes when the directories that match the beginning of a glob have changed. */
static int note_matching(struct loader *loader, const struct node *name, size_t length)
{
    CLEANUP(glob_paths_deinit) struct glob_paths set = GLOB_PATHS_INIT;
    CLEANUP(buffer_deinit) struct buffer pattern = BUFFER_INIT;

    buffer_add(&pattern, name->text, length);
    buffer_add(&pattern, "", 1);
    if (pattern.failed ||
        glob_expand(sources_name(&loader->sources, name->source), pattern.data, &set) < 0)
        return -ENOMEM;
    for (size_t i = 0; i < set.n; i++)
        note_directory(loader, set.paths[i]);
    return 0;
}

/* Notes when the directories have changed that a glob looks in, on all levels: a file that is gone
 * leaves no other trace. */
static int note_directories(struct loader *loader, const struct node *name)
{
    const char *end = name->text + glob_base(name->text);
    int r = note_matching(loader, name, (size_t)(end - name->text));

    while (r == 0 && (end = strchr(end, '/')))
        r = note_matching(loader, name, (size_t)(++end - name->text));
    return r;
}

/* Expands one name or glob. */
static int use_files(struct loader *loader, const struct node *name,
                     int (*use)(struct loader *loader, const char *path, const struct node *name,
                                void *context),
                     void *context)
{
    CLEANUP(glob_paths_deinit) struct glob_paths set = GLOB_PATHS_INIT;
    int r = glob_expand(sources_name(&loader->sources, name->source), name->text, &set);

    if (r == GLOB_EMPTY)
        LOADER_WARNING(loader, name, "%s matches no file", quote_text(node_text(name)).text);
    else if (r == GLOB_UNREADABLE)
        LOADER_ERROR(loader, name,
                     "found a directory that cannot be read for %s, expected one that can",
                     quote_text(node_text(name)).text);
    if (r >= 0 && glob_is_pattern(name->text) && note_directories(loader, name) < 0)
        return -ENOMEM;
    for (size_t i = 0; r == 0 && i < set.n; i++)
        r = use(loader, set.paths[i], name, context);
    return r < 0 ? r : 0;
}

int loader_each_file(struct loader *loader, const struct node *names,
                     int (*use)(struct loader *loader, const char *path, const struct node *name,
                                void *context),
                     void *context)
{
    bool sequence = names && names->kind == NODE_SEQUENCE;

    for (const struct node *name = sequence ? names->first : names; name; name = name->next) {
        int r = 0;

        if (name->kind == NODE_INVALID)
            continue;
        if (name->kind != NODE_SCALAR || name->length == 0 || node_is_null(name))
            LOADER_ERROR(loader, name, "found %s, expected a file name or glob",
                         node_describe(name).text);
        else
            r = use_files(loader, name, use, context);
        if (r || !sequence)
            return r;
    }
    return 0;
}
