/* The service: listening sockets, the threads that answer, and the configuration they answer from.
 * Its owner is the main thread, which takes no part in answering.
 *
 * Two snapshots are held. The loaded one is what the configuration said when it was last read; its
 * policies have the ids of their bodies. The published one is what the threads answer from. Mostly
 * they are the same. After a policy body has changed, and while its new id has to wait
 * (announcements.h), the published one is a copy that shares the domains with the loaded one and
 * has the old ids.
 *
 * A reload reads a whole new configuration and builds the snapshot to publish from it, on a thread
 * of its own (load.h). The main thread then gives it to all threads; nothing that can fail comes
 * after. When an id is due, another snapshot is
 * published, from the same loaded one: no file is read again, as it may be half edited. Settings
 * are read once: those of the start hold until a restart.
 */
#pragma once

#include "base/buffer.h"
#include "config/config.h"

struct service;

/* Prepares the process, once, before there is a second thread: blocks the signals that the main
 * thread waits for, raises the limit of open files, and sets up the libraries. */
void service_init(void);

/* Makes a service and begins its first load (load.h). Returns 0 or -errno. */
int service_new(const char *config_path, struct service **out);

/* Begins to load the configuration anew; there must be no other load. If it cannot begin, the
 * reload is refused, which is logged, and there is no load afterwards. */
void service_begin_reload(struct service *service);

/* Whether there is a load; and whether it has ended, so that service_end_load will not wait. */
bool service_is_loading(const struct service *service);
bool service_has_loaded(const struct service *service);

/* Waits for the end of the load. After the first one it opens the listeners and starts the threads.
 * After others it has all threads answer from what was made, unless there was an error; then the
 * service goes on as before. Logs what is wrong, or what has changed. PROCESSOR_MS is the time
 * that all of this took of a processor. Returns 0; or if the service cannot start REPORTED, after
 * an error was logged, or -ENOMEM. */
int service_end_load(struct service *service, int64_t *processor_ms);

/* How many milliseconds it is until an id that waits is to be announced, or -1 if none waits.
 * While there is a load none is announced. */
int64_t service_next_announcement(const struct service *service);

/* Begins to announce the ids whose time has come; does nothing if there is none, or a load. The
 * threads announce them when that load has ended. */
void service_announce(struct service *service);

/* Whether every thread has come by since this was last asked; to be called every few seconds by the
 * thread that owns the service. A thread that is stuck is logged, and shown by the admin listener.
 */
bool service_check(struct service *service);

/* Describes in one line what the service does, for the service manager. */
void service_describe(const struct service *service, struct buffer *out);

/* Stops the threads, closes the listeners and frees all; NULL is allowed. A load that does not end
 * in time is left alone with what it needs: the process is to end. */
void service_free(struct service *service);
