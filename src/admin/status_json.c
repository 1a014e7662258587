#include "admin/status.h"

#include "admin/sync_result.h"
#include "admin/verified.h"
#include "admin/version.h"
#include "base/json_write.h"
#include "os/clock.h"
#include "snapshot/retiring.h"
#include "snapshot/zones.h"

enum { PIECE = 16 << 10 /* bytes */ };

/* How far the object is written. */
enum part { PART_HEAD, PART_WAITING, PART_RELOAD, PART_POLICIES };

struct status_json {
    struct producer producer; /* the first member */
    struct status_view view;
    const struct settings *settings; /* or NULL */
    enum part part;
    size_t next; /* id that waits, or policy, of the part */
};

static void add_time(struct buffer *out, const char *key, time_t when)
{
    buffer_printf(out, "\"%s\":\"%s\"", key, clock_text(when).text);
}

static void add_head(struct buffer *out, const struct status_view *view)
{
    buffer_printf(out, "{\"version\":\"%s\",\"serving\":%s,", PDNS_MTA_STS_VERSION,
                  view->serving ? "true" : "false");
    add_time(out, "started", view->started);
    buffer_add_string(out, ",");
    add_time(out, "loaded", view->loaded);
    buffer_printf(out,
                  ",\"generation\":%llu,\"n_policies\":%zu,\"n_domains\":%zu,"
                  "\"snapshot_bytes\":%zu,\"n_held_back\":%zu,\"n_retiring\":%zu,",
                  (unsigned long long)view->generation, snapshot_n_policies(view->snapshot),
                  snapshot_n_domains(view->snapshot), snapshot_size(view->snapshot),
                  snapshot_n_held(view->snapshot), snapshot_n_retiring(view->snapshot));
    if (snapshot_n_retiring(view->snapshot))
        add_time(out, "retiring_until",
                 (time_t)(snapshot_last_until(view->snapshot) - view->ahead));
    else
        buffer_add_string(out, "\"retiring_until\":null");
    buffer_add_string(out, ",\"waiting\":[");
}

static void add_reload(struct buffer *out, const struct status_view *view)
{
    const struct status_reload *reload = &view->reload;

    buffer_printf(out, "],\"last_reload\":{\"result\":\"%s\",",
                  reload->refused ? "refused" : "applied");
    add_time(out, "time", reload->time);
    buffer_printf(out, ",\"seconds\":%.6f,\"warnings\":%zu,\"n_errors\":%zu,\"errors\":[",
                  reload->seconds, reload->warnings, reload->errors);
    buffer_add_text(out, buffer_text(&view->errors->buffer));
    buffer_add_string(out, "]}");
}

static void add_zones(struct buffer *out, const struct status_view *view)
{
    uint32_t n = snapshot_n_catalogs(view->snapshot);
    struct zone catalog;

    buffer_printf(out, ",\"n_zones\":%zu,\"n_zones_to_notify\":%zu",
                  snapshot_n_zones(view->snapshot), view->zones_to_notify);
    if (n == 0)
        return;
    buffer_add_string(out, n == 1 ? ",\"catalog\":" : ",\"catalogs\":[");
    for (uint32_t part = 0; part < n; part++) {
        snapshot_catalog(view->snapshot, part, &catalog);
        buffer_add_string(out, part ? ",{\"zone\":" : "{\"zone\":");
        json_write_string(out, name_text(&catalog.name));
        if (n > 1)
            buffer_printf(out, ",\"zones\":%u", snapshot_zones(view->snapshot)->parts[part].n);
        buffer_printf(out, ",\"serial\":%u}", catalog.serial);
    }
    if (n > 1)
        buffer_add_string(out, "]");
}

static void add_policy(struct buffer *out, const struct snapshot *snapshot, size_t number)
{
    const struct policy *policy = snapshot_policy(snapshot, number);

    buffer_add_string(out, number ? ",\n{\"domain\":" : "\n{\"domain\":");
    json_write_string(out, policy->primary);
    if (policy->mode != POLICY_MODE_ABSENT) {
        buffer_printf(out,
                      ",\"mode\":\"%s\",\"max_age\":%u,\"id\":", policy_mode_text(policy->mode),
                      policy->max_age);
        json_write_string(out, policy->id);
    }
    if (policy->zones)
        buffer_printf(out, ",\"authority\":\"zones\",\"serial\":%u,\"zones\":%u",
                      snapshot_policy_serial(snapshot, number), policy->n_zones);
    buffer_printf(out, ",\"domains\":%u,\"synced\":%u,\"held_back\":%u}", policy->n_domains,
                  policy->n_synced, policy->n_held);
}

/* Adds how writing into the state goes, if there is one. */
static void add_state(struct buffer *out, const struct status_state *state)
{
    if (!state->kept)
        return;
    buffer_printf(out, ",\"state\":{\"written\":");
    if (state->written)
        buffer_printf(out, "\"%s\"", clock_text(state->written).text);
    else
        buffer_add_string(out, "null");
    if (state->failed) {
        buffer_printf(out,
                      ",\"failed_since\":\"%s\",\"fault\":", clock_text(state->failed_since).text);
        json_write_string(out, text_from(state->fault));
    }
    buffer_add_string(out, "}");
}

/* Adds what verify and sync came to. */
static void add_saved(struct buffer *out, const struct status_view *view,
                      const struct settings *settings)
{
    CLEANUP(saved_close) struct saved saved;

    out->failed |= saved_open(&saved, settings) < 0;
    verified_write_json(&saved, out);
    sync_result_write_json(&saved, view, out);
}

/* Goes on with the next part. */
static void end_part(struct status_json *json)
{
    json->part++;
    json->next = 0;
}

/* Adds an id that waits. Names and ids need no escape. */
static void add_waiting(struct buffer *out, const struct status_view *view, size_t number)
{
    const struct status_waiting_id *id = &view->waiting->ids[number];

    buffer_printf(out, "%s{\"domain\":\"%s\",\"announced\":\"%s\",\"next\":\"%s\",",
                  number ? "," : "", snapshot_policy(view->snapshot, id->policy)->primary.data,
                  id->announced, id->next);
    add_time(out, "due", id->due);
    buffer_add_string(out, "}");
}

/* Adds the next step of the current part. Returns whether there are more. */
static bool add_step(struct status_json *json, struct buffer *out)
{
    const struct status_view *view = &json->view;

    switch (json->part) {
    case PART_HEAD:
        add_head(out, view);
        end_part(json);
        return true;
    case PART_WAITING:
        if (json->next < view->waiting->n)
            add_waiting(out, view, json->next++);
        else
            end_part(json);
        return true;
    case PART_RELOAD:
        add_reload(out, view);
        add_zones(out, view);
        add_state(out, &view->state);
        if (json->settings)
            add_saved(out, view, json->settings);
        buffer_add_string(out, ",\"policies\":[");
        end_part(json);
        return true;
    case PART_POLICIES:
        if (json->next < snapshot_n_policies(view->snapshot)) {
            add_policy(out, view->snapshot, json->next++);
            return true;
        }
        buffer_add_string(out, "]}\n");
        return false;
    }
    return false;
}

static bool status_json_more(struct producer *producer, struct buffer *out)
{
    struct status_json *json = (struct status_json *)producer;
    size_t end = out->length + PIECE;
    bool more = true;

    out->failed |= !json->view.waiting || !json->view.errors;
    while (more && out->length < end && !out->failed)
        more = add_step(json, out);
    return more;
}

static void status_json_free(struct producer *producer)
{
    struct status_json *json = (struct status_json *)producer;

    status_view_deinit(&json->view);
    free(json);
}

struct producer *status_json_new(struct status *status, const struct settings *settings)
{
    struct status_json *json = calloc(1, sizeof(*json));

    if (!json)
        return NULL;
    json->producer = (struct producer){.more = status_json_more, .free = status_json_free};
    json->settings = settings;
    status_read(status, &json->view);
    return &json->producer;
}
