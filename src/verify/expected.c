#include "verify/expected.h"

const char *expected_txt(struct arena *arena, const struct policy *policy, enum owner owner)
{
    struct rows rows = policy->rows[owner];
    const struct row *row = NULL;
    char *value;
    size_t n = 0, quotes = 0;

    for (size_t i = 0; i < rows.n; i++)
        if (rows.first[i].type == RECORD_TXT)
            row = &rows.first[i];
    value = row ? arena_alloc(arena, row->content.length + 1) : NULL;
    if (!value)
        return NULL;
    /* record_write_txt wrote it: strings in quotes, spaces between them. */
    for (size_t i = 0; i < row->content.length; i++) {
        char c = row->content.data[i];

        if (c == '"')
            quotes++;
        else if (c == '\\')
            value[n++] = row->content.data[++i];
        else if (quotes % 2 == 1)
            value[n++] = c;
    }
    return value;
}
