#include "service/service.h"

#include "config/certificates.h"
#include "net/http.h"
#include "os/clock.h"
#include "os/fd_limit.h"
#include "os/log.h"
#include "protocol/jansson_alloc.h"
#include "service/admin.h"
#include "service/announcements.h"
#include "service/listeners.h"
#include "service/load.h"
#include "service/reload.h"
#include "service/signals.h"
#include "service/workers.h"

#include <errno.h>
#include <jansson.h>
#include <malloc.h>

enum { RETRY_MILLISECONDS = 1000 /* after an id could not be announced for want of memory */ };

struct service {
    char *config_path;
    struct config *config;              /* of the start, for its settings */
    struct snapshot *loaded;            /* what the configuration last said */
    struct snapshot *published;         /* what the threads answer from */
    struct announcements announcements; /* the ids in which the two differ */
    struct notify *notify;
    struct status *status;
    struct listeners *listeners;
    struct workers *workers;
    struct admin *admin;
};

DEFINE_CLEANUP(struct service *, service_free)

void service_init(void)
{
    signals_block();
    fd_limit_raise();
    http_init();
    jansson_alloc_init();
    json_object_seed(0);
}

static double seconds_since(const struct timespec *begin)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - begin->tv_sec) + (double)(now.tv_nsec - begin->tv_nsec) / 1e9;
}

static void log_held_back(const struct snapshot *snapshot)
{
    CLEANUP(buffer_deinit) struct buffer names = BUFFER_INIT;

    if (snapshot_n_held(snapshot) == 0)
        return;
    certificates_name_held(snapshot, &names);
    log_warning("held back, having no certificate: %zu: %.*s", snapshot_n_held(snapshot),
                (int)names.length, names.data);
}

/* Gives each listener its share of the limit of open files. */
static size_t share_descriptors(const struct settings *settings)
{
    size_t n = 0, share;

    for (enum listener listener = 0; listener < LISTENER_COUNT; listener++)
        n += settings->listeners[listener].enabled;
    share = fd_limit_share(n, settings->threads);
    if (share < FD_LIMIT_SHARE_MAX)
        log_warning("the limit of open files allows %zu connections to each listener, fewer than "
                    "%d",
                    share, FD_LIMIT_SHARE_MAX);
    return share;
}

static int start_admin(struct service *service, size_t connections_max)
{
    struct admin_setup setup = {
        .settings = &service->config->settings,
        .connections_max = connections_max,
        .status = service->status,
    };
    int r;

    if (!setup.settings->listeners[LISTENER_ADMIN].enabled)
        return 0;
    setup.listening = listeners_socket(service->listeners, LISTENER_ADMIN, 0);
    setup.n_counters = workers_counters(service->workers, setup.counters);
    r = admin_new(&setup, &service->admin);
    if (r < 0) {
        log_error("cannot start the admin thread: %s", strerror(-r));
        return REPORTED;
    }
    return 0;
}

/* Answers from the configuration that was loaded. Returns as service_new does. */
static int start(struct service *service)
{
    const struct settings *settings = &service->config->settings;
    struct worker_setup setup = {
        .settings = settings,
        .notify = service->notify,
        .order_reload = signals_order_reload,
    };
    int r;

    service->loaded = service->config->snapshot;
    service->config->snapshot = NULL;
    service->published = snapshot_ref(service->loaded);
    r = notify_prepare(service->notify, service->published);
    if (r)
        return r;
    notify_adopt(service->notify);
    status_set_snapshot(service->status, service->published);
    setup.connections_max = share_descriptors(settings);
    r = listeners_new(settings, &service->listeners);
    if (r)
        return r;
    setup.listeners = service->listeners;
    r = workers_new(&setup, service->published, &service->workers);
    if (r)
        return r;
    return start_admin(service, setup.connections_max);
}

int service_new(const char *config_path, struct service **out)
{
    CLEANUP(diagnostics_deinit) struct diagnostics diagnostics = DIAGNOSTICS_INIT;
    CLEANUP(service_free_pointer) struct service *service = calloc(1, sizeof(*service));
    struct timespec begin;
    int r;

    if (!service)
        return -ENOMEM;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    service->config_path = strdup(config_path);
    if (!service->config_path)
        return -ENOMEM;
    r = notify_new(&service->notify);
    if (r)
        return r;
    r = status_new(service->notify, &service->status);
    if (r)
        return r;
    if (load_config(config_path, &diagnostics, &service->config))
        return REPORTED;
    r = start(service);
    if (r)
        return r;
    status_set_applied(service->status, &diagnostics, seconds_since(&begin));
    status_set_serving(service->status, true);
    malloc_trim(0);
    log_info("serving %zu policies, %zu domains, after %.0f ms",
             snapshot_n_policies(service->loaded), snapshot_n_domains(service->loaded),
             seconds_since(&begin) * 1e3);
    log_held_back(service->published);
    *out = service;
    service = NULL;
    return 0;
}

/* Has all threads answer from a snapshot, whose reference it takes over, at the same time. */
static void publish(struct service *service, struct snapshot *snapshot)
{
    workers_adopt(service->workers, snapshot);
    notify_adopt(service->notify);
    snapshot_unref(service->published);
    service->published = snapshot;
    status_set_snapshot(service->status, snapshot);
}

/* Logs which ids wait to be announced, and shows it in the status. */
static void show_waiting(const struct service *service)
{
    CLEANUP(buffer_deinit) struct buffer ids = BUFFER_INIT, json = BUFFER_INIT;
    int64_t now = clock_monotonic_ms();

    announcements_describe(&service->announcements, service->loaded, now, &ids);
    announcements_write_json(&service->announcements, service->loaded, now, time(NULL), &json);
    status_set_waiting(service->status, &json);
    if (ids.length)
        log_info("%.*s", (int)ids.length, ids.data);
}

static void warn_of_id(const struct policy *policy, void *context)
{
    (void)context;
    log_warning(
        "the policy body of %s changed and its id is still %s, so senders keep the old body: set "
        "another id, or auto",
        policy->primary.data, policy->id.data);
}

/* Warns of what a reload brings that an operator may not expect. */
static void warn_of_reload(const struct service *service, const struct config *config)
{
    CLEANUP(buffer_deinit) struct buffer keys = BUFFER_INIT, serials = BUFFER_INIT;

    config_name_restart(&service->config->settings, &config->settings, &keys);
    if (keys.length)
        log_warning("reload: %.*s changed; restart the service to apply this, all else is applied",
                    (int)keys.length, keys.data);
    reload_check_ids(service->published, config->snapshot, warn_of_id, NULL);
    reload_check_serials(config, &serials);
    if (serials.length)
        log_warning("reload: %.*s", (int)serials.length, serials.data);
}

/* Makes what is to be published: a loaded snapshot, but for ids that wait. Returns 0 or -ENOMEM;
 * then nothing has changed. */
static int prepare(const struct service *service, const struct announcements *announcements,
                   struct snapshot *loaded, int64_t now, struct snapshot **out)
{
    struct snapshot *published;
    int r = announcements_apply(announcements, loaded, service->published, now, &published);

    if (r)
        return r;
    r = notify_prepare(service->notify, published);
    if (r) {
        snapshot_unref(published);
        return r;
    }
    *out = published;
    return 0;
}

/* Answers from a newly loaded configuration, and takes its snapshot over. Returns 0 or -ENOMEM;
 * then nothing has changed. */
static int adopt(struct service *service, struct config *config, struct buffer *changes)
{
    CLEANUP(announcements_deinit) struct announcements announcements = ANNOUNCEMENTS_INIT;
    struct snapshot *loaded, *published;
    int64_t now = clock_monotonic_ms();
    int r = announcements_plan(&service->announcements, service->published, config->snapshot, now,
                               &announcements);

    if (r)
        return r;
    r = announcements_follow(&announcements, config->snapshot, service->published,
                             config->files_mtime, &loaded);
    if (r)
        return r;
    snapshot_unref(config->snapshot);
    config->snapshot = loaded;
    r = prepare(service, &announcements, config->snapshot, now, &published);
    if (r)
        return r;
    warn_of_reload(service, config);
    reload_describe(service->published, published, changes);
    publish(service, published);
    snapshot_unref(service->loaded);
    service->loaded = config->snapshot;
    config->snapshot = NULL;
    announcements_deinit(&service->announcements);
    service->announcements = announcements;
    announcements = ANNOUNCEMENTS_INIT;
    return 0;
}

void service_reload(struct service *service)
{
    CLEANUP(diagnostics_deinit) struct diagnostics diagnostics = DIAGNOSTICS_INIT;
    CLEANUP(config_free_pointer) struct config *config = NULL;
    CLEANUP(buffer_deinit) struct buffer changes = BUFFER_INIT;
    struct timespec begin;
    int r;

    clock_gettime(CLOCK_MONOTONIC, &begin);
    r = load_config(service->config_path, &diagnostics, &config);
    if (r == 0)
        r = adopt(service, config, &changes);
    if (r) {
        status_set_refused(service->status, &diagnostics, r < 0 ? strerror(-r) : NULL,
                           seconds_since(&begin));
        log_error("reload: refused, everything stays as it was");
        return;
    }
    status_set_applied(service->status, &diagnostics, seconds_since(&begin));
    malloc_trim(0);
    log_held_back(service->published);
    show_waiting(service);
    log_info("reload: %.*s, in %.0f ms", (int)changes.length, changes.data,
             seconds_since(&begin) * 1e3);
}

bool service_check(struct service *service)
{
    bool alive = workers_are_alive(service->workers);

    status_set_serving(service->status, alive);
    return alive;
}

void service_describe(const struct service *service, struct buffer *out)
{
    CLEANUP(status_view_deinit) struct status_view view;

    status_read(service->status, &view);
    buffer_printf(out, "Serving %zu policies, %zu domains%s", snapshot_n_policies(view.snapshot),
                  snapshot_n_domains(view.snapshot),
                  view.reload.refused ? "; the last reload was refused, see the log" : "");
}

int64_t service_next_announcement(const struct service *service)
{
    int64_t due = announcements_next(&service->announcements), now = clock_monotonic_ms();

    if (due == INT64_MAX)
        return -1;
    return due > now ? due - now : 0;
}

void service_announce(struct service *service)
{
    CLEANUP(buffer_deinit) struct buffer ids = BUFFER_INIT;
    struct snapshot *published;
    int64_t now = clock_monotonic_ms();

    if (announcements_next(&service->announcements) > now)
        return;
    if (prepare(service, &service->announcements, service->loaded, now, &published)) {
        announcements_defer_due(&service->announcements, now, now + RETRY_MILLISECONDS);
        return;
    }
    announcements_drop_due(&service->announcements, now);
    reload_describe_ids(service->published, published, &ids);
    publish(service, published);
    show_waiting(service);
    log_info("announced now: %.*s", (int)ids.length, ids.data);
}

void service_free(struct service *service)
{
    if (!service)
        return;
    if (service->status)
        status_set_serving(service->status, false);
    workers_stop(service->workers);
    admin_free(service->admin);
    workers_free(service->workers);
    listeners_free(service->listeners);
    announcements_deinit(&service->announcements);
    snapshot_unref(service->published);
    snapshot_unref(service->loaded);
    status_free(service->status);
    notify_free(service->notify);
    config_free(service->config);
    free(service->config_path);
    free(service);
}
