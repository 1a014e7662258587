#include "answer/master_file.h"

#include "answer/lookup.h"

#include <stdio.h>

/* Where dig puts the fields behind the owner name; a tab goes to the next multiple of 8. */
enum { ALIASES_MAX = 10 }; /* that PowerDNS follows, one upon the other */
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

void master_file_write(struct buffer *out, const struct answer *answer, const struct row *row)
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
    buffer_add_text(out, answer_content(answer, row));
    buffer_add(out, "\n", 1);
}

static size_t write_matching(struct buffer *out, const struct answer *answer, struct text type)
{
    size_t n = 0;

    for (size_t i = 0; i < answer->rows.n; i++) {
        const struct row *row = &answer->rows.first[i];

        if (row->type == RECORD_ENT || !answer_matches(row, type))
            continue;
        master_file_write(out, answer, row);
        n++;
    }
    return n;
}

size_t master_file_write_answer(struct buffer *out, const struct snapshot *snapshot,
                                const struct answer *answer, struct text type)
{
    struct answer targets[2]; /* the last one, and the one to be found by what it says */
    size_t n = write_matching(out, answer, type);

    /* As long as there was nothing but one alias after the other. */
    for (size_t i = 0; n == i && i < ALIASES_MAX; i++) {
        const struct row *alias = answer->rows.first;

        if (alias->type != RECORD_CNAME)
            break;
        master_file_write(out, answer, alias);
        n++;
        if (!lookup_find(snapshot, answer_content(answer, alias), &targets[i % 2]))
            break;
        answer = &targets[i % 2];
        n += write_matching(out, answer, type);
    }
    return n;
}
