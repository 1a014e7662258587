#include "answer/master_file.h"

#include "answer/lookup.h"

#include <stdio.h>

enum { ALIASES_MAX = 10 }; /* that PowerDNS follows one after another */

/* Where dig puts the fields after the owner name; a tab goes to the next multiple of 8. */
enum { TAB = 8, TTL_COLUMN = 24, CLASS_COLUMN = 32, TYPE_COLUMN = 40, CONTENT_COLUMN = 48 };

/* Goes from one column to another by tabs, then spaces, but by one column at least, and writes a
 * field there. Returns the column past it. */
static size_t add_field(struct buffer *out, size_t from, size_t to, struct text field)
{
    if (to <= from)
        to = from + 1;
    for (; from / TAB < to / TAB; from = (from / TAB + 1) * TAB)
        buffer_add_string(out, "\t");
    for (; from < to; from++)
        buffer_add_string(out, " ");
    buffer_add_text(out, field);
    return to + field.length;
}

void master_file_write(struct buffer *out, const struct answer *answer, const struct row *row)
{
    size_t column = (size_t)answer->name.length + 1;
    char ttl[16];

    snprintf(ttl, sizeof(ttl), "%u", answer->ttl);
    buffer_add_text(out, name_text(&answer->name));
    buffer_add_string(out, ".");
    column = add_field(out, column, TTL_COLUMN, text_from(ttl));
    column = add_field(out, column, CLASS_COLUMN, TEXT("IN"));
    column = add_field(out, column, TYPE_COLUMN, record_type_text(row->type));
    add_field(out, column, CONTENT_COLUMN, answer_content(answer, row));
    buffer_add_string(out, record_type_is_name(row->type) ? ".\n" : "\n");
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
    struct answer targets[2]; /* of the last alias, and of the one before */
    size_t n = write_matching(out, answer, type);

    /* While there was nothing but one alias after another. */
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
