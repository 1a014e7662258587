#include "protocol/zone_methods.h"

#include "answer/catalog.h"
#include "answer/lookup.h"
#include "base/json_write.h"
#include "protocol/json_row.h"
#include "protocol/zone_stream.h"
#include "snapshot/zones.h"

#include <errno.h>

/* How much getUpdatedMasters says at once, in octets and a zone more. PowerDNS asks again, but
 * stops for good if it gets more than it takes: over HTTP 2 MiB, over a unix socket what it has
 * read before its timeout, and that takes the square of the length. */
enum { UPDATED_SIZE = 256 << 10 };

enum { ZONES_A_STEP = 16 }; /* if only the serial is looked at */

enum {
    RESULT_LENGTH = sizeof("{\"result\":[]}") - 1,
    SEPARATOR_LENGTH = 1,
};

/* An array of zones. */
struct zone_list {
    struct zone_stream stream;
    struct notify *notify;
    size_t size; /* of the elements so far, in octets */
};

/* The records of a catalog zone. */
struct catalog_list {
    struct zone_stream stream;
    uint32_t id, part; /* of the catalog zone */
};

/* Writes a zone as PowerDNS's DomainInfo. Names and kinds need no escapes. With "master" PowerDNS
 * notifies the zone's secondaries, if it is a primary server at all. */
static void write_domain_info(struct buffer *out, const struct zone *zone, uint32_t notified)
{
    buffer_printf(out,
                  "{\"id\":%u,\"zone\":\"%s.\",\"kind\":\"master\",\"serial\":%u,"
                  "\"notified_serial\":%u}",
                  zone->id, zone->name.text, zone->serial, notified);
}

static uint32_t notified_serial(struct notify *notify, const struct zone *zone)
{
    return notify ? notify_serial(notify, zone->id) : 0;
}

static bool list_next_zone(struct zone_stream *stream, struct buffer *out)
{
    struct zone_list *list = (struct zone_list *)stream;
    size_t before = out->length;
    struct zone zone;

    if (!zone_stream_next(stream, &zone))
        return false;
    json_write_separator(out, &stream->any);
    write_domain_info(out, &zone, notified_serial(list->notify, &zone));
    list->size += out->length - before;
    return true;
}

static bool list_next_updated(struct zone_stream *stream, struct buffer *out)
{
    const struct zone_list *list = (const struct zone_list *)stream;
    size_t n = snapshot_n_zones(stream->snapshot), end = stream->next + ZONES_A_STEP;

    if (list->size >= UPDATED_SIZE)
        return false;
    if (end > n)
        end = n;
    stream->next = notify_next(list->notify, stream->snapshot, stream->next, end);
    return stream->next < end ? list_next_zone(stream, out) : end < n;
}

/* Begins an array of zones of a snapshot, whose reference it takes over. */
static int begin_zone_list(struct method_call *call, struct snapshot *snapshot,
                           bool (*step)(struct zone_stream *stream, struct buffer *out))
{
    struct zone_list *list = zone_stream_begin(call, sizeof(*list), snapshot, step);

    if (!list)
        return -ENOMEM;
    list->notify = call->notify;
    return OUTCOME_ANSWERED;
}

int zone_methods_all(struct method_call *call)
{
    if (snapshot_n_zones(call->snapshot) == 0)
        return method_call_result(call, "[]", OUTCOME_EMPTY);
    return begin_zone_list(call, snapshot_ref(call->snapshot), list_next_zone);
}

size_t zone_methods_all_length(const struct snapshot *snapshot)
{
    const struct zones *zones = snapshot_zones(snapshot);
    const struct zone longest = {.id = ZONE_ID_MAX, .serial = UINT32_MAX};
    CLEANUP(buffer_deinit) struct buffer row = BUFFER_INIT;

    write_domain_info(&row, &longest, longest.serial);
    return RESULT_LENGTH + zones->n * (row.length + SEPARATOR_LENGTH) + zones->octets;
}

int zone_methods_updated(struct method_call *call)
{
    if (!call->notify || notify_pending(call->notify) == 0)
        return method_call_result(call, "[]", OUTCOME_EMPTY);
    return begin_zone_list(call, notify_snapshot(call->notify), list_next_updated);
}

int zone_methods_set_notified(struct method_call *call)
{
    if (call->notify)
        notify_set(call->notify, call->arguments[PARAMETER_ID].number,
                   call->arguments[PARAMETER_SERIAL].number);
    return method_call_result(call, "true", OUTCOME_ANSWERED);
}

/* Finds the own zone that has its apex at a name, and the rows there. */
static bool find_own_zone(const struct snapshot *snapshot, struct text name, struct answer *apex,
                          struct zone *zone)
{
    return snapshot_n_zones(snapshot) > 0 && lookup_find(snapshot, name, apex) &&
           answer_zone(snapshot, apex, zone);
}

int zone_methods_info(struct method_call *call)
{
    struct answer apex;
    struct zone zone;

    if (!find_own_zone(call->snapshot, call->arguments[PARAMETER_NAME].text, &apex, &zone))
        return method_call_result(call, "false", OUTCOME_NOT_OURS);
    write_domain_info(call->reply, &zone, notified_serial(call->notify, &zone));
    return OUTCOME_ANSWERED;
}

static void write_rows(struct buffer *out, const struct answer *answer, uint32_t zone_id, bool *any)
{
    for (size_t i = 0; i < answer->rows.n; i++) {
        json_write_separator(out, any);
        json_row_write(out, answer, &answer->rows.first[i], zone_id);
    }
}

static bool list_next_member(struct zone_stream *stream, struct buffer *out)
{
    const struct catalog_list *list = (const struct catalog_list *)stream;
    struct answer answer;
    struct zone zone;

    if (!zone_stream_next(stream, &zone))
        return false;
    if (zone.catalog || zone.part != list->part)
        return true;
    catalog_member(stream->snapshot, &zone, &answer);
    write_rows(out, &answer, list->id, &stream->any);
    return true;
}

/* What a catalog zone has before its members. */
static void write_catalog_head(struct buffer *out, const struct snapshot *snapshot,
                               const struct answer *apex, uint32_t id, bool *any)
{
    struct answer version;

    write_rows(out, apex, id, any);
    catalog_version(snapshot, apex->part, &version);
    write_rows(out, &version, id, any);
}

/* A catalog zone: its apex, its version, and in pieces its members. */
static int begin_catalog_list(struct method_call *call, const struct answer *apex, uint32_t id)
{
    struct catalog_list *list =
        zone_stream_begin(call, sizeof(*list), snapshot_ref(call->snapshot), list_next_member);

    if (!list)
        return -ENOMEM;
    list->id = id;
    list->part = apex->part;
    write_catalog_head(call->reply, call->snapshot, apex, id, &list->stream.any);
    return OUTCOME_ANSWERED;
}

size_t zone_methods_catalog_length(const struct snapshot *snapshot, uint32_t part)
{
    const struct catalog_part *listed = &snapshot_zones(snapshot)->parts[part];
    const struct zone nameless = {.part = part};
    CLEANUP(buffer_deinit) struct buffer head = BUFFER_INIT, row = BUFFER_INIT;
    struct answer answer;
    struct zone catalog;
    bool any = false;

    snapshot_catalog(snapshot, part, &catalog);
    catalog_find(snapshot, &catalog.name, &answer);
    write_catalog_head(&head, snapshot, &answer, catalog.id, &any);
    catalog_member(snapshot, &nameless, &answer);
    write_rows(&row, &answer, catalog.id, &any);
    return RESULT_LENGTH + head.length + listed->n * row.length + listed->octets;
}

int zone_methods_list(struct method_call *call)
{
    struct answer answer;
    struct zone zone;
    enum owner inside;
    bool any = false;

    if (!find_own_zone(call->snapshot, call->arguments[PARAMETER_ZONENAME].text, &answer, &zone))
        return method_call_result(call, "false", OUTCOME_NOT_OURS);
    if (zone.catalog)
        return begin_catalog_list(call, &answer, zone.id);
    buffer_add_string(call->reply, "[");
    write_rows(call->reply, &answer, zone.id, &any);
    inside = owner_inside(zone.owner);
    if (inside != OWNER_COUNT && answer_at(call->snapshot, &zone.domain, inside, &answer))
        write_rows(call->reply, &answer, zone.id, &any);
    buffer_add_string(call->reply, "]");
    return OUTCOME_ANSWERED;
}
