/* All the sockets that the service listens at: those of the service manager's that have the name of
 * a listener, and those that it opens itself. */
#pragma once

#include "config/config.h"

struct listeners;

/* Opens a socket for every listener of the settings, which outlive it, or takes it over from the
 * service manager; logs where each listens, and what is wrong. Sockets of the service manager's
 * that no listener takes are closed. Returns 0; LISTENERS_FAILED, after an error was logged; or
 * -ENOMEM. */
int listeners_new(const struct settings *settings, struct listeners **out);

enum { LISTENERS_FAILED = 1 };

/* The socket at which a thread that answers takes connections to a TCP listener, by the number of
 * the thread, from 0; the admin listener has one alone. The listener must be enabled. */
int listeners_tcp(const struct listeners *listeners, enum tcp_listener listener, size_t thread);

/* The unix socket, which all threads share; the listener must be enabled. */
int listeners_unix(const struct listeners *listeners);

/* Closes the sockets, and removes the file of the unix socket unless it is the service manager's;
 * NULL is allowed. */
void listeners_free(struct listeners *listeners);
