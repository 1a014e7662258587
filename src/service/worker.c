#include "service/worker.h"

#include "admin/counters.h"
#include "net/http.h"
#include "os/fd.h"
#include "os/sd_notify.h"
#include "service/policy_http.h"
#include "service/remote.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { DRAIN_INTERVAL_MILLISECONDS = 5 };

struct worker {
    pthread_t thread;
    bool started;
    struct event_base *base;
    struct stream_server *servers[LISTENER_COUNT]; /* NULL: the thread does not serve it */
    struct http_service http[LISTENER_COUNT];
    struct remote remotes[LISTENER_COUNT]; /* of LISTENER_REMOTE and LISTENER_UNIX */
    struct policy_http policy_http;
    struct unix_balancer *balancer; /* NULL: another thread runs it */
    struct snapshot *snapshot;
    struct counters *counters;
    int wake; /* eventfd: look at next and at stop, and count the look */
    struct event *woken;
    struct event *drain; /* a timer that checks whether all connections have ended */
    unsigned int drain_rounds;
    _Atomic(struct snapshot *) next;
    atomic_bool stop;
    sem_t adopted;
    counter wakes;
    uint64_t wakes_seen; /* by worker_is_alive; UINT64_MAX: it was not called yet */
};

DEFINE_CLEANUP(struct worker *, worker_free)

/* Whether any connection has to be waited for. PowerDNS never closes its connections to the unix
 * socket, so of these only the ones that wait for an answer count. */
static bool is_answering(const struct worker *worker)
{
    for (enum listener listener = 0; listener < LISTENER_COUNT; listener++) {
        const struct stream_server *server = worker->servers[listener];

        if (server && (listener == LISTENER_UNIX ? stream_server_is_busy(server)
                                                 : stream_server_connections(server) > 0))
            return true;
    }
    return false;
}

/* Ends the thread once everything is answered, or it took too long. */
static void on_drain(evutil_socket_t fd, short what, void *argument)
{
    struct worker *worker = argument;

    (void)fd;
    (void)what;
    if (!is_answering(worker) || worker->drain_rounds == 0)
        event_base_loopbreak(worker->base);
    else
        worker->drain_rounds--;
}

static const struct timeval drain_interval = {.tv_usec = DRAIN_INTERVAL_MILLISECONDS * 1000L};

static void begin_drain(struct worker *worker)
{
    if (event_pending(worker->drain, EV_TIMEOUT, NULL))
        return;
    if (worker->balancer)
        unix_balancer_stop(worker->balancer);
    for (enum listener listener = 0; listener < LISTENER_COUNT; listener++)
        if (worker->servers[listener])
            stream_server_drain(worker->servers[listener]);
    worker->drain_rounds = WORKER_DRAIN_MILLISECONDS / DRAIN_INTERVAL_MILLISECONDS;
    if (event_add(worker->drain, &drain_interval) < 0)
        worker->drain_rounds = 0;
    on_drain(-1, 0, worker);
}

static void on_wake(evutil_socket_t fd, short what, void *argument)
{
    struct worker *worker = argument;
    struct snapshot *next;
    eventfd_t count;

    (void)what;
    eventfd_read(fd, &count);
    counter_add(&worker->wakes, 1);
    if (atomic_load(&worker->stop))
        begin_drain(worker);
    next = atomic_exchange(&worker->next, NULL);
    if (!next)
        return;
    snapshot_unref(worker->snapshot);
    worker->snapshot = next;
    sem_post(&worker->adopted);
}

static void *run_worker(void *argument)
{
    struct worker *worker = argument;

    pthread_setname_np(pthread_self(), "answers");
    event_base_loop(worker->base, EVLOOP_NO_EXIT_ON_EMPTY);
    return NULL;
}

static struct http_handler remote_handler(struct worker *worker)
{
    return remote_http_handler(&worker->remotes[LISTENER_REMOTE]);
}

static struct http_handler policy_handler(struct worker *worker)
{
    return policy_http_handler(&worker->policy_http, &worker->snapshot);
}

/* How the thread serves its TCP listeners. The admin listener has a thread of its own. */
static struct http_handler (*const tcp_setup[LISTENER_COUNT])(struct worker *worker) = {
    [LISTENER_REMOTE] = remote_handler,
    [LISTENER_POLICY] = policy_handler,
};

/* Connections stay open for further requests; to the remote backend only if the settings say so:
 * PowerDNS loses time on a connection that it uses again. */
static int open_tcp(struct worker *worker, const struct worker_setup *setup, size_t number,
                    enum listener listener)
{
    const struct settings *settings = setup->settings;
    struct http_handler handler = tcp_setup[listener](worker);
    const struct stream_setup stream = {
        .protocol = &http_protocol,
        .context = &worker->http[listener],
        .places = &setup->places[listener],
        .idle_seconds = HTTP_IDLE_SECONDS,
        .counters = &worker->counters->streams[listener],
    };

    http_service_init(&worker->http[listener], &handler,
                      listener != LISTENER_REMOTE || settings->http.keepalive);
    return stream_server_new(worker->base, listeners_socket(setup->listeners, listener, number),
                             &stream, &worker->servers[listener]);
}

/* The last thread accepts all connections, and the balancer gives each to the thread that has the
 * fewest. */
static int open_unix(struct worker *worker, const struct worker_setup *setup, size_t number)
{
    struct unix_balancer *balancer = setup->balancer;
    const struct stream_setup stream = {
        .protocol = &remote_unix_protocol,
        .context = &worker->remotes[LISTENER_UNIX],
        .places = &setup->places[LISTENER_UNIX],
        .counters = &worker->counters->streams[LISTENER_UNIX],
        .keep = sd_notify_has_manager(),
        .take = unix_balancer_take,
    };
    int r = stream_server_new(worker->base, unix_balancer_descriptor(balancer, number), &stream,
                              &worker->servers[LISTENER_UNIX]);

    if (r)
        return r;
    unix_balancer_watch(balancer, number, stream.counters);
    if (number + 1 < setup->settings->threads)
        return 0;
    worker->balancer = balancer;
    return unix_balancer_start(balancer, worker->base,
                               listeners_socket(setup->listeners, LISTENER_UNIX, 0));
}

static int open_listener(struct worker *worker, const struct worker_setup *setup, size_t number,
                         enum listener listener)
{
    worker->remotes[listener] = (struct remote){
        .listener = listener,
        .path = setup->settings->http.path,
        .snapshot = &worker->snapshot,
        .notify = setup->notify,
        .counters = worker->counters,
        .order_reload = setup->order_reload,
    };
    if (!setup->settings->listeners[listener].enabled)
        return 0;
    if (listener == LISTENER_UNIX)
        return open_unix(worker, setup, number);
    return tcp_setup[listener] ? open_tcp(worker, setup, number, listener) : 0;
}

static int prepare_worker(struct worker *worker, const struct worker_setup *setup, size_t number)
{
    int r = 0;

    worker->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (worker->wake < 0)
        return -errno;
    worker->base = stream_base_new();
    worker->counters = counters_new();
    if (!worker->base || !worker->counters)
        return -ENOMEM;
    worker->woken = event_new(worker->base, worker->wake, EV_READ | EV_PERSIST, on_wake, worker);
    worker->drain = event_new(worker->base, -1, EV_PERSIST, on_drain, worker);
    if (!worker->woken || !worker->drain || event_add(worker->woken, NULL) < 0)
        return -ENOMEM;
    /* The first timer of an event base allocates memory. That must not fail when the thread is to
     * end, so it is done now. */
    if (event_add(worker->drain, &drain_interval) < 0)
        return -ENOMEM;
    event_del(worker->drain);
    for (enum listener listener = 0; listener < LISTENER_COUNT && r == 0; listener++)
        r = open_listener(worker, setup, number, listener);
    return r;
}

int worker_new(const struct worker_setup *setup, size_t number, struct snapshot *snapshot,
               struct worker **out)
{
    CLEANUP(worker_free_pointer) struct worker *worker = calloc(1, sizeof(*worker));
    int r;

    if (!worker)
        return -ENOMEM;
    worker->wake = -1;
    worker->wakes_seen = UINT64_MAX;
    worker->snapshot = snapshot_ref(snapshot);
    sem_init(&worker->adopted, 0, 0);
    r = prepare_worker(worker, setup, number);
    if (r)
        return r;
    r = pthread_create(&worker->thread, NULL, run_worker, worker);
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

const struct counters *worker_counters(const struct worker *worker)
{
    return worker->counters;
}

bool worker_is_alive(struct worker *worker)
{
    uint64_t wakes = counter_read(&worker->wakes);
    bool alive = wakes != worker->wakes_seen;

    worker->wakes_seen = wakes;
    eventfd_write(worker->wake, 1);
    return alive;
}

void worker_stop(struct worker *worker)
{
    atomic_store(&worker->stop, true);
    eventfd_write(worker->wake, 1);
}

void worker_join(struct worker *worker)
{
    if (!worker->started)
        return;
    worker_stop(worker);
    pthread_join(worker->thread, NULL);
    worker->started = false;
}

int worker_release(struct worker *worker)
{
    struct stream_server *server = worker->servers[LISTENER_UNIX];

    return server ? stream_server_release(server) : -1;
}

void worker_close(struct worker *worker)
{
    for (enum listener listener = 0; listener < LISTENER_COUNT; listener++) {
        stream_server_free(worker->servers[listener]);
        worker->servers[listener] = NULL;
    }
}

void worker_free(struct worker *worker)
{
    if (!worker)
        return;
    worker_join(worker);
    if (worker->balancer)
        unix_balancer_stop(worker->balancer);
    worker_close(worker);
    for (enum listener listener = 0; listener < LISTENER_COUNT; listener++)
        http_service_deinit(&worker->http[listener]);
    if (worker->woken)
        event_free(worker->woken);
    if (worker->drain)
        event_free(worker->drain);
    if (worker->base)
        event_base_free(worker->base);
    fd_close(&worker->wake);
    sem_destroy(&worker->adopted);
    snapshot_unref(worker->snapshot);
    free(worker->counters);
    free(worker);
}
