#include "config/files.h"

#include "config/glob.h"

#include <errno.h>

/* Reports that a file was read before: of a list file, that does no harm. */
static void report_again(struct loader *loader, const char *path, const struct node *named_at,
                         const struct source_origin *first)
{
    struct place place = source_unpack(&loader->sources, first->named_at);
    struct quoted name = quote_text(text_from(path));

    if (first->reader != FILES_YAML)
        NODE_WARNING(&loader->context, named_at, "%s is the list file named already at %s",
                     name.text, place_text(place).text);
    else if (first->named_at)
        NODE_ERROR(&loader->context, named_at, "%s is included already at %s", name.text,
                   place_text(place).text);
    else
        NODE_ERROR(&loader->context, named_at, "%s is the main file itself", name.text);
}

int files_open(struct loader *loader, const char *path, const struct node *named_at,
               uint32_t reader, struct file *file, uint16_t *source)
{
    struct diagnostics *diagnostics = loader->context.diagnostics;
    struct place place = named_at ? node_place(named_at, &loader->sources) : (struct place){0};
    struct source_origin origin = {.reader = reader};
    const struct source_origin *first;
    int r;

    if (file_open(file, path, reader == FILES_YAML ? CONFIG_YAML_SIZE_MAX : CONFIG_LIST_SIZE_MAX)) {
        file_report(file, path, place, diagnostics);
        return REPORTED;
    }
    if (file_is_utf16(file)) {
        diagnostics_error(diagnostics, (struct place){.file = path},
                          "found UTF-16, expected UTF-8: save the file in that encoding");
        return REPORTED;
    }
    origin.device = file->device;
    origin.inode = file->inode;
    origin.named_at = named_at ? node_pack_place(named_at) : 0;
    first = sources_find(&loader->sources, &origin);
    if (first) {
        report_again(loader, path, named_at, first);
        return REPORTED;
    }
    r = sources_add(&loader->sources, path, &origin, source);
    if (r > 0)
        diagnostics_error(diagnostics, place, "more than %d files", SOURCES_MAX);
    if (r)
        return r < 0 ? r : REPORTED;
    loader->size += file->size;
    if (loader->size <= CONFIG_SIZE_MAX)
        return 0;
    diagnostics_error(diagnostics, place, "more than %d bytes in all files", CONFIG_SIZE_MAX);
    return REPORTED;
}

/* Warns of a glob that matches no file. If it did at the last load, that is an error: an empty
 * directory may be one that is not mounted. */
static void report_empty(const struct loader *loader, const struct node *name, const char *path)
{
    struct quoted glob = quote_text(node_text(name));

    if (loader->matched_before && glob_set_has(loader->matched_before, path))
        NODE_ERROR(&loader->context, name,
                   "%s matched files at the last load and matches none now: mount its directory, "
                   "or if this is right, remove the glob or restart the service",
                   glob.text);
    else
        NODE_WARNING(&loader->context, name, "%s matches no file", glob.text);
}

static int use_files(struct loader *loader, const struct node *name, files_use use, void *context)
{
    const char *holder = sources_name(&loader->sources, name->source);
    CLEANUP(free_pointer) char *path = glob_path(holder, name->text);
    CLEANUP(globfree) glob_t found = {0};
    int r;

    if (!path)
        return -ENOMEM;
    if (!glob_is_pattern(name->text))
        return use(loader, path, name, context);
    r = glob_find(path, &found);
    if (r == GLOB_EMPTY)
        report_empty(loader, name, path);
    else if (r == GLOB_UNREADABLE)
        NODE_ERROR(&loader->context, name, "cannot read a directory of %s",
                   quote_text(node_text(name)).text);
    if (r)
        return r < 0 ? r : 0;
    for (size_t i = 0; i < found.gl_pathc && r == 0; i++)
        r = use(loader, found.gl_pathv[i], name, context);
    return r ? r : glob_set_add(loader->matched, path);
}

int files_each(struct loader *loader, const struct node *names, files_use use, void *context)
{
    bool sequence = names && names->kind == NODE_SEQUENCE;
    int r = 0;

    for (const struct node *name = sequence ? names->first : names; name && r == 0;
         name = sequence ? name->next : NULL) {
        if (name->kind == NODE_INVALID)
            continue;
        if (name->kind != NODE_SCALAR || name->length == 0 || node_is_null(name))
            NODE_ERROR(&loader->context, name, "found %s, expected a file name or glob",
                       node_describe(name).text);
        else if (loader->n_names++ >= CONFIG_NAMES_MAX)
            NODE_ERROR(&loader->context, name, "more than %d file names and globs",
                       CONFIG_NAMES_MAX);
        else if (cancel_asked(&loader->context.cancel))
            r = -ECANCELED;
        else
            r = use_files(loader, name, use, context);
    }
    return r;
}
