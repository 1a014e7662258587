/* The signals that the main thread waits for. They are blocked in every thread, and wait for their
 * turn while the main thread is busy. */
#pragma once

#include <signal.h>
#include <stdint.h>

/* The signal by which an answering thread passes on that a peer orders a reload. An operator's own
 * order is SIGHUP, which does not have to wait as those of peers do. */
#define SIGNALS_RELOAD SIGUSR1

/* Blocks the signals; to be called before there is a second thread, which inherits the mask.
 * Ignores SIGPIPE: writing to a peer that has gone fails with EPIPE instead. */
void signals_block(void);

/* Waits so many milliseconds at most for SIGHUP, SIGNALS_RELOAD, SIGTERM or SIGINT. Returns which
 * has come, or -1 if none has. */
int signals_wait(int64_t milliseconds);

/* Sends SIGNALS_RELOAD, from any thread. */
void signals_order_reload(void);
