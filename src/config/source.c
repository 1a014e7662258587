#include "config/source.h"

#include "base/array.h"

#include <errno.h>
#include <sys/stat.h>

enum {
    LINE_BITS = 30,
    COLUMN_BITS = 18,
};

void sources_deinit(struct sources *sources)
{
    free(sources->items);
    arena_deinit(&sources->arena);
    *sources = SOURCES_INIT;
}

int sources_add(struct sources *sources, const char *name, const struct source_origin *origin,
                uint16_t *number)
{
    struct text copy;

    if (sources->n == SOURCES_MAX)
        return SOURCES_FULL;
    if (ARRAY_RESERVE(sources->items, sources->n, sources->capacity) ||
        arena_copy_text(&sources->arena, text_from(name), &copy))
        return -ENOMEM;
    sources->items[sources->n] = (struct source){.name = copy.data, .origin = *origin};
    *number = (uint16_t)sources->n++;
    return 0;
}

const struct source_origin *sources_find(const struct sources *sources,
                                         const struct source_origin *origin)
{
    for (size_t i = 0; i < sources->n; i++) {
        const struct source_origin *known = &sources->items[i].origin;

        if (known->device == origin->device && known->inode == origin->inode &&
            known->reader == origin->reader)
            return known;
    }
    return NULL;
}

const char *sources_name(const struct sources *sources, uint16_t number)
{
    return sources->items[number].name;
}

uint64_t source_pack(uint16_t number, uint32_t line, uint32_t column)
{
    if (line >> LINE_BITS)
        line = 0;
    if (column >> COLUMN_BITS)
        column = 0;
    return (uint64_t)number << (LINE_BITS + COLUMN_BITS) | (uint64_t)line << COLUMN_BITS | column;
}

struct place source_unpack(const struct sources *sources, uint64_t packed)
{
    return (struct place){
        .file = sources_name(sources, (uint16_t)(packed >> (LINE_BITS + COLUMN_BITS))),
        .line = packed >> COLUMN_BITS & ((1U << LINE_BITS) - 1),
        .column = packed & ((1U << COLUMN_BITS) - 1),
    };
}

void file_skip_mark(struct file *file)
{
    static const char mark[] = {'\xef', '\xbb', '\xbf'};
    char bytes[sizeof(mark)];
    size_t n;

    /* What goes wrong here goes wrong again when the file is read. */
    if (file_read(file, bytes, sizeof(bytes), &n) ||
        !text_equals(text_of(bytes, n), text_of(mark, sizeof(mark))))
        file_rewind(file);
}

/* It begins with a byte order mark, or with a character of ASCII, which has a zero byte. */
bool file_is_utf16(struct file *file)
{
    unsigned char first[2];
    size_t n;
    bool found = file_read(file, first, sizeof(first), &n) == 0 && n == sizeof(first) &&
                 ((first[0] == 0xff && first[1] == 0xfe) ||
                  (first[0] == 0xfe && first[1] == 0xff) || !first[0] != !first[1]);

    file_rewind(file);
    return found;
}

static const char *kind_of(mode_t mode)
{
    if (S_ISDIR(mode))
        return "a directory";
    if (S_ISFIFO(mode))
        return "a FIFO";
    return "a device";
}

void file_report(const struct file *file, const char *path, struct place place,
                 struct diagnostics *diagnostics)
{
    const struct place whole = {.file = path};

    if (file->error)
        diagnostics_error(diagnostics, place, "cannot read %s: %s", place_text(whole).text,
                          strerror(file->error));
    else if (!S_ISREG(file->mode))
        diagnostics_error(diagnostics, place, "cannot read %s: it is %s", place_text(whole).text,
                          kind_of(file->mode));
    else
        diagnostics_error(diagnostics, place, "cannot read %s: it has more than %zu bytes",
                          place_text(whole).text, file->limit);
}
