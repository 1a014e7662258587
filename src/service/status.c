#include "service/status.h"
#include "os/clock.h"

#include "base/json_write.h"
#include "service/version.h"

#include <errno.h>
#include <pthread.h>

struct status {
    const struct notify *notify;
    pthread_mutex_t lock;
    struct status_view now;
};

int status_new(const struct notify *notify, struct status **out)
{
    struct status *status = calloc(1, sizeof(*status));

    if (!status)
        return -ENOMEM;
    pthread_mutex_init(&status->lock, NULL);
    status->notify = notify;
    status->now.started = time(NULL);
    *out = status;
    return 0;
}

void status_free(struct status *status)
{
    if (!status)
        return;
    status_view_deinit(&status->now);
    pthread_mutex_destroy(&status->lock);
    free(status);
}

void status_set_snapshot(struct status *status, struct snapshot *snapshot)
{
    struct snapshot *before;

    snapshot_ref(snapshot);
    pthread_mutex_lock(&status->lock);
    before = status->now.snapshot;
    status->now.snapshot = snapshot;
    status->now.generation++;
    pthread_mutex_unlock(&status->lock);
    snapshot_unref(before);
}

void status_set_applied(struct status *status, const struct diagnostics *diagnostics,
                        double seconds)
{
    struct status_view *now = &status->now;

    pthread_mutex_lock(&status->lock);
    now->applied += now->loaded != 0;
    now->loaded = time(NULL);
    now->reload = (struct status_reload){
        .time = now->loaded,
        .seconds = seconds,
        .warnings = diagnostics->total[SEVERITY_WARNING],
    };
    buffer_clear(&now->errors);
    pthread_mutex_unlock(&status->lock);
}

static void add_error(enum severity severity, const char *place, const char *text, void *context)
{
    CLEANUP(buffer_deinit) struct buffer line = BUFFER_INIT;
    struct buffer *errors = context;

    if (severity != SEVERITY_ERROR)
        return;
    buffer_printf(&line, "%s%s", place, text);
    buffer_add_string(errors, errors->length ? "," : "");
    json_write_string(errors, buffer_text(&line));
}

void status_set_refused(struct status *status, const struct diagnostics *diagnostics,
                        const char *error, double seconds)
{
    struct status_view *now = &status->now;

    pthread_mutex_lock(&status->lock);
    now->refused++;
    now->reload = (struct status_reload){
        .refused = true,
        .time = time(NULL),
        .seconds = seconds,
        .warnings = diagnostics->total[SEVERITY_WARNING],
        .errors = diagnostics->total[SEVERITY_ERROR] + (error != NULL),
    };
    buffer_clear(&now->errors);
    diagnostics_each(diagnostics, add_error, &now->errors);
    if (error)
        add_error(SEVERITY_ERROR, "", error, &now->errors);
    pthread_mutex_unlock(&status->lock);
}

void status_set_waiting(struct status *status, struct text waiting)
{
    pthread_mutex_lock(&status->lock);
    buffer_clear(&status->now.waiting);
    buffer_add_text(&status->now.waiting, waiting);
    pthread_mutex_unlock(&status->lock);
}

void status_set_serving(struct status *status, bool serving)
{
    pthread_mutex_lock(&status->lock);
    status->now.serving = serving;
    pthread_mutex_unlock(&status->lock);
}

static struct buffer copy(const struct buffer *buffer)
{
    struct buffer copied = BUFFER_INIT;

    buffer_add(&copied, buffer->data, buffer->length);
    copied.failed |= buffer->failed;
    return copied;
}

void status_read(struct status *status, struct status_view *out)
{
    pthread_mutex_lock(&status->lock);
    *out = status->now;
    if (out->snapshot)
        snapshot_ref(out->snapshot);
    out->waiting = copy(&status->now.waiting);
    out->errors = copy(&status->now.errors);
    pthread_mutex_unlock(&status->lock);
    out->zones_to_notify = notify_pending(status->notify);
}

void status_view_deinit(struct status_view *view)
{
    view->snapshot = snapshot_unref(view->snapshot);
    buffer_deinit(&view->waiting);
    buffer_deinit(&view->errors);
}

static void add_time(struct buffer *out, const char *key, time_t when)
{
    buffer_printf(out, "\"%s\":\"%s\"", key, clock_text(when).text);
}

static void add_reload(struct buffer *out, const struct status_view *view)
{
    const struct status_reload *reload = &view->reload;

    buffer_printf(out, ",\"last_reload\":{\"result\":\"%s\",",
                  reload->refused ? "refused" : "applied");
    add_time(out, "time", reload->time);
    buffer_printf(out, ",\"seconds\":%.6f,\"warnings\":%zu,\"n_errors\":%zu,\"errors\":[",
                  reload->seconds, reload->warnings, reload->errors);
    buffer_add_text(out, buffer_text(&view->errors));
    out->failed |= view->errors.failed;
    buffer_add_string(out, "]}");
}

/* Of the domains of one policy. */
struct counts {
    size_t domains, held_back, zones;
};

static void add_policy(struct buffer *out, const struct snapshot *snapshot, size_t number,
                       const struct counts *counts)
{
    const struct policy *policy = snapshot_policy(snapshot, number);

    buffer_add_string(out, "\n{\"domain\":");
    json_write_string(out, policy->primary);
    if (policy->mode != POLICY_MODE_ABSENT) {
        buffer_printf(out,
                      ",\"mode\":\"%s\",\"max_age\":%u,\"id\":", policy_mode_text(policy->mode),
                      policy->max_age);
        json_write_string(out, policy->id);
    }
    if (policy->zones)
        buffer_printf(out, ",\"authority\":\"zones\",\"serial\":%u,\"zones\":%zu",
                      snapshot_policy_serial(snapshot, number), counts->zones);
    buffer_printf(out, ",\"domains\":%zu,\"held_back\":%zu}", counts->domains, counts->held_back);
}

/* Counts the domains of each policy. */
static void count_domains(const struct snapshot *snapshot, struct counts *counts)
{
    struct domain domain;
    size_t cursor = 0;

    while (snapshot_next_domain(snapshot, &cursor, &domain)) {
        struct counts *of_policy = &counts[snapshot_policy_number(snapshot, domain.policy)];

        of_policy->domains++;
        of_policy->held_back += domain.held;
        for (enum owner owner = 0; owner < OWNER_COUNT; owner++)
            of_policy->zones += domain_has_zone(&domain, owner);
    }
}

static void add_policies(struct buffer *out, const struct snapshot *snapshot)
{
    size_t n = snapshot_n_policies(snapshot);
    struct counts *counts = calloc(n + 1, sizeof(*counts));

    if (!counts) {
        out->failed = true;
        return;
    }
    count_domains(snapshot, counts);
    buffer_add_string(out, ",\"policies\":[");
    for (size_t i = 0; i < n; i++) {
        buffer_add_string(out, i ? "," : "");
        add_policy(out, snapshot, i, &counts[i]);
    }
    free(counts);
    buffer_add_string(out, "]");
}

static void add_zones(struct buffer *out, const struct status_view *view)
{
    struct zone catalog;

    buffer_printf(out, ",\"n_zones\":%zu,\"n_zones_to_notify\":%zu",
                  snapshot_n_zones(view->snapshot), view->zones_to_notify);
    if (!snapshot_catalog(view->snapshot, &catalog))
        return;
    buffer_add_string(out, ",\"catalog\":{\"zone\":");
    json_write_string(out, name_text(&catalog.name));
    buffer_printf(out, ",\"serial\":%u}", catalog.serial);
}

void status_write_json(const struct status_view *view, struct buffer *out)
{
    buffer_printf(out, "{\"version\":\"%s\",\"serving\":%s,", PDNS_MTA_STS_VERSION,
                  view->serving ? "true" : "false");
    add_time(out, "started", view->started);
    buffer_add_string(out, ",");
    add_time(out, "loaded", view->loaded);
    buffer_printf(out,
                  ",\"generation\":%llu,\"n_policies\":%zu,\"n_domains\":%zu,"
                  "\"snapshot_bytes\":%zu",
                  (unsigned long long)view->generation, snapshot_n_policies(view->snapshot),
                  snapshot_n_domains(view->snapshot), snapshot_size(view->snapshot));
    buffer_printf(out, ",\"n_held_back\":%zu,\"waiting\":[", snapshot_n_held(view->snapshot));
    buffer_add_text(out, buffer_text(&view->waiting));
    out->failed |= view->waiting.failed;
    buffer_add_string(out, "]");
    add_reload(out, view);
    add_zones(out, view);
    add_policies(out, view->snapshot);
    buffer_add_string(out, "}\n");
}
