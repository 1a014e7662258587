/* The reader of list files, compared with a plain one that has the whole file in memory. The first
 * line of the input is a number: that many newlines stand before the rest in the file, so that the
 * reader's buffer may end anywhere in it. */
#include "config/list_file.h"
#include "fuzz.h"
#include "memory_file.h"

enum { PADDING_MAX = 140000 };

static size_t read_number(struct text text)
{
    size_t number = 0;

    for (size_t i = 0; i < text.length && text.data[i] >= '0' && text.data[i] <= '9'; i++) {
        number = number * 10 + (size_t)(text.data[i] - '0');
        if (number > PADDING_MAX)
            return PADDING_MAX;
    }
    return number;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct text skip_space(struct text text)
{
    while (text.length && is_space(text.data[0]))
        text = text_after(text, 1);
    return text;
}

static struct text take_word(struct text *text)
{
    struct text word = {.data = text->data, .length = 0};

    while (word.length < text->length && !is_space(text->data[word.length]))
        word.length++;
    *text = text_after(*text, word.length);
    return word;
}

/* The column of a place in a line, in characters. */
static uint32_t column_at(struct text line, const char *place)
{
    uint32_t column = 1;

    for (const char *c = line.data; c < place; c++)
        column += (*c & 0xc0) != 0x80;
    return column;
}

/* What is expected of one line; LIST_END: nothing. */
static int read_line(struct text line, struct list_entry *entry)
{
    struct text rest = line;
    const char *nul;

    if (rest.length && rest.data[rest.length - 1] == '\r')
        rest.length--;
    if (rest.length > LIST_LINE_MAX) {
        entry->column = LIST_LINE_MAX + 1;
        return LIST_LINE_TOO_LONG;
    }
    nul = rest.length ? memchr(rest.data, '\0', rest.length) : NULL;
    if (nul) {
        entry->column = column_at(line, nul);
        return LIST_NUL_BYTE;
    }
    rest = skip_space(rest);
    if (rest.length == 0 || rest.data[0] == '#')
        return LIST_END;
    entry->column = column_at(line, rest.data);
    entry->word = take_word(&rest);
    rest = skip_space(rest);
    if (rest.length == 0 || rest.data[0] == '#')
        return 0;
    entry->column = column_at(line, rest.data);
    return LIST_SEVERAL_WORDS;
}

static void check(struct list_file *list, size_t padding, struct text text)
{
    struct list_entry expected = {.line = (uint32_t)padding}, found;

    if (padding == 0 && text.length >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0)
        text = text_after(text, 3);
    while (text.length) {
        int r = read_line(take_line(&text), &expected);

        expected.line++;
        if (r == LIST_END)
            continue;
        MUST(list_file_next(list, &found) == r);
        MUST(found.line == expected.line && found.column == expected.column);
        MUST(r != 0 || text_equals(found.word, expected.word));
    }
    MUST(list_file_next(list, &found) == LIST_END);
    MUST(list_file_next(list, &found) == LIST_END);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(file_deinit) struct file file = FILE_INIT;
    struct text text = {(const char *)data, size};
    size_t padding = read_number(take_line(&text));
    struct list_file *list = NULL;

    MUST(file_open(&file, memory_file(padding, text), padding + text.length) == 0);
    MUST(list_file_new(&file, &(struct cancel){0}, &list) == 0);
    check(list, padding, text);
    list_file_free(list);
    return 0;
}
