/* Listening sockets. */
#pragma once

#include "config.h"

/* Opens a TCP socket that listens on an address, non-blocking. Returns 0 and the descriptor, which
 * the caller closes, or -errno. */
int listener_open_tcp(const struct listen_address *address, int *out);

/* Opens a unix socket that listens at a path, with the permissions and group of the settings,
 * non-blocking. A socket file that nobody listens at any more is replaced; one that is in use is
 * not, and neither is a file of another kind. Returns 0 and the descriptor, which the caller
 * closes, or -errno: -EADDRINUSE if somebody listens there, -EEXIST if the path is no socket. */
int listener_open_unix(const struct unix_settings *settings, int *out);

/* For CLEANUP: closes a descriptor unless it is negative. */
void close_descriptor(const int *descriptor);
