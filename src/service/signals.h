/* The signals that the main thread waits for. They are blocked in every thread, and wait for their
 * turn while the main thread is busy. */
#pragma once

#include <signal.h>
#include <stdint.h>

/* Two signals come from the threads of the service itself: a peer orders a reload, and a load has
 * ended. An operator's own order to reload is SIGHUP, which does not have to wait as those of peers
 * do. */
#define SIGNALS_RELOAD SIGUSR1
#define SIGNALS_LOADED SIGUSR2

/* Blocks the signals; to be called before there is a second thread, which inherits the mask.
 * Ignores SIGPIPE: writing to a peer that has gone fails with EPIPE instead. */
void signals_block(void);

/* Waits so many milliseconds at most for SIGTERM, SIGINT, SIGHUP or one of the two above. Returns
 * which has come, or -1 if none has. Of several that have come SIGTERM and SIGINT are the first. */
int signals_wait(int64_t milliseconds);

/* Send one of the two to the process, from any thread. */
void signals_order_reload(void);
void signals_tell_loaded(void);
