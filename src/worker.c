#include "worker.h"

#include "http.h"
#include "listener.h"
#include "policy_http.h"
#include "remote_http.h"
#include "remote_unix.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* One of the thread's TCP listeners. */
struct tcp {
    struct http_service service;
    struct stream_server *server;
};

struct worker {
    pthread_t thread;
    bool started;
    struct event_base *base;
    struct tcp tcp[TCP_COUNT];
    struct remote_http remote_http;
    struct policy_http policy_http;
    struct remote_unix remote_unix;
    struct stream_server *unix_socket;
    struct snapshot *snapshot;
    int wake; /* eventfd: there is a new snapshot, or an order to stop */
    struct event *woken;
    _Atomic(struct snapshot *) next;
    atomic_bool stop;
    sem_t adopted;
};

static void on_wake(evutil_socket_t fd, short what, void *argument)
{
    struct worker *worker = argument;
    struct snapshot *next;
    eventfd_t count;

    (void)what;
    eventfd_read(fd, &count);
    if (atomic_load(&worker->stop))
        event_base_loopbreak(worker->base);
    next = atomic_exchange(&worker->next, NULL);
    if (!next)
        return;
    snapshot_unref(worker->snapshot);
    worker->snapshot = next;
    sem_post(&worker->adopted);
}

static void *run(void *argument)
{
    struct worker *worker = argument;

    pthread_setname_np(pthread_self(), "answers");
    event_base_loop(worker->base, EVLOOP_NO_EXIT_ON_EMPTY);
    return NULL;
}

/* What a TCP listener serves. */

static void serve_remote(struct worker *worker, const struct settings *settings,
                         struct http_service *service)
{
    struct http_handler handler = remote_http_handler(&worker->remote_http);

    worker->remote_http.path = settings->http.path;
    worker->remote_http.snapshot = &worker->snapshot;
    http_service_init(service, &handler, settings->http.keepalive);
}

/* Web servers keep their connections to what is behind them. */
static void serve_policies(struct worker *worker, const struct settings *settings,
                           struct http_service *service)
{
    struct http_handler handler = policy_http_handler(&worker->policy_http);

    (void)settings;
    worker->policy_http.snapshot = &worker->snapshot;
    http_service_init(service, &handler, true);
}

static void (*const serve[TCP_COUNT])(struct worker *worker, const struct settings *settings,
                                      struct http_service *service) = {
    [TCP_HTTP] = serve_remote,
    [TCP_POLICY] = serve_policies,
};

static int open_tcp(struct worker *worker, const struct worker_setup *setup, size_t number,
                    enum tcp_listener listener)
{
    const struct settings *settings = setup->settings;
    struct tcp *tcp = &worker->tcp[listener];
    struct stream_setup stream = {
        .protocol = &http_protocol,
        .context = &tcp->service,
        .connections_max = HTTP_CONNECTIONS_MAX / settings->threads,
        .idle_seconds = HTTP_IDLE_SECONDS,
    };

    if (!settings->tcp[listener].enabled)
        return 0;
    serve[listener](worker, settings, &tcp->service);
    return stream_server_new(worker->base, setup->tcp[listener][number], &stream, &tcp->server);
}

static int open_unix(struct worker *worker, const struct worker_setup *setup)
{
    struct stream_setup stream = {
        .protocol = &remote_unix_protocol,
        .context = &worker->remote_unix,
        .connections_max = REMOTE_UNIX_CONNECTIONS_MAX / setup->settings->threads,
    };

    if (!setup->settings->unix_socket.enabled)
        return 0;
    worker->remote_unix.snapshot = &worker->snapshot;
    return stream_server_new(worker->base, setup->unix_socket, &stream, &worker->unix_socket);
}

/* An event base that only its own thread touches needs no locks. */
static struct event_base *new_base(void)
{
    struct event_config *config = event_config_new();
    struct event_base *base = NULL;

    if (config && event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK) == 0)
        base = event_base_new_with_config(config);
    if (config)
        event_config_free(config);
    return base;
}

static int prepare(struct worker *worker, const struct worker_setup *setup, size_t number)
{
    int r = 0;

    worker->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (worker->wake < 0)
        return -errno;
    worker->base = new_base();
    if (!worker->base)
        return -ENOMEM;
    worker->woken = event_new(worker->base, worker->wake, EV_READ | EV_PERSIST, on_wake, worker);
    if (!worker->woken || event_add(worker->woken, NULL) < 0)
        return -ENOMEM;
    for (enum tcp_listener listener = 0; listener < TCP_COUNT && r == 0; listener++)
        r = open_tcp(worker, setup, number, listener);
    return r ? r : open_unix(worker, setup);
}

static void free_worker(struct worker **worker)
{
    worker_free(*worker);
}

int worker_new(const struct worker_setup *setup, size_t number, struct snapshot *snapshot,
               struct worker **out)
{
    CLEANUP(free_worker) struct worker *worker = calloc(1, sizeof(*worker));
    int r;

    if (!worker)
        return -ENOMEM;
    worker->wake = -1;
    worker->snapshot = snapshot_ref(snapshot);
    sem_init(&worker->adopted, 0, 0);
    r = prepare(worker, setup, number);
    if (r)
        return r;
    r = pthread_create(&worker->thread, NULL, run, worker);
    if (r)
        return -r;
    worker->started = true;
    *out = worker;
    worker = NULL;
    return 0;
}

void worker_hand_over(struct worker *worker, struct snapshot *snapshot)
{
    atomic_store(&worker->next, snapshot_ref(snapshot));
    eventfd_write(worker->wake, 1);
}

void worker_wait_adopted(struct worker *worker)
{
    while (sem_wait(&worker->adopted) < 0 && errno == EINTR)
        ;
}

void worker_free(struct worker *worker)
{
    if (!worker)
        return;
    if (worker->started) {
        atomic_store(&worker->stop, true);
        eventfd_write(worker->wake, 1);
        pthread_join(worker->thread, NULL);
    }
    for (enum tcp_listener listener = 0; listener < TCP_COUNT; listener++) {
        stream_server_free(worker->tcp[listener].server);
        http_service_deinit(&worker->tcp[listener].service);
    }
    stream_server_free(worker->unix_socket);
    if (worker->woken)
        event_free(worker->woken);
    if (worker->base)
        event_base_free(worker->base);
    close_descriptor(&worker->wake);
    sem_destroy(&worker->adopted);
    snapshot_unref(worker->snapshot);
    free(worker);
}
