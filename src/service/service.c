#include "service/service.h"

#include "config/certificates.h"
#include "net/http.h"
#include "os/fd_limit.h"
#include "os/log.h"
#include "service/admin.h"
#include "service/announcements.h"
#include "service/listeners.h"
#include "service/reload.h"
#include "service/worker.h"

#include <errno.h>
#include <malloc.h>
#include <sys/random.h>
#include <time.h>

enum {
    RETRY_MILLISECONDS = 1000, /* after an id could not be announced for want of memory */
    SETTLING_MAX = 3,          /* readings more of files that have changed within a second */
};

struct service {
    char *config_path;
    struct config *config;
    struct snapshot *published; /* what the threads answer from */
    struct announcements announcements;
    struct worker_setup setup;
    struct status *status;
    struct admin *admin;
    struct worker *workers[CONFIG_THREADS_MAX];
    size_t n_workers;
};

static double seconds_since(const struct timespec *start)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

static int64_t milliseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void log_diagnostic(enum severity severity, const char *text, void *context)
{
    (void)context;
    log_at(severity == SEVERITY_ERROR ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, "%s", text);
}

/* Whether what was read may change again within the second of its last change, in which reading
 * began or later. That would not show in the serials of own zones, which are such times. A time
 * still to come is a file's own affair. */
static bool is_unsettled(const struct config *config, time_t begun)
{
    time_t newest = (time_t)config->newest;

    return snapshot_n_zones(config->snapshot) && newest >= begun && newest <= time(NULL);
}

/* Waits until the second is over. */
static void await_end_of_second(void)
{
    struct timespec now, rest = {0};

    clock_gettime(CLOCK_REALTIME, &now);
    rest.tv_nsec = 999999999 - now.tv_nsec;
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &rest, &rest) == EINTR)
        ;
}

/* Loads a configuration that has settled, unless its files change without end. */
static int load_settled(const char *path, uint64_t seed, struct diagnostics *diagnostics,
                        struct config **out)
{
    for (int again = SETTLING_MAX;; again--) {
        time_t begun = time(NULL);
        int r = config_load(path, seed, diagnostics, out);

        if (r || again == 0 || !is_unsettled(*out, begun))
            return r;
        config_free(*out);
        *out = NULL;
        diagnostics_deinit(diagnostics);
        await_end_of_second();
    }
}

/* Loads the configuration and logs what it has to say. Returns 0, REPORTED or -errno. */
static int load(const char *path, struct diagnostics *diagnostics, struct config **out)
{
    uint64_t seed = 0;
    int r;

    if (getrandom(&seed, sizeof(seed), 0) < 0)
        log_warning("no random seed: %s", strerror(errno));
    r = load_settled(path, seed, diagnostics, out);
    diagnostics_each(diagnostics, log_diagnostic, NULL);
    if (r < 0)
        log_error("%s: %s", path, strerror(-r));
    return r;
}

static int start_workers(struct service *service)
{
    const struct settings *settings = &service->config->settings;
    int r = 0;

    if (settings->listeners[LISTENER_UNIX].enabled && settings->threads > 1)
        r = unix_balancer_new(settings->threads, service->setup.connections_max / settings->threads,
                              &service->setup.dealer);
    if (r < 0) {
        log_error("cannot make pipes between threads: %s", strerror(-r));
        return SERVICE_FAILED;
    }

    while (service->n_workers < settings->threads) {
        r = worker_new(&service->setup, service->n_workers, service->published,
                       &service->workers[service->n_workers]);
        if (r < 0) {
            log_error("cannot start a thread: %s", strerror(-r));
            return SERVICE_FAILED;
        }
        service->n_workers++;
    }
    return 0;
}

static int start_admin(struct service *service)
{
    struct admin_setup setup = {
        .settings = &service->config->settings,
        .connections_max = service->setup.connections_max,
        .status = service->status,
        .n_counters = service->n_workers,
    };
    int r;

    if (!service->config->settings.listeners[LISTENER_ADMIN].enabled)
        return 0;
    setup.listening = listeners_socket(service->setup.listeners, LISTENER_ADMIN, 0);
    for (size_t i = 0; i < service->n_workers; i++)
        setup.counters[i] = worker_counters(service->workers[i]);
    r = admin_new(&setup, &service->admin);
    if (r < 0) {
        log_error("cannot start the admin thread: %s", strerror(-r));
        return SERVICE_FAILED;
    }
    return 0;
}

static size_t count_listeners(const struct settings *settings)
{
    size_t n = 0;

    for (enum listener listener = 0; listener < LISTENER_COUNT; listener++)
        n += settings->listeners[listener].enabled;
    return n;
}

static void share_descriptors(struct service *service)
{
    const struct settings *settings = &service->config->settings;
    size_t share = fd_limit_share(count_listeners(settings), settings->threads);

    service->setup.connections_max = share;
    if (share < FD_LIMIT_SHARE_MAX)
        log_warning("the limit of open files allows %zu connections to each listener, fewer than "
                    "%d",
                    share, FD_LIMIT_SHARE_MAX);
}

static int start(struct service *service, const char *config_path, struct diagnostics *diagnostics)
{
    int r = notify_new(&service->setup.notify);

    r = r ? r : status_new(service->setup.notify, &service->status);
    if (r)
        return r;
    service->config_path = strdup(config_path);
    if (!service->config_path)
        return -ENOMEM;
    if (load(config_path, diagnostics, &service->config))
        return SERVICE_FAILED;
    service->published = snapshot_ref(service->config->snapshot);
    r = notify_prepare(service->setup.notify, service->published);
    if (r)
        return r;
    notify_adopt(service->setup.notify);
    service->setup.settings = &service->config->settings;
    share_descriptors(service);
    r = listeners_new(service->setup.settings, &service->setup.listeners);
    if (r)
        return r < 0 ? r : SERVICE_FAILED;
    return start_workers(service);
}

static void log_held(const struct snapshot *snapshot)
{
    CLEANUP(buffer_deinit) struct buffer names = BUFFER_INIT;

    if (snapshot_n_held(snapshot) == 0)
        return;
    certificates_name_held(snapshot, &names);
    log_warning("held back, having no certificate: %zu: %.*s", snapshot_n_held(snapshot),
                (int)names.length, names.data);
}

int service_new(const char *config_path, struct service **out)
{
    CLEANUP(diagnostics_deinit) struct diagnostics diagnostics = DIAGNOSTICS_INIT;
    struct service *service = calloc(1, sizeof(*service));
    struct timespec begin;
    int r;

    if (!service)
        return -ENOMEM;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    r = start(service, config_path, &diagnostics);
    if (r == 0) {
        status_set_snapshot(service->status, service->published);
        status_set_applied(service->status, &diagnostics, seconds_since(&begin));
        status_set_serving(service->status, true);
        r = start_admin(service);
    }
    if (r) {
        service_free(service);
        return r;
    }
    malloc_trim(0);
    log_info("serving %zu policies, %zu domains, after %.0f ms",
             snapshot_n_policies(service->config->snapshot),
             snapshot_n_domains(service->config->snapshot), seconds_since(&begin) * 1e3);
    log_held(service->published);
    *out = service;
    return 0;
}

/* Has all threads adopt a snapshot, whose reference it takes over, at the same time. */
static void publish(struct service *service, struct snapshot *snapshot)
{
    for (size_t i = 0; i < service->n_workers; i++)
        worker_hand_over(service->workers[i], snapshot);
    for (size_t i = 0; i < service->n_workers; i++)
        worker_wait_adopted(service->workers[i]);
    notify_adopt(service->setup.notify);
    snapshot_unref(service->published);
    service->published = snapshot;
    status_set_snapshot(service->status, snapshot);
}

/* Logs which ids wait to be announced, and shows it in the status. */
static void show_waiting(const struct service *service)
{
    CLEANUP(buffer_deinit) struct buffer ids = BUFFER_INIT, json = BUFFER_INIT;
    int64_t now = milliseconds();

    announcements_describe(&service->announcements, service->config->snapshot, now, &ids);
    announcements_write_json(&service->announcements, service->config->snapshot, now, time(NULL),
                             &json);
    status_set_waiting(service->status, buffer_text(&json));
    if (ids.length)
        log_info("%.*s", (int)ids.length, ids.data);
}

static void warn_of_id(const struct policy *policy, void *context)
{
    (void)context;
    log_warning(
        "the policy body of %s changed while its id stayed %s, so senders keep the old one; "
        "set another id, or auto",
        policy->primary.data, policy->id.data);
}

static void warn_of_fixed(const struct settings *before, const struct settings *after)
{
    CLEANUP(buffer_deinit) struct buffer keys = BUFFER_INIT;

    reload_name_fixed(before, after, &keys);
    if (keys.length)
        log_warning("reload: %.*s changed, which takes a restart; the rest is applied",
                    (int)keys.length, keys.data);
}

static void warn_of_serials(const struct config *config)
{
    CLEANUP(buffer_deinit) struct buffer text = BUFFER_INIT;

    reload_check_serials(config, &text);
    if (text.length)
        log_warning("reload: %.*s", (int)text.length, text.data);
}

/* Makes what is to be answered from: of a loaded snapshot, but for ids that wait. Returns 0 or
 * -ENOMEM; then nothing has changed. */
static int prepare(struct service *service, const struct announcements *announcements,
                   struct snapshot *loaded, struct snapshot **out)
{
    struct snapshot *published;
    int r =
        announcements_apply(announcements, loaded, service->published, milliseconds(), &published);

    if (r)
        return r;
    r = notify_prepare(service->setup.notify, published);
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
    struct snapshot *loaded = config->snapshot, *published;
    int r;

    r = announcements_plan(&service->announcements, service->published, loaded, milliseconds(),
                           &announcements);
    r = r ? r : snapshot_set_serials(loaded, service->published, config->newest);
    r = r ? r : prepare(service, &announcements, loaded, &published);
    if (r)
        return r;
    warn_of_fixed(&service->config->settings, &config->settings);
    reload_check_ids(service->published, loaded, warn_of_id, NULL);
    warn_of_serials(config);
    reload_describe(service->published, published, changes);
    publish(service, published);
    config->snapshot = service->config->snapshot;
    service->config->snapshot = loaded;
    announcements_deinit(&service->announcements);
    service->announcements = announcements;
    announcements = ANNOUNCEMENTS_INIT;
    return 0;
}

void service_reload(struct service *service)
{
    CLEANUP(buffer_deinit) struct buffer changes = BUFFER_INIT;
    CLEANUP(diagnostics_deinit) struct diagnostics diagnostics = DIAGNOSTICS_INIT;
    struct config *config = NULL;
    struct timespec begin;
    int r;

    clock_gettime(CLOCK_MONOTONIC, &begin);
    r = load(service->config_path, &diagnostics, &config);
    r = r ? r : adopt(service, config, &changes);
    config_free(config);
    if (r) {
        status_set_refused(service->status, &diagnostics, r < 0 ? strerror(-r) : NULL,
                           seconds_since(&begin));
        log_error("reload: refused, everything stays as it was");
        return;
    }
    status_set_applied(service->status, &diagnostics, seconds_since(&begin));
    malloc_trim(0);
    log_held(service->published);
    show_waiting(service);
    log_info("reload: %.*s, in %.0f ms", (int)changes.length, changes.data,
             seconds_since(&begin) * 1e3);
}

bool service_check(struct service *service)
{
    bool alive = true;

    for (size_t i = 0; i < service->n_workers; i++)
        if (!worker_is_alive(service->workers[i])) {
            log_error("thread %zu does not answer", i);
            alive = false;
        }
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
    int64_t due = announcements_next(&service->announcements), now = milliseconds();

    if (due == INT64_MAX)
        return -1;
    return due > now ? due - now : 0;
}

void service_announce(struct service *service)
{
    CLEANUP(buffer_deinit) struct buffer ids = BUFFER_INIT;
    struct snapshot *published;
    int64_t now = milliseconds();

    if (announcements_next(&service->announcements) > now)
        return;
    if (prepare(service, &service->announcements, service->config->snapshot, &published)) {
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
    for (size_t i = 0; i < service->n_workers; i++)
        worker_stop(service->workers[i]);
    admin_free(service->admin);
    while (service->n_workers)
        worker_free(service->workers[--service->n_workers]);
    unix_balancer_free(service->setup.dealer);
    listeners_free(service->setup.listeners);
    announcements_deinit(&service->announcements);
    snapshot_unref(service->published);
    status_free(service->status);
    notify_free(service->setup.notify);
    config_free(service->config);
    free(service->config_path);
    free(service);
}
