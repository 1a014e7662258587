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

/* Stops the thread, closing its connections, and frees it; NULL is allowed. */
void admin_free(struct admin *admin);
