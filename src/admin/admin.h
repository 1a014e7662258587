/* The admin listener: /metrics, /status and /healthz over HTTP, for monitoring, a page for people,
 * and JSON about domains. It has a thread of its own, of lower priority, that reads the counters of
 * the answering threads without their help. So no request to it delays an answer. */
#pragma once

#include "admin/counters.h"
#include "admin/status.h"

struct admin;

struct admin_setup {
    const struct settings *settings;
    int listening; /* stays the caller's */
    size_t connections_max;
    struct status *status;
    const struct counters *counters[CONFIG_THREADS_MAX]; /* of the answering threads */
    size_t n_counters;
};

/* Starts the thread. What the setup points at must outlive it. Returns 0 or -errno. */
int admin_new(const struct admin_setup *setup, struct admin **out);

/* Ends the thread; NULL is allowed. Returns false if it has not ended after a second: it reads the
 * state, whose disk may hang. Then admin_free must not be called, and what the setup points at must
 * live until the process ends. */
bool admin_stop(struct admin *admin);

/* Closes the connections, and frees all, after admin_stop; NULL is allowed. */
void admin_free(struct admin *admin);
