/* All the threads that answer. */
#pragma once

#include "service/worker.h"

struct workers;

/* Starts as many threads as the settings say, which answer from a snapshot; what the setup points
 * at outlives them. Returns 0; REPORTED, after an error was logged; or -ENOMEM. */
int workers_new(const struct worker_setup *setup, struct snapshot *snapshot, struct workers **out);

/* Has all threads answer from a snapshot, at the same time. When this returns none answers from the
 * one before. */
void workers_adopt(struct workers *workers, struct snapshot *snapshot);

/* Whether every thread has come by since this was last asked; logs which has not. */
bool workers_are_alive(struct workers *workers);

/* What each thread counts, as long as the workers live. Returns how many there are. */
size_t workers_counters(const struct workers *workers,
                        const struct counters *out[CONFIG_THREADS_MAX]);

/* Stops the threads and waits for them, leaves connections to the unix socket to the service
 * manager, and closes all others. What the threads have counted can still be read. NULL is allowed.
 */
void workers_end(struct workers *workers);

/* Ends the threads, if that was not done, and frees all; NULL is allowed. */
void workers_free(struct workers *workers);
