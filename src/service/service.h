/* The service: listening sockets, the threads that answer, and the configuration they answer from.
 * The thread that owns it takes no part in answering, so neither loading nor freeing delays an
 * answer.
 *
 * Two snapshots are held. The loaded one is what the configuration said when it was last read; its
 * policies have the ids of their bodies. The published one is what the threads answer from. Mostly
 * they are the same. After a policy body has changed, and while its new id has to wait
 * (announcements.h), the published one is a copy that shares the domains with the loaded one and
 * has the old ids.
 *
 * A reload reads a whole new configuration, builds the snapshot to publish from it, and gives that
 * to all threads; nothing that can fail comes after. When an id is due, another snapshot is
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

/* Loads the configuration, opens the listeners and starts the threads; logs what is wrong. Returns
 * 0; REPORTED, after an error was logged; or -ENOMEM. */
int service_new(const char *config_path, struct service **out);

/* Loads the configuration anew and, if it has no error, has all threads answer from it; logs what
 * was wrong, or what has changed. Whatever happens the service goes on answering. */
void service_reload(struct service *service);

/* How many milliseconds it is until an id that waits is to be announced, or -1 if none waits. */
int64_t service_next_announcement(const struct service *service);

/* Has all threads announce the ids whose time has come; does nothing if there is none. */
void service_announce(struct service *service);

/* Whether every thread has come by since this was last asked; to be called every few seconds by the
 * thread that owns the service. A thread that is stuck is logged, and shown by the admin listener.
 */
bool service_check(struct service *service);

/* Describes in one line what the service does, for the service manager. */
void service_describe(const struct service *service, struct buffer *out);

/* Stops the threads, closes the listeners and frees all; NULL is allowed. */
void service_free(struct service *service);
