/* Ending threads that may hang. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Waits until a thread has set ENDED, the last thing that it does, but no longer than so many
 * milliseconds; then joins it. Returns false if it has not ended: then it is detached, and what it
 * uses must live until the process ends. */
bool thread_join_within(pthread_t thread, const atomic_bool *ended, int64_t milliseconds);
