/* The metrics, in the text format of Prometheus (version 0.0.4). */
#pragma once

#include "admin/counters.h"
#include "admin/status.h"

/* Writes all metrics: the sums of the counters of N threads, and what the status says. Listeners
 * that are off are left out. */
void metrics_write(const struct settings *settings, const struct counters *const *counters,
                   size_t n, const struct status_view *view, struct buffer *out);
