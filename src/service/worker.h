/* A thread that answers queries. It has its own event base, its own connections and counters, and
 * one reference to the current snapshot, so it waits for no other thread. A new snapshot comes
 * through an atomic pointer and an eventfd, and is adopted between two queries: each query is
 * answered from exactly one snapshot. */
#pragma once

#include "config/config.h"
#include "net/unix_balancer.h"
#include "service/listeners.h"
#include "snapshot/notify.h"

struct worker;

/* What the threads of a service have in common; what it points at outlives them. */
struct worker_setup {
    const struct settings *settings;
    struct listeners *listeners;
    struct notify *notify;
    struct unix_balancer *balancer; /* NULL: the unix socket is off */
    size_t connections_max;         /* of each listener, over all threads */
    struct stream_places *places;   /* the same, by listener; made by workers_new */
    void (*order_reload)(void);     /* what to call when a peer orders a reload */
};

/* Starts the thread of a number, from 0, that answers from a snapshot, of which it takes a
 * reference of its own. The thread of the highest number runs the balancer, so threads are freed
 * from the last to the first. Returns 0 or -errno. */
int worker_new(const struct worker_setup *setup, size_t number, struct snapshot *snapshot,
               struct worker **out);

/* Hands a new snapshot to the thread, without waiting. Every hand-over must be followed by
 * worker_wait_adopted before the next. */
void worker_hand_over(struct worker *worker, struct snapshot *snapshot);

/* Waits until the thread answers from the snapshot that was handed over, and has dropped the one
 * before. */
void worker_wait_adopted(struct worker *worker);

/* What the thread counts; it lives as long as the worker. */
const struct counters *worker_counters(const struct worker *worker);

/* Whether the thread has run its event loop since the last call, and asks it to do so again. Always
 * called by the same thread; true for the first time. */
bool worker_is_alive(struct worker *worker);

/* Tells the thread to stop, without waiting. It accepts no more connections, answers on those that
 * it has, for WORKER_DRAIN_MILLISECONDS at most, and ends. */
void worker_stop(struct worker *worker);

enum { WORKER_DRAIN_MILLISECONDS = 500 };

/* Stops the thread and waits for its end. */
void worker_join(struct worker *worker);

/* Takes a connection to the unix socket that the thread, which has ended, has left for the next
 * process. Returns its descriptor, or -1 if there is none. */
int worker_release(struct worker *worker);

/* Closes the connections of the thread, which has ended. Its counters can still be read. */
void worker_close(struct worker *worker);

/* Stops the thread, closing its connections, and frees it; NULL is allowed. */
void worker_free(struct worker *worker);
