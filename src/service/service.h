/* The service: listening sockets, the threads that answer, and the configuration they answer from.
 * The thread that owns it takes no part in answering, so neither loading nor freeing delays an
 * answer. */
#pragma once

#include "base/buffer.h"
#include "config/config.h"

struct service;

/* Loads the configuration, opens the listeners and starts the threads; logs what is wrong. Returns
 * 0; SERVICE_FAILED, after an error was logged; or -ENOMEM. */
int service_new(const char *config_path, struct service **out);

enum { SERVICE_FAILED = 1 };

/* Loads the configuration anew and, if it has no error, has all threads answer from it; what was
 * wrong, or what has changed, is logged. Whatever happens the service goes on answering. */
void service_reload(struct service *service);

/* How many milliseconds it is until an id is to be announced that had to wait (announcements.h), or
 * -1 if none waits. */
int64_t service_next_announcement(const struct service *service);

/* Has all threads announce the ids whose time has come; does nothing if there is none. */
void service_announce(struct service *service);

/* Whether every thread has come by since this was last asked; to be called every few seconds by the
 * thread that owns the service. What stands still is logged, and shown by the admin listener. */
bool service_check(struct service *service);

/* Describes in one line what the service does, for the service manager. */
void service_describe(const struct service *service, struct buffer *out);

/* Stops the threads, closes the listeners and frees all; NULL is allowed. */
void service_free(struct service *service);
