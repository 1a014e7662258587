#include "service/service.h"

#include "admin/admin.h"
#include "base/number.h"
#include "net/http.h"
#include "os/clock.h"
#include "os/fd_limit.h"
#include "os/log.h"
#include "os/state_directory.h"
#include "protocol/jansson_alloc.h"
#include "service/announcements.h"
#include "service/keeper.h"
#include "service/listeners.h"
#include "service/load.h"
#include "service/reload.h"
#include "service/retirement.h"
#include "service/signals.h"
#include "service/workers.h"

#include <errno.h>
#include <jansson.h>
#include <malloc.h>
#include <sys/random.h>

enum {
    RETRY_MILLISECONDS = 1000, /* after an id could not be announced for want of memory */
    LARGE_BLOCK = 128 << 10,   /* bytes */
};

struct service {
    char *config_path;
    uint64_t seed;                      /* of the domain tables */
    struct config *config;              /* of the start, for its settings */
    struct snapshot *loaded;            /* what the configuration last said */
    struct glob_set matched;            /* the globs that matched then */
    struct snapshot *published;         /* what the threads answer from */
    int64_t lost;                       /* by what was published last (retirement_lost) */
    struct announcements announcements; /* the ids in which the two differ */
    struct state_clock clock;
    bool expired; /* the time of domains that retire was over at the last look */
    struct notify *notify;
    struct status *status;
    struct listeners *listeners;
    struct workers *workers; /* NULL: the first load has not ended */
    struct admin *admin;
    const char *state_directory; /* NULL: there is no state */
    struct keeper *keeper;       /* the same */
    struct load *load;           /* NULL: none runs */
};

DEFINE_CLEANUP(struct service *, service_free)

void service_init(void)
{
    signals_block();
    fd_limit_raise();
    jansson_alloc_init();
    json_object_seed(0);
    /* What a load allocates comes from its thread's part of the heap, whose end malloc_trim does
     * not give back. Large blocks of their own go back when they are freed. */
    mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK);
}

static double seconds_since(uint64_t begun)
{
    return (double)(clock_monotonic_ns() - begun) / 1e9;
}

static void log_held_back(const struct service *service, const struct buffer *names)
{
    if (names->length)
        log_warning("held back, having no certificate: %zu: %.*s",
                    snapshot_n_held(service->published), (int)names->length, names->data);
}

/* Gives each listener its share of the limit of open files. */
static size_t share_descriptors(const struct settings *settings)
{
    size_t share = fd_limit_share(listeners_count(settings), settings->threads);

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

/* Begins a load, of the configuration at a path, or without one of what is due now. */
static int begin_load(struct service *service, const char *path, int64_t now)
{
    const struct load_setup setup = {
        .path = path,
        .seed = service->seed,
        .loaded = service->loaded,
        .now = now,
        .clock = &service->clock,
        .settings = service->config ? &service->config->settings : NULL,
        .published = service->published,
        .announcements = &service->announcements,
        .matched = &service->matched,
        .notify = service->notify,
        .keeper = service->keeper,
        .directory = service->state_directory,
        .ended = signals_tell_loaded,
    };
    int r = load_new(&setup, &service->load);

    if (r < 0)
        log_error("cannot start a thread that loads: %s", strerror(-r));
    return r;
}

int service_new(const char *config_path, struct service **out)
{
    CLEANUP(service_free_pointer) struct service *service = calloc(1, sizeof(*service));
    int r;

    if (!service)
        return -ENOMEM;
    service->config_path = strdup(config_path);
    if (!service->config_path)
        return -ENOMEM;
    if (getrandom(&service->seed, sizeof(service->seed), 0) < 0)
        log_warning("cannot get a random seed: %s", strerror(errno));
    r = notify_new(&service->notify);
    if (r)
        return r;
    r = status_new(service->notify, &service->status);
    if (r)
        return r;
    r = begin_load(service, service->config_path, 0);
    if (r)
        return r;
    *out = service;
    service = NULL;
    return 0;
}

/* The same moment on the clocks of the state. */
static struct memory_clock state_now(const struct service *service)
{
    return (struct memory_clock){
        .time = state_clock_time(&service->clock, clock_boot_ms()),
        .ahead = service->clock.ahead,
        .now = clock_monotonic_ms(),
    };
}

/* Has the zones be notified of domains that have got their certificate: their serial is still that
 * of their policy, of which they may have been notified before they were held back. */
static void notify_released(struct service *service, const struct domain_changes *changes)
{
    for (size_t i = 0; i < changes->n; i++) {
        const struct domain_change *change = &changes->items[i];
        struct domain domain;
        struct zone zone;

        if (!change->was_there || !change->before.held ||
            !snapshot_find(service->published, change->name, &domain) ||
            !domain_has_zone(&domain, OWNER_MTA_STS))
            continue;
        snapshot_domain_zone(service->published, &domain, OWNER_MTA_STS, &zone);
        notify_set(service->notify, zone.id, 0);
    }
}

/* Has all threads, if there are any yet, answer from the snapshot of a load. What is loaded and
 * waits is that of the same load already. */
static void publish(struct service *service, struct load_result *result)
{
    struct snapshot *snapshot = result->published;

    result->published = NULL;
    service->lost =
        retirement_lost(service->published, snapshot, &result->domains, state_now(service).time);
    if (service->workers)
        workers_adopt(service->workers, snapshot);
    notify_adopt(service->notify);
    snapshot_unref(service->published);
    service->published = snapshot;
    notify_released(service, &result->domains);
    status_set_snapshot(service->status, snapshot,
                        announcements_show(&service->announcements, service->loaded,
                                           clock_monotonic_ms(), time(NULL)));
}

/* Has what is published now written into the state. */
static void keep(struct service *service, struct load_result *result)
{
    const struct memory_clock now = state_now(service);

    keeper_publish(service->keeper, service->published, &result->past, service->lost, &now);
}

/* Logs which domains are retiring, and until when. */
static void log_retiring(const struct service *service)
{
    CLEANUP(buffer_deinit) struct buffer names = BUFFER_INIT;

    retirement_describe(service->published, service->clock.ahead, &names);
    if (names.length)
        log_info("retiring: %.*s", (int)names.length, names.data);
}

/* Logs which ids wait to be announced. */
static void log_waiting(const struct service *service)
{
    CLEANUP(buffer_deinit) struct buffer ids = BUFFER_INIT;

    announcements_describe(&service->announcements, service->loaded, clock_monotonic_ms(), &ids);
    if (ids.length)
        log_info("%.*s", (int)ids.length, ids.data);
}

/* Publishes the configuration that a load has read. */
static void adopt(struct service *service, struct load_result *result)
{
    snapshot_unref(service->loaded);
    service->loaded = result->loaded;
    result->loaded = NULL;
    glob_set_deinit(&service->matched);
    service->matched = result->config->matched;
    result->config->matched = GLOB_SET_INIT;
    announcements_deinit(&service->announcements);
    service->announcements = result->announcements;
    result->announcements = ANNOUNCEMENTS_INIT;
    service->seed = result->seed;
    status_set_syncs(service->status, config_has_sync(result->config));
    publish(service, result);
    keep(service, result);
}

/* Begins to keep the state, if there is a place for it. */
static int start_keeper(struct service *service, const struct settings *settings, int64_t writer)
{
    int r;

    service->state_directory = state_directory(settings->state);
    if (!service->state_directory)
        return 0;
    r = keeper_new(service->state_directory, writer, service->notify, service->status,
                   &service->keeper);
    if (r < 0)
        log_error("cannot start the thread that writes the state: %s", strerror(-r));
    return r ? REPORTED : 0;
}

/* Opens the listeners and starts the threads after the first load. Returns 0, REPORTED or -ENOMEM.
 */
static int start(struct service *service, struct load_result *result)
{
    const struct settings *settings = &result->config->settings;
    struct worker_setup setup = {
        .settings = settings,
        .notify = service->notify,
        .order_reload = signals_order_reload,
    };
    int r;

    service->clock = result->clock;
    status_set_ahead(service->status, service->clock.ahead);
    adopt(service, result);
    service->config = result->config;
    result->config = NULL;
    r = start_keeper(service, settings, result->writer);
    if (r)
        return r;
    setup.connections_max = share_descriptors(settings);
    r = listeners_new(settings, &service->listeners);
    if (r)
        return r;
    setup.listeners = service->listeners;
    r = workers_new(&setup, service->published, &service->workers);
    if (r)
        return r;
    status_set_applied(service->status, &result->diagnostics, seconds_since(result->begun));
    status_set_serving(service->status, true);
    r = start_admin(service, setup.connections_max);
    if (r)
        return r;
    keep(service, result);
    load_settle(service->load);
    malloc_trim(0);
    log_info("serving %s, %s, after %.0f ms",
             number_of(snapshot_n_policies(service->loaded), "policy", "policies").text,
             number_of(snapshot_n_domains(service->loaded), "domain", "domains").text,
             seconds_since(result->begun) * 1e3);
    log_held_back(service, &result->held);
    log_waiting(service);
    log_retiring(service);
    return 0;
}

static void refuse_reload(struct service *service, const struct diagnostics *diagnostics, int r,
                          uint64_t begun)
{
    status_set_refused(service->status, diagnostics, r < 0 ? strerror(-r) : NULL,
                       seconds_since(begun));
    log_error("reload: refused, everything stays as it was");
}

static void apply_reload(struct service *service, struct load_result *result)
{
    adopt(service, result);
    status_set_applied(service->status, &result->diagnostics, seconds_since(result->begun));
    malloc_trim(0);
    log_held_back(service, &result->held);
    log_waiting(service);
    log_retiring(service);
    log_info("reload: %.*s, in %.0f ms", (int)result->changes.length, result->changes.data,
             seconds_since(result->begun) * 1e3);
}

void service_begin_reload(struct service *service)
{
    const struct diagnostics none = DIAGNOSTICS_INIT;
    int r = begin_load(service, service->config_path, 0);

    if (r)
        refuse_reload(service, &none, r, clock_monotonic_ns());
}

void service_announce(struct service *service)
{
    int64_t now = clock_monotonic_ms();

    if (service->load || (announcements_next(&service->announcements) > now && !service->expired))
        return;
    if (begin_load(service, NULL, now))
        announcements_defer_due(&service->announcements, now, now + RETRY_MILLISECONDS);
    service->expired = false;
}

/* Publishes what was due when a load began, or has it wait on. */
static void end_announcement(struct service *service, struct load_result *result)
{
    bool is_remade = result->loaded;

    if (result->r) {
        announcements_defer_due(&service->announcements, result->now,
                                result->now + RETRY_MILLISECONDS);
        return;
    }
    announcements_drop_due(&service->announcements, result->now);
    if (is_remade) {
        snapshot_unref(service->loaded);
        service->loaded = result->loaded;
        result->loaded = NULL;
    }
    publish(service, result);
    if (is_remade)
        malloc_trim(0);
    keep(service, result);
    log_waiting(service);
    if (result->changes.length)
        log_info("announced now: %.*s", (int)result->changes.length, result->changes.data);
    if (result->retired.length)
        log_info("retired, and gone: %.*s", (int)result->retired.length, result->retired.data);
}

bool service_is_loading(const struct service *service)
{
    return service->load;
}

bool service_has_loaded(const struct service *service)
{
    return service->load && load_has_ended(service->load);
}

int service_end_load(struct service *service, int64_t *processor_ms)
{
    struct load_result *result = load_wait(service->load);
    int64_t begin = clock_thread_ms(), used = result->processor_ms;
    int r = 0;

    if (result->now)
        end_announcement(service, result);
    else if (!service->config)
        r = result->r ? REPORTED : start(service, result);
    else if (result->r)
        refuse_reload(service, &result->diagnostics, result->r, result->begun);
    else
        apply_reload(service, result);
    load_free(service->load);
    service->load = NULL;
    *processor_ms = used + clock_thread_ms() - begin;
    return r;
}

/* Looks at the clock: it may have been set, and the time of retiring domains may be over. */
static void look_at_clock(struct service *service)
{
    int64_t step = state_clock_look(&service->clock, clock_system_ms(), clock_boot_ms());
    struct memory_clock now = state_now(service);

    if (step)
        log_warning("the clock was set %s by %lld s: domains retire as long as before",
                    step < 0 ? "back" : "forward", (long long)(step < 0 ? -step : step));
    keeper_tell_time(service->keeper, &now);
    status_set_ahead(service->status, now.ahead);
    service->expired = snapshot_first_until(service->loaded) <= now.time;
}

bool service_check(struct service *service)
{
    bool alive;

    if (!service->workers)
        return true;
    look_at_clock(service);
    alive = workers_are_alive(service->workers);
    status_set_serving(service->status, alive);
    return alive;
}

void service_describe(const struct service *service, struct buffer *out)
{
    CLEANUP(status_view_deinit) struct status_view view;

    status_read(service->status, &view);
    buffer_printf(out, "Serving %s, %s%s",
                  number_of(snapshot_n_policies(view.snapshot), "policy", "policies").text,
                  number_of(snapshot_n_domains(view.snapshot), "domain", "domains").text,
                  view.reload.refused ? "; the last reload was refused, see the log" : "");
}

int64_t service_next_announcement(const struct service *service)
{
    int64_t due = announcements_next(&service->announcements), now = clock_monotonic_ms();

    if (due == INT64_MAX || service->load)
        return -1;
    return due > now ? due - now : 0;
}

/* What threads that did not end in time still use: nobody frees it, and it is no leak. */
static struct service *volatile left_alone;

void service_free(struct service *service)
{
    bool kept, shown;

    if (!service)
        return;
    if (service->status)
        status_set_serving(service->status, false);
    load_cancel(service->load);
    /* Queries are answered while these two take their time. */
    kept = keeper_stop(service->keeper);
    shown = admin_stop(service->admin);
    workers_end(service->workers);
    if (shown) {
        admin_free(service->admin);
        workers_free(service->workers);
    }
    listeners_free(service->listeners);
    if (!load_free(service->load) || !kept || !shown) {
        left_alone = service;
        return;
    }
    keeper_free(service->keeper);
    announcements_deinit(&service->announcements);
    snapshot_unref(service->published);
    snapshot_unref(service->loaded);
    glob_set_deinit(&service->matched);
    status_free(service->status);
    notify_free(service->notify);
    config_free(service->config);
    free(service->config_path);
    free(service);
}
