#include "admin/admin.h"

#include "admin/host_guard.h"
#include "admin/metrics.h"
#include "admin/page.h"
#include "admin/sync_result.h"
#include "admin/verified.h"
#include "net/http.h"
#include "net/pages.h"
#include "os/fd.h"
#include "os/thread.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

enum {
    CONNECTIONS_MAX = 64,
    NICENESS = 10,
    PATIENCE_MILLISECONDS = 1000, /* at the end */
};

#define TEXT_PLAIN "text/plain; charset=utf-8"

struct admin {
    const struct settings *settings;
    struct status *status;
    struct counters *own_counters;
    const struct counters *counters[CONFIG_THREADS_MAX + 1]; /* those of all threads */
    size_t n_counters;
    pthread_t thread;
    atomic_bool ended;
    struct event_base *base;
    struct pages pages;
    struct page_maker maker;
    struct host_guard guard;
    struct http_service service;
    struct stream_server *server;
    struct stream_places places;
    int stop; /* eventfd */
    struct event *stopped;
};

DEFINE_CLEANUP(struct admin *, admin_free)

static void write_metrics_page(void *context, const struct http_request *request,
                               struct http_reply *reply)
{
    CLEANUP(status_view_deinit) struct status_view view = {0};
    CLEANUP(saved_close) struct saved saved;
    const struct admin *admin = context;

    (void)request;
    status_read(admin->status, &view);
    metrics_write(admin->settings, admin->counters, admin->n_counters, &view, &reply->body);
    reply->body.failed |= saved_open(&saved, admin->settings) < 0;
    verified_write_metrics(&saved, &reply->body);
    sync_result_write_metrics(&saved, &view, &reply->body);
}

static void write_status_page(void *context, const struct http_request *request,
                              struct http_reply *reply)
{
    const struct admin *admin = context;

    (void)request;
    reply->rest = status_json_new(admin->status, admin->settings);
    reply->body.failed |= !reply->rest;
}

static void write_health_page(void *context, const struct http_request *request,
                              struct http_reply *reply)
{
    CLEANUP(status_view_deinit) struct status_view view = {0};
    const struct admin *admin = context;

    (void)request;
    status_read(admin->status, &view);
    if (!view.serving)
        reply->status = HTTP_STATUS_SERVICE_UNAVAILABLE;
    buffer_add_string(&reply->body, view.serving ? "serving\n" : "not serving\n");
}

/* Answers, unless it may be another site that asks through somebody's browser. */
static void answer_guarded(struct admin *admin, page_answerer *answer,
                           const struct http_request *request, struct http_reply *reply)
{
    char fault[HOST_GUARD_FAULT_MAX];
    int r = host_guard_check(&admin->guard, request->connection, request->host, fault);

    if (r == 0)
        answer(&admin->maker, request, reply);
    else if (r > 0)
        pages_refuse(&admin->pages, HTTP_STATUS_MISDIRECTED_REQUEST, fault, reply);
    reply->body.failed |= r < 0;
}

static void write_root(void *context, const struct http_request *request, struct http_reply *reply)
{
    answer_guarded(context, page_answer, request, reply);
}

static void write_file(void *context, const struct http_request *request, struct http_reply *reply)
{
    answer_guarded(context, page_answer_file, request, reply);
}

static void write_domains(void *context, const struct http_request *request,
                          struct http_reply *reply)
{
    answer_guarded(context, page_answer_domains, request, reply);
}

static void write_domain(void *context, const struct http_request *request,
                         struct http_reply *reply)
{
    answer_guarded(context, page_answer_domain, request, reply);
}

static const struct page rows[] = {
    {"/", "text/html; charset=utf-8", write_root},
    {"/page.css", "text/css; charset=utf-8", write_file},
    {"/page.js", "text/javascript; charset=utf-8", write_file},
    {"/icon.svg", "image/svg+xml", write_file},
    {"/domains", "application/json", write_domains},
    {"/domain/", "application/json", write_domain},
    {"/metrics", "text/plain; version=0.0.4; charset=utf-8", write_metrics_page},
    {"/status", "application/json", write_status_page},
    {"/healthz", TEXT_PLAIN, write_health_page},
};

static void on_stop(evutil_socket_t fd, short what, void *argument)
{
    struct admin *admin = argument;

    (void)fd;
    (void)what;
    event_base_loopbreak(admin->base);
}

/* On Linux each thread has a niceness of its own; 0 means the calling thread. */
static void *run_admin(void *argument)
{
    struct admin *admin = argument;

    pthread_setname_np(pthread_self(), "admin");
    setpriority(PRIO_PROCESS, 0, NICENESS);
    event_base_loop(admin->base, EVLOOP_NO_EXIT_ON_EMPTY);
    admin->ended = true;
    return NULL;
}

static int start_server(struct admin *admin, const struct admin_setup *setup)
{
    struct http_handler handler = pages_handler(&admin->pages);
    struct stream_setup stream = {
        .protocol = &http_protocol,
        .context = &admin->service,
        .places = &admin->places,
        .idle_seconds = HTTP_IDLE_SECONDS,
        .counters = &admin->own_counters->streams[LISTENER_ADMIN],
    };

    admin->places.max = CONNECTIONS_MAX;
    if (setup->connections_max < CONNECTIONS_MAX)
        admin->places.max = setup->connections_max;
    admin->places.share = admin->places.max;
    admin->pages = (struct pages){
        .rows = rows,
        .n = ARRAY_LENGTH(rows),
        .content_type = TEXT_PLAIN,
        .not_found =
            "there is nothing but /, /domains, /domain/NAME, /metrics, /status and /healthz",
        .context = admin,
    };
    http_service_init(&admin->service, &handler, true);
    return stream_server_new(admin->base, setup->listening, &stream, &admin->server);
}

static int prepare_admin(struct admin *admin, const struct admin_setup *setup)
{
    admin->stop = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (admin->stop < 0)
        return -errno;
    admin->base = stream_base_new();
    admin->own_counters = counters_new();
    if (!admin->base || !admin->own_counters)
        return -ENOMEM;
    for (size_t i = 0; i < setup->n_counters; i++)
        admin->counters[i] = setup->counters[i];
    admin->counters[setup->n_counters] = admin->own_counters;
    admin->n_counters = setup->n_counters + 1;
    admin->stopped = event_new(admin->base, admin->stop, EV_READ, on_stop, admin);
    if (!admin->stopped || event_add(admin->stopped, NULL) < 0)
        return -ENOMEM;
    return start_server(admin, setup);
}

int admin_new(const struct admin_setup *setup, struct admin **out)
{
    CLEANUP(admin_free_pointer) struct admin *admin = calloc(1, sizeof(*admin));
    int r;

    if (!admin)
        return -ENOMEM;
    admin->stop = -1;
    admin->settings = setup->settings;
    admin->status = setup->status;
    admin->maker = (struct page_maker){.settings = setup->settings, .status = setup->status};
    r = host_guard_init(&admin->guard);
    if (r)
        return r;
    r = prepare_admin(admin, setup);
    if (r)
        return r;
    r = pthread_create(&admin->thread, NULL, run_admin, admin);
    if (r)
        return -r;
    *out = admin;
    admin = NULL;
    return 0;
}

bool admin_stop(struct admin *admin)
{
    if (!admin)
        return true;
    eventfd_write(admin->stop, 1);
    return thread_join_within(admin->thread, &admin->ended, PATIENCE_MILLISECONDS);
}

void admin_free(struct admin *admin)
{
    if (!admin)
        return;
    stream_server_free(admin->server);
    http_service_deinit(&admin->service);
    if (admin->stopped)
        event_free(admin->stopped);
    if (admin->base)
        event_base_free(admin->base);
    fd_close(&admin->stop);
    free(admin->own_counters);
    free(admin);
}
