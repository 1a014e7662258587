/* Listening sockets. */
#pragma once

#include "config.h"

/* Opens a TCP socket that listens on an address, non-blocking. Returns 0 and the descriptor, which
 * the caller closes, or -errno. */
int listener_open_tcp(const struct listen_address *address, int *out);

/* For CLEANUP: closes a descriptor unless it is negative. */
void close_descriptor(const int *descriptor);
