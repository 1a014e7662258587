#include "protocol/zone_methods.h"

#include "answer/catalog.h"
#include "answer/lookup.h"
#include "protocol/json_row.h"
#include "protocol/zone_stream.h"

/* How much is said at once of zones that were not notified, in bytes and a zone more. PowerDNS
 * asks again, and stops for good where it gets more than it takes: over HTTP 2 MiB, over a unix
 * socket what it has read before its timeout, and that takes the square of the length. */
enum { PENDING_SIZE = 256 << 10 };

enum { ZONES_AT_A_STEP = 16 }; /* where only a serial is looked at */

/* The zones themselves. */
struct zone_list {
    struct zone_stream array;
    struct notify *notify;
    size_t size; /* of the zones not notified, so far */
};

/* The records of the catalog zone. */
struct catalog_list {
    struct zone_stream array;
    uint32_t id; /* of the catalog zone */
};

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

static void add_zone(struct zone_list *list, const struct zone *zone, struct buffer *out)
{
    zone_stream_separate(&list->array, out);
    add_info(out, zone, list->notify);
}

static bool add_next_zone(struct zone_stream *array, struct buffer *out)
{
    struct zone zone;

    if (!zone_stream_next(array, &zone))
        return false;
    add_zone((struct zone_list *)array, &zone, out);
    return true;
}

static bool add_next_pending(struct zone_stream *array, struct buffer *out)
{
    struct zone_list *list = (struct zone_list *)array;
    size_t n = snapshot_n_zones(array->snapshot), end = array->next + ZONES_AT_A_STEP;
    size_t before = out->length;
    struct zone zone;

    if (list->size >= PENDING_SIZE)
        return false;
    if (end > n)
        end = n;
    array->next = notify_next(list->notify, array->snapshot, array->next, end);
    if (array->next >= end)
        return end < n;
    zone_stream_next(array, &zone);
    add_zone(list, &zone, out);
    list->size += out->length - before;
    return true;
}

/* Begins an array of zones, whose reference of the snapshot it takes over. */
static enum outcome begin_zones(struct snapshot *snapshot, struct notify *notify,
                                bool (*step)(struct zone_stream *array, struct buffer *out),
                                struct buffer *reply, struct producer **rest)
{
    struct zone_list *list = zone_stream_new(sizeof(*list), snapshot, step, reply);

    if (!list)
        return OUTCOME_EMPTY;
    list->notify = notify;
    *rest = &list->array.producer;
    return OUTCOME_ANSWERED;
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
    return begin_zones(snapshot_ref(context->snapshot), context->notify, add_next_zone, reply,
                       rest);
}

enum outcome zone_methods_updated(const struct request *request,
                                  const struct method_context *context, struct buffer *reply,
                                  struct producer **rest)
{
    (void)request;
    if (!context->notify || notify_pending(context->notify) == 0)
        return add_empty(reply);
    return begin_zones(notify_snapshot(context->notify), context->notify, add_next_pending, reply,
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
    return snapshot_n_zones(snapshot) > 0 && lookup_find(snapshot, name, apex) &&
           answer_zone(snapshot, apex, zone);
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

static void add_rows(struct zone_stream *array, uint32_t zone_id, const struct answer *answer,
                     struct buffer *out)
{
    for (size_t i = 0; i < answer->rows.n; i++) {
        zone_stream_separate(array, out);
        json_row_write(out, answer, &answer->rows.first[i], zone_id);
    }
}

/* What stands in a zone below its apex: there is something in one kind only. */
static void add_inside(struct zone_stream *array, const struct zone *zone, struct buffer *out)
{
    struct answer answer;

    if (zone->owner == OWNER_TLS_PARENT &&
        answer_at(array->snapshot, &zone->domain, OWNER_TLSRPT, &answer))
        add_rows(array, zone->id, &answer, out);
}

static bool add_next_member(struct zone_stream *array, struct buffer *out)
{
    const struct catalog_list *list = (struct catalog_list *)array;
    struct answer answer;
    struct zone zone;

    if (!zone_stream_next(array, &zone))
        return false;
    if (zone.catalog)
        return true;
    catalog_member(array->snapshot, &zone, &answer);
    add_rows(array, list->id, &answer, out);
    return true;
}

/* The catalog zone: its apex, its version, and in pieces its members. */
static enum outcome begin_catalog(struct snapshot *snapshot, const struct answer *apex, uint32_t id,
                                  struct buffer *reply, struct producer **rest)
{
    struct catalog_list *list =
        zone_stream_new(sizeof(*list), snapshot_ref(snapshot), add_next_member, reply);
    struct answer version;

    if (!list)
        return OUTCOME_EMPTY;
    list->id = id;
    add_rows(&list->array, id, apex, reply);
    catalog_version(snapshot, &version);
    add_rows(&list->array, id, &version, reply);
    *rest = &list->array.producer;
    return OUTCOME_ANSWERED;
}

enum outcome zone_methods_list(const struct request *request, const struct method_context *context,
                               struct buffer *reply, struct producer **rest)
{
    struct zone_stream array = {.snapshot = context->snapshot};
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
