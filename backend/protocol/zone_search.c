#include "protocol/zone_search.h"

#include "base/json_write.h"
#include "protocol/json_row.h"
#include "protocol/zone_stream.h"

#include <ctype.h>
#include <errno.h>

/* A search that is under way. */
struct search {
    struct zone_stream stream;
    uint32_t left; /* how many records more may be found */
    size_t length;
    char pattern[]; /* '*' is any text, '?' any character */
};

static bool same_character(char pattern, char c)
{
    return pattern == '?' || tolower((unsigned char)pattern) == tolower((unsigned char)c);
}

/* Whether a text matches a pattern, in any case. Where a '*' has matched too little it takes one
 * character more; only the last one needs to be tried again. */
static bool matches(const struct search *search, struct text text)
{
    size_t p = 0, i = 0, star = SIZE_MAX, taken = 0;

    while (i < text.length) {
        if (p < search->length && search->pattern[p] == '*') {
            star = p++;
            taken = i;
        } else if (p < search->length && same_character(search->pattern[p], text.data[i])) {
            p++;
            i++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            i = ++taken;
        } else {
            return false;
        }
    }
    while (p < search->length && search->pattern[p] == '*')
        p++;
    return p == search->length;
}

/* Several '*' in a row say no more than one, and matching would go through all of them each time.
 * Without them it ends with the text, however long the pattern is. */
static void set_pattern(struct search *search, struct text pattern)
{
    for (size_t i = 0; i < pattern.length; i++)
        if (i == 0 || pattern.data[i] != '*' || pattern.data[i - 1] != '*')
            search->pattern[search->length++] = pattern.data[i];
}

/* Names are compared without the final dot, which a pattern and a content may have. */
static struct text without_dot(struct text text)
{
    if (text.length > 1 && text.data[text.length - 1] == '.')
        text.length--;
    return text;
}

/* Adds those rows of an answer whose name or content is looked for. */
static void add_found(struct search *search, uint32_t zone_id, const struct answer *answer,
                      struct buffer *out)
{
    bool named = matches(search, name_text(&answer->name));

    for (size_t i = 0; i < answer->rows.n && search->left; i++) {
        const struct row *row = &answer->rows.first[i];

        if (row->type == RECORD_ENT ||
            (!named && !matches(search, without_dot(answer_content(answer, row)))))
            continue;
        search->left--;
        json_write_separator(out, &search->stream.any);
        json_row_write(out, answer, row, zone_id);
    }
}

static bool search_next_zone(struct zone_stream *stream, struct buffer *out)
{
    struct search *search = (struct search *)stream;
    struct answer answer;
    struct zone zone;

    if (search->left == 0 || !zone_stream_next(stream, &zone))
        return false;
    if (zone.catalog)
        return true;
    if (answer_at(stream->snapshot, &zone.domain, zone.owner, &answer))
        add_found(search, zone.id, &answer, out);
    if (zone.owner == OWNER_TLS_PARENT &&
        answer_at(stream->snapshot, &zone.domain, OWNER_TLSRPT, &answer))
        add_found(search, zone.id, &answer, out);
    return true;
}

int zone_search(struct method_call *call)
{
    struct text pattern = without_dot(call->arguments[PARAMETER_PATTERN].text);
    struct search *search;

    if (snapshot_n_zones(call->snapshot) == 0) {
        buffer_add_string(call->reply, "[]");
        return OUTCOME_EMPTY;
    }
    search = zone_stream_begin(call, sizeof(*search) + pattern.length, snapshot_ref(call->snapshot),
                               search_next_zone);
    if (!search)
        return -ENOMEM;
    search->left = call->arguments[PARAMETER_MAX_RESULTS].number;
    set_pattern(search, pattern);
    return OUTCOME_ANSWERED;
}
