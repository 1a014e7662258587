#include "record_text.h"

#include <stdio.h>

/* Where dig puts the fields behind the owner name; a tab goes to the next multiple of 8. */
enum { TAB = 8, TTL_COLUMN = 24, CLASS_COLUMN = 32, TYPE_COLUMN = 40, CONTENT_COLUMN = 48 };

/* Goes from one column to another by as many tabs as there are stops between the two, then by
 * spaces; by one column at least. Returns where that is. */
static size_t add_gap(struct buffer *out, size_t from, size_t to)
{
    size_t tabs;

    if (to < from + 1)
        to = from + 1;
    tabs = to / TAB - from / TAB;
    if (tabs)
        from = to / TAB * TAB;
    while (tabs--)
        buffer_add(out, "\t", 1);
    while (from < to) {
        buffer_add(out, " ", 1);
        from++;
    }
    return to;
}

void record_text_write(struct buffer *out, const struct answer *answer, const struct row *row)
{
    struct text type = record_type_text(row->type);
    char ttl[16];
    size_t column = answer->name.length + 1, ttl_length;

    ttl_length = (size_t)snprintf(ttl, sizeof(ttl), "%u", answer->ttl);
    buffer_add(out, answer->name.text, answer->name.length);
    buffer_add(out, ".", 1);
    column = add_gap(out, column, TTL_COLUMN) + ttl_length;
    buffer_add(out, ttl, ttl_length);
    column = add_gap(out, column, CLASS_COLUMN) + 2;
    buffer_add(out, "IN", 2);
    column = add_gap(out, column, TYPE_COLUMN) + type.length;
    buffer_add_text(out, type);
    add_gap(out, column, CONTENT_COLUMN);
    buffer_add_text(out, synthesis_content(answer, row));
    buffer_add(out, "\n", 1);
}
