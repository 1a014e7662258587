#include "service/workers.h"

#include "base/number.h"
#include "net/stream.h"
#include "os/log.h"

#include <errno.h>

struct workers {
    struct unix_balancer *balancer; /* NULL: the unix socket is off */
    struct stream_places places[LISTENER_COUNT];
    struct worker *items[CONFIG_THREADS_MAX];
    size_t n;
};

DEFINE_CLEANUP(struct workers *, workers_free)

/* Goes on with the connections of the process before. */
static void take_over(struct workers *workers, struct handover *handover)
{
    size_t n = 0, n_closed = 0;

    while (handover->n) {
        if (unix_balancer_add(workers->balancer, handover->fds[--handover->n]))
            n++;
        else
            n_closed++;
    }
    if (n)
        log_info("goes on with %s to the unix socket",
                 number_of(n, "connection", "connections").text);
    if (n_closed)
        log_warning("closed %s to the unix socket that the service manager kept: no room",
                    number_of(n_closed, "connection", "connections").text);
}

int workers_new(const struct worker_setup *setup, struct snapshot *snapshot, struct workers **out)
{
    CLEANUP(workers_free_pointer) struct workers *workers = calloc(1, sizeof(*workers));
    const struct settings *settings = setup->settings;
    struct worker_setup own = *setup;
    int r = 0;

    if (!workers)
        return -ENOMEM;
    if (settings->listeners[LISTENER_UNIX].enabled)
        r = unix_balancer_new(settings->threads, setup->connections_max / settings->threads,
                              &workers->balancer);
    if (r < 0) {
        log_error("cannot make pipes to the threads: %s", strerror(-r));
        return REPORTED;
    }
    if (workers->balancer)
        take_over(workers, listeners_handover(setup->listeners));
    own.balancer = workers->balancer;
    own.places = workers->places;
    for (enum listener listener = 0; listener < LISTENER_COUNT; listener++)
        workers->places[listener] = (struct stream_places){
            .max = setup->connections_max,
            .share = setup->connections_max / settings->threads,
        };
    while (workers->n < settings->threads) {
        r = worker_new(&own, workers->n, snapshot, &workers->items[workers->n]);
        if (r < 0) {
            log_error("cannot start a thread: %s", strerror(-r));
            return REPORTED;
        }
        workers->n++;
    }
    *out = workers;
    workers = NULL;
    return 0;
}

void workers_adopt(struct workers *workers, struct snapshot *snapshot)
{
    for (size_t i = 0; i < workers->n; i++)
        worker_hand_over(workers->items[i], snapshot);
    for (size_t i = 0; i < workers->n; i++)
        worker_wait_adopted(workers->items[i]);
}

bool workers_are_alive(struct workers *workers)
{
    bool alive = true;

    for (size_t i = 0; i < workers->n; i++)
        if (!worker_is_alive(workers->items[i])) {
            log_error("thread %zu does not answer", i);
            alive = false;
        }
    return alive;
}

size_t workers_counters(const struct workers *workers,
                        const struct counters *out[CONFIG_THREADS_MAX])
{
    for (size_t i = 0; i < workers->n; i++)
        out[i] = worker_counters(workers->items[i]);
    return workers->n;
}

/* Tells all threads to stop, without waiting; see worker_stop. */
static void stop_all(struct workers *workers)
{
    /* Connections wait in the socket, perhaps for the next service, instead of being passed on to a
     * thread that has ended. */
    if (workers->balancer)
        unix_balancer_close(workers->balancer);
    for (size_t i = 0; i < workers->n; i++)
        worker_stop(workers->items[i]);
}

/* The last one deals the connections of the unix socket, so it ends first. */
void workers_end(struct workers *workers)
{
    struct handover left = {0};
    int fd;

    if (!workers)
        return;
    stop_all(workers);
    for (size_t i = workers->n; i-- > 0;) {
        struct worker *worker = workers->items[i];

        worker_join(worker);
        while (left.n < HANDOVER_MAX && (fd = worker_release(worker)) >= 0)
            left.fds[left.n++] = fd;
        worker_close(worker);
    }
    handover_leave(&left);
}

void workers_free(struct workers *workers)
{
    if (!workers)
        return;
    workers_end(workers);
    while (workers->n)
        worker_free(workers->items[--workers->n]);
    unix_balancer_free(workers->balancer);
    free(workers);
}
