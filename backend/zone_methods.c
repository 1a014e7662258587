#include "zone_methods.h"

#include "catalog.h"

enum { PIECE_SIZE = 32 << 10 }; /* bytes, and a zone or a record more */

/* Makes an array of something about many zones, piece by piece. */
struct array {
    struct producer producer;
    struct snapshot *snapshot;
    struct notify *notify;
    size_t next;                                          /* the number of the zone that is next */
    bool any;                                             /* an element stands before */
    bool (*add)(struct array *array, struct buffer *out); /* one more; whether there was one */
};

static bool array_more(struct producer *producer, struct buffer *out)
{
    struct array *array = (struct array *)producer;
    size_t end = out->length + PIECE_SIZE;

    while (out->length < end && !out->failed)
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
    array->next = notify_next(array->notify, array->snapshot, array->next);
    return add_next_zone(array, out);
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

static void add_rows(struct array *array, const struct answer *answer, struct buffer *out)
{
    for (size_t i = 0; i < answer->rows.n; i++) {
        separate(array, out);
        method_add_row(out, array->snapshot, answer, &answer->rows.first[i]);
    }
}

/* What stands in a zone below its apex: there is something in one kind only. */
static void add_inside(struct array *array, const struct zone *zone, struct buffer *out)
{
    struct answer answer;

    if (zone->owner == OWNER_TLS &&
        synthesis_answer(array->snapshot, &zone->domain, OWNER_TLSRPT, &answer))
        add_rows(array, &answer, out);
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
    add_rows(array, &answer, out);
    return true;
}

/* The catalog zone: its apex, its version, and in pieces its members. */
static enum outcome begin_catalog(struct snapshot *snapshot, const struct answer *apex,
                                  struct buffer *reply, struct producer **rest)
{
    enum outcome outcome = begin_array(snapshot_ref(snapshot), NULL, add_next_member, reply, rest);
    struct array *array = (struct array *)*rest;
    struct answer version;

    if (!array)
        return outcome;
    add_rows(array, apex, reply);
    catalog_version(snapshot, &version);
    add_rows(array, &version, reply);
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
        return begin_catalog(context->snapshot, &apex, reply, rest);
    buffer_add_string(reply, "[");
    add_rows(&array, &apex, reply);
    add_inside(&array, &zone, reply);
    buffer_add_string(reply, "]");
    return OUTCOME_ANSWERED;
}
