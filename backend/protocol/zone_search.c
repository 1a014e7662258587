#include "protocol/zone_search.h"

#include "base/json_write.h"
#include "protocol/json_row.h"
#include "protocol/zone_stream.h"

#include <ctype.h>
#include <errno.h>

/* How much is found at most, in octets and a record more, however many records are asked for:
 * PowerDNS takes 2 MiB over HTTP, and all of a longer reply would be lost. */
enum { FOUND_SIZE = 1 << 20 };

/* How far the comparison of a text with the pattern has come. */
struct comparison {
    size_t in_pattern, in_text; /* up to here the two agree */
    bool has_star;              /* with a '*' in the pattern, */
    size_t past_star;           /* which ends here in the pattern, */
    size_t star_end;            /* and for now here in the text */
};

/* A search under way: name by name of the own zones, the name and then the contents of its rows are
 * compared with the pattern. */
struct search {
    struct zone_stream stream;
    struct zone zone;
    struct answer answer; /* at one name of the zone */
    bool in_answer;       /* some of it is still to be compared */
    bool name_compared, name_matches;
    size_t row; /* that is compared next */
    struct comparison comparison;
    uint32_t left; /* how many more records may be found */
    size_t size;   /* of those that were found, in octets */
    size_t length;
    unsigned char pattern[]; /* in lower case; '*' is any text, '?' any octet */
};

/* Goes on comparing a text with the pattern, in any case, while the piece has work left. If a '*'
 * has taken too little it takes one octet more; only the last '*' needs to be tried again. Returns
 * whether the comparison has ended; if so, OUT says whether the text matches, and the next
 * comparison may begin. */
static bool compare(struct search *search, struct text text, bool *out)
{
    struct comparison at = search->comparison;
    size_t work = search->stream.work;
    bool differs = false;

    for (; work && at.in_text < text.length && !differs; work--) {
        int c = at.in_pattern < search->length ? search->pattern[at.in_pattern] : -1;

        if (c == '*') {
            at.has_star = true;
            at.past_star = ++at.in_pattern;
            at.star_end = at.in_text;
        } else if (c == '?' || c == tolower((unsigned char)text.data[at.in_text])) {
            at.in_pattern++;
            at.in_text++;
        } else if (at.has_star) {
            at.in_pattern = at.past_star;
            at.in_text = ++at.star_end;
        } else {
            differs = true;
        }
    }
    search->stream.work = work;
    search->comparison = at;
    if (at.in_text < text.length && !differs)
        return false;
    if (at.in_pattern < search->length && search->pattern[at.in_pattern] == '*')
        at.in_pattern++;
    *out = !differs && at.in_pattern == search->length;
    search->comparison = (struct comparison){0};
    return true;
}

/* Names are compared without the final dot, which a pattern may have. */
static struct text without_dot(struct text text)
{
    if (text.length > 1 && text.data[text.length - 1] == '.')
        text.length--;
    return text;
}

/* Goes to the next name of the own zones. Returns whether there is one. */
static bool next_name(struct search *search)
{
    const struct snapshot *snapshot = search->stream.snapshot;
    struct zone *zone = &search->zone;

    /* The name below the apex, if there can be one, comes after it. */
    if (search->stream.next && !zone->catalog && owner_inside(zone->owner) != OWNER_COUNT)
        zone->owner = owner_inside(zone->owner);
    else if (!zone_stream_next(&search->stream, zone))
        return false;
    search->in_answer =
        !zone->catalog && answer_at(snapshot, &zone->domain, zone->owner, &search->answer);
    search->name_compared = false;
    search->row = 0;
    return true;
}

/* Goes on comparing at one name, and adds the records that are found. */
static void search_answer(struct search *search, struct buffer *out)
{
    const struct answer *answer = &search->answer;
    size_t before;

    if (!search->name_compared && !compare(search, name_text(&answer->name), &search->name_matches))
        return;
    search->name_compared = true;
    for (; search->row < answer->rows.n && search->left; search->row++) {
        const struct row *row = &answer->rows.first[search->row];
        bool matches = search->name_matches;

        if (row->type == RECORD_ENT)
            continue;
        if (!matches && !compare(search, answer_content(answer, row), &matches))
            return;
        if (!matches)
            continue;
        search->left--;
        before = out->length;
        json_write_separator(out, &search->stream.any);
        json_row_write(out, answer, row, search->zone.id);
        search->size += out->length - before;
    }
    search->in_answer = false;
}

static bool search_on(struct zone_stream *stream, struct buffer *out)
{
    struct search *search = (struct search *)stream;

    if (search->left == 0 || search->size >= FOUND_SIZE ||
        (!search->in_answer && !next_name(search)))
        return false;
    if (search->in_answer)
        search_answer(search, out);
    return true;
}

/* Several '*' in a row say no more than one, and comparing would go through all of them each time.
 * Without them it ends with the text, however long the pattern is. */
static void set_pattern(struct search *search, struct text pattern)
{
    for (size_t i = 0; i < pattern.length; i++)
        if (i == 0 || pattern.data[i] != '*' || pattern.data[i - 1] != '*')
            search->pattern[search->length++] =
                (unsigned char)tolower((unsigned char)pattern.data[i]);
}

int zone_search(struct method_call *call)
{
    struct text pattern = without_dot(call->arguments[PARAMETER_PATTERN].text);
    struct search *search;

    if (snapshot_n_zones(call->snapshot) == 0)
        return method_call_result(call, "[]", OUTCOME_EMPTY);
    search = zone_stream_begin(call, sizeof(*search) + pattern.length, snapshot_ref(call->snapshot),
                               search_on);
    if (!search)
        return -ENOMEM;
    search->left = call->arguments[PARAMETER_MAX_RESULTS].number;
    set_pattern(search, pattern);
    return OUTCOME_ANSWERED;
}
