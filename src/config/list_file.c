#include "config/list_file.h"

#include "base/utf8.h"
#include "config/source.h"

#include <errno.h>

enum { BUFFER_SIZE = 1 << 16 }; /* bytes; must hold the longest line and its end */

struct list_file {
    struct file *file;
    struct cancel cancel;
    size_t start; /* of the unread bytes */
    size_t end;
    uint32_t line;    /* the number of the last line given */
    bool at_end;      /* the file has no further bytes */
    bool has_nul;     /* some line read so far holds a NUL byte */
    bool inside_line; /* the unread bytes are the rest of a line that was too long */
    bool cut;         /* the last line that was given has no end */
    char bytes[BUFFER_SIZE];
};

int list_file_new(struct file *file, const struct cancel *cancel, struct list_file **out)
{
    struct list_file *list = malloc(sizeof(*list));

    if (!list)
        return -ENOMEM;
    memset(list, 0, offsetof(struct list_file, bytes));
    list->file = file;
    list->cancel = *cancel;
    file_skip_mark(file);
    *out = list;
    return 0;
}

void list_file_free(struct list_file *list)
{
    free(list);
}

/* Moves the unread bytes to the front and reads further ones after them. */
static int fill(struct list_file *list)
{
    size_t unread = list->end - list->start, n;

    if (cancel_asked(&list->cancel))
        return -ECANCELED;
    memmove(list->bytes, list->bytes + list->start, unread);
    list->start = 0;
    list->end = unread;
    if (file_read(list->file, list->bytes + unread, sizeof(list->bytes) - unread, &n))
        return LIST_UNREADABLE;
    list->at_end = n == 0;
    list->end += n;
    if (memchr(list->bytes + unread, '\0', n))
        list->has_nul = true;
    return 0;
}

/* Takes the next line, without its LF. A line that is too long comes in pieces. */
static int next_line(struct list_file *list, struct text *out)
{
    for (;;) {
        struct text line = {.data = list->bytes + list->start, .length = list->end - list->start};
        const char *newline = memchr(line.data, '\n', line.length);
        int r;

        if (!newline && !list->at_end && line.length <= LIST_LINE_MAX + 1) {
            r = fill(list);
            if (r)
                return r;
            continue;
        }
        if (!newline && list->at_end && line.length == 0)
            return LIST_END;
        if (newline)
            line.length = (size_t)(newline - line.data);
        list->start += line.length + (newline != NULL);
        list->cut = !newline;
        if (!list->inside_line)
            list->line++;
        list->inside_line = !newline && !list->at_end;
        *out = line;
        return 0;
    }
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* The column of a byte of a line. */
static uint32_t column_of(struct text line, size_t offset)
{
    return (uint32_t)utf8_count(text_of(line.data, offset)) + 1;
}

static size_t skip_space(struct text line, size_t i)
{
    while (i < line.length && is_space(line.data[i]))
        i++;
    return i;
}

/* Finds the word of a line. Returns 0, LIST_SEVERAL_WORDS, or LIST_END if there is none. */
static int find_word(struct text line, struct list_entry *entry)
{
    size_t start = skip_space(line, 0), end = start, rest;

    while (end < line.length && !is_space(line.data[end]))
        end++;
    if (start == end || line.data[start] == '#')
        return LIST_END;
    rest = skip_space(line, end);
    if (rest < line.length && line.data[rest] != '#') {
        entry->column = column_of(line, rest);
        return LIST_SEVERAL_WORDS;
    }
    entry->column = (uint32_t)start + 1;
    entry->word = text_of(line.data + start, end - start);
    return 0;
}

/* Looks for what makes a line unreadable. */
static int check_line(const struct list_file *list, struct text line, struct list_entry *entry)
{
    const char *nul;

    if (line.length > 0 && line.data[line.length - 1] == '\r')
        line.length--;
    if (line.length > LIST_LINE_MAX || list->inside_line) {
        entry->column = LIST_LINE_MAX + 1;
        return LIST_LINE_TOO_LONG;
    }
    nul = list->has_nul ? memchr(line.data, '\0', line.length) : NULL;
    if (nul) {
        entry->column = column_of(line, (size_t)(nul - line.data));
        return LIST_NUL_BYTE;
    }
    return 0;
}

int list_file_next(struct list_file *list, struct list_entry *entry)
{
    for (;;) {
        bool continued = list->inside_line;
        struct text line;
        int r = next_line(list, &line);

        if (r)
            return r;
        if (continued)
            continue;
        entry->line = list->line;
        r = check_line(list, line, entry);
        if (r == 0)
            r = find_word(line, entry);
        if (r != LIST_END)
            return r;
    }
}

bool list_file_is_cut(const struct list_file *list)
{
    return list->cut;
}
