#include "zone_methods.h"

#include "catalog.h"

#include <ctype.h>

/* How long it may take to make a piece, while others wait for their answers. */
enum {
    PIECE_SIZE = 32 << 10, /* bytes, and a zone more */
    STEPS_AT_ONCE = 1024,  /* some of which may add nothing */
    ZONES_AT_A_STEP = 16,  /* where only a serial is looked at */
};

/* How much is said at once of zones that were not notified, in bytes and a zone more. PowerDNS
 * asks again, and stops for good where it gets more than it takes: over HTTP 2 MiB, over a unix
 * socket what it has read before its timeout, and that takes the square of the length. */
enum { PENDING_SIZE = 256 << 10 };

/* Makes an array of something about many zones, piece by piece. */
struct array {
    struct producer producer;
    struct snapshot *snapshot;
    struct notify *notify;
    struct search *search;                                /* NULL: nothing is searched for */
    uint32_t catalog_id;                                  /* of the zone that is listed */
    size_t next;                                          /* the number of the zone that is next */
    bool any;                                             /* an element stands before */
    size_t size;                                          /* of the zones not notified, so far */
    bool (*add)(struct array *array, struct buffer *out); /* one more; whether there was one */
};

static bool array_more(struct producer *producer, struct buffer *out)
{
    struct array *array = (struct array *)producer;
    size_t end = out->length + PIECE_SIZE;

    for (size_t i = 0; i < STEPS_AT_ONCE && out->length < end && !out->failed; i++)
        if (!array->add(array, out)) {
            buffer_add_string(out, "]}");
            return false;
        }
    return true;
}

static void array_free(struct producer *producer)
{
    struct array *array = (struct array *)producer;

    snapshot_unref(array->snapshot);
    free(array->search);
    free(array);
}

/* Begins an array, whose reference of the snapshot it takes over. */
static enum outcome begin_array(struct snapshot *snapshot, struct notify *notify,
                                bool (*add)(struct array *array, struct buffer *out),
                                struct buffer *reply, struct producer **rest)
{
    struct array *array = malloc(sizeof(*array));

    if (!array) {
        snapshot_unref(snapshot);
        reply->failed = true;
        return OUTCOME_EMPTY;
    }
    *array = (struct array){
        .producer = {array_more, array_free},
        .snapshot = snapshot,
        .notify = notify,
        .add = add,
    };
    buffer_add_string(reply, "[");
    *rest = &array->producer;
    return OUTCOME_ANSWERED;
}

static void separate(struct array *array, struct buffer *out)
{
    if (array->any)
        buffer_add_string(out, ",");
    array->any = true;
}

/* Names and kinds need no escapes. With "master" PowerDNS notifies the zone's secondaries, if it is
 * a primary server at all. */
static void add_info(struct buffer *out, const struct zone *zone, struct notify *notify)
{
    buffer_printf(out,
                  "{\"id\":%u,\"zone\":\"%s.\",\"kind\":\"master\",\"serial\":%u,"
                  "\"notified_serial\":%u}",
                  zone->id, zone->name.text, zone->serial,
                  notify ? notify_serial(notify, zone->id) : 0);
}

static bool add_next_zone(struct array *array, struct buffer *out)
{
    struct zone zone;

    if (array->next == snapshot_n_zones(array->snapshot))
        return false;
    snapshot_zone(array->snapshot, array->next++, &zone);
    separate(array, out);
    add_info(out, &zone, array->notify);
    return true;
}

static bool add_next_pending(struct array *array, struct buffer *out)
{
    size_t n = snapshot_n_zones(array->snapshot), end = array->next + ZONES_AT_A_STEP;
    size_t before = out->length;

    if (array->size >= PENDING_SIZE)
        return false;
    if (end > n)
        end = n;
    array->next = notify_next(array->notify, array->snapshot, array->next, end);
    if (array->next >= end)
        return end < n;
    add_next_zone(array, out);
    array->size += out->length - before;
    return true;
}

static enum outcome add_empty(struct buffer *reply)
{
    buffer_add_string(reply, "[]");
    return OUTCOME_EMPTY;
}

enum outcome zone_methods_all(const struct request *request, const struct method_context *context,
                              struct buffer *reply, struct producer **rest)
{
    (void)request;
    if (snapshot_n_zones(context->snapshot) == 0)
        return add_empty(reply);
    return begin_array(snapshot_ref(context->snapshot), context->notify, add_next_zone, reply,
                       rest);
}

enum outcome zone_methods_updated(const struct request *request,
                                  const struct method_context *context, struct buffer *reply,
                                  struct producer **rest)
{
    (void)request;
    if (!context->notify || notify_pending(context->notify) == 0)
        return add_empty(reply);
    return begin_array(notify_snapshot(context->notify), context->notify, add_next_pending, reply,
                       rest);
}

enum outcome zone_methods_set_notified(const struct request *request,
                                       const struct method_context *context, struct buffer *reply,
                                       struct producer **rest)
{
    (void)rest;
    if (context->notify)
        notify_set(context->notify, request->numbers[PARAMETER_ID],
                   request->numbers[PARAMETER_SERIAL]);
    buffer_add_string(reply, "true");
    return OUTCOME_ANSWERED;
}

/* Finds the zone whose apex a name is, and what stands there. */
static bool find_zone(const struct snapshot *snapshot, struct text name, struct answer *apex,
                      struct zone *zone)
{
    return snapshot_n_zones(snapshot) > 0 && synthesis_find(snapshot, name, apex) &&
           synthesis_zone(snapshot, apex, zone);
}

static enum outcome add_not_ours(struct buffer *reply)
{
    buffer_add_string(reply, "false");
    return OUTCOME_NOT_OURS;
}

enum outcome zone_methods_info(const struct request *request, const struct method_context *context,
                               struct buffer *reply, struct producer **rest)
{
    struct answer apex;
    struct zone zone;

    (void)rest;
    if (!find_zone(context->snapshot, request->parameters[PARAMETER_NAME], &apex, &zone))
        return add_not_ours(reply);
    add_info(reply, &zone, context->notify);
    return OUTCOME_ANSWERED;
}

static void add_rows(struct array *array, uint32_t zone_id, const struct answer *answer,
                     struct buffer *out)
{
    for (size_t i = 0; i < answer->rows.n; i++) {
        separate(array, out);
        method_add_row(out, answer, &answer->rows.first[i], zone_id);
    }
}

/* What stands in a zone below its apex: there is something in one kind only. */
static void add_inside(struct array *array, const struct zone *zone, struct buffer *out)
{
    struct answer answer;

    if (zone->owner == OWNER_TLS &&
        synthesis_answer(array->snapshot, &zone->domain, OWNER_TLSRPT, &answer))
        add_rows(array, zone->id, &answer, out);
}

static bool add_next_member(struct array *array, struct buffer *out)
{
    struct answer answer;
    struct zone zone;

    if (array->next == snapshot_n_zones(array->snapshot))
        return false;
    snapshot_zone(array->snapshot, array->next++, &zone);
    if (zone.catalog)
        return true;
    catalog_member(array->snapshot, &zone, &answer);
    add_rows(array, array->catalog_id, &answer, out);
    return true;
}

/* The catalog zone: its apex, its version, and in pieces its members. */
static enum outcome begin_catalog(struct snapshot *snapshot, const struct answer *apex, uint32_t id,
                                  struct buffer *reply, struct producer **rest)
{
    enum outcome outcome = begin_array(snapshot_ref(snapshot), NULL, add_next_member, reply, rest);
    struct array *array = (struct array *)*rest;
    struct answer version;

    if (!array)
        return outcome;
    array->catalog_id = id;
    add_rows(array, id, apex, reply);
    catalog_version(snapshot, &version);
    add_rows(array, id, &version, reply);
    return outcome;
}

enum outcome zone_methods_list(const struct request *request, const struct method_context *context,
                               struct buffer *reply, struct producer **rest)
{
    struct array array = {.snapshot = context->snapshot};
    struct answer apex;
    struct zone zone;

    if (!find_zone(context->snapshot, request->parameters[PARAMETER_ZONENAME], &apex, &zone))
        return add_not_ours(reply);
    if (zone.catalog)
        return begin_catalog(context->snapshot, &apex, zone.id, reply, rest);
    buffer_add_string(reply, "[");
    add_rows(&array, zone.id, &apex, reply);
    add_inside(&array, &zone, reply);
    buffer_add_string(reply, "]");
    return OUTCOME_ANSWERED;
}

/* What searchRecords looks for. */
struct search {
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

/* Names are compared without the final dot, which a pattern and a content may have. */
static struct text without_dot(struct text text)
{
    if (text.length > 1 && text.data[text.length - 1] == '.')
        text.length--;
    return text;
}

/* Adds those rows of an answer whose name or content is looked for. */
static void add_found(struct array *array, uint32_t zone_id, const struct answer *answer,
                      struct buffer *out)
{
    struct search *search = array->search;
    bool named = matches(search, (struct text){answer->name.text, answer->name.length});

    for (size_t i = 0; i < answer->rows.n && search->left; i++) {
        const struct row *row = &answer->rows.first[i];

        if (row->type == RECORD_ENT ||
            (!named && !matches(search, without_dot(synthesis_content(answer, row)))))
            continue;
        search->left--;
        separate(array, out);
        method_add_row(out, answer, row, zone_id);
    }
}

static bool search_next_zone(struct array *array, struct buffer *out)
{
    struct answer answer;
    struct zone zone;

    if (array->next == snapshot_n_zones(array->snapshot) || array->search->left == 0)
        return false;
    snapshot_zone(array->snapshot, array->next++, &zone);
    if (zone.catalog)
        return true;
    if (synthesis_answer(array->snapshot, &zone.domain, zone.owner, &answer))
        add_found(array, zone.id, &answer, out);
    if (zone.owner == OWNER_TLS &&
        synthesis_answer(array->snapshot, &zone.domain, OWNER_TLSRPT, &answer))
        add_found(array, zone.id, &answer, out);
    return true;
}

enum outcome zone_methods_search(const struct request *request,
                                 const struct method_context *context, struct buffer *reply,
                                 struct producer **rest)
{
    struct text pattern = without_dot(request->parameters[PARAMETER_PATTERN]);
    struct search *search;
    enum outcome outcome;

    if (snapshot_n_zones(context->snapshot) == 0)
        return add_empty(reply);
    search = malloc(sizeof(*search) + pattern.length);
    if (!search) {
        reply->failed = true;
        return OUTCOME_EMPTY;
    }
    search->left = request->numbers[PARAMETER_MAX_RESULTS];
    search->length = pattern.length;
    memcpy(search->pattern, pattern.data, pattern.length);
    outcome = begin_array(snapshot_ref(context->snapshot), NULL, search_next_zone, reply, rest);
    if (*rest)
        ((struct array *)*rest)->search = search;
    else
        free(search);
    return outcome;
}
