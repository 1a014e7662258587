/* Listening sockets. */
#pragma once

#include "os/listen_address.h"

enum {
    LISTENER_TEXT_MAX = 64,
    LISTENER_NOT_IN_GROUP = 1, /* a condition of listener_open_unix's */
};

/* Opens N TCP sockets that listen on one address, non-blocking, among which the kernel divides the
 * connections: with one that all threads watch, each connection would wake all of them. Returns 0
 * and the descriptors, which the caller closes, or -errno: -EADDRINUSE also where another process
 * has shared sockets there. */
int listener_open_tcp(const struct listen_address *address, size_t n, int *out);

/* Makes N TCP sockets of one that somebody else opened, as listener_open_tcp would have, which all
 * stand for the same one: it takes the connections for all threads. Returns 0 and the descriptors,
 * of which the first is FD, or -errno (-EINVAL: it is no listening TCP socket) and leaves FD alone.
 */
int listener_adopt_tcp(int fd, size_t n, int *out);

/* Checks that a socket that somebody else opened is a listening unix socket, and makes it
 * non-blocking. Returns 0 or -errno (-EINVAL). */
int listener_adopt_unix(int fd);

/* Writes the address that a TCP socket listens at, as "127.0.0.1:8053". */
void listener_describe_tcp(int fd, char text[LISTENER_TEXT_MAX]);

/* Opens a unix socket that listens at a path, with its permissions and group,
 * non-blocking. A socket file that nobody listens at any more is replaced; one that is in use is
 * not, and neither is a file of another kind. Returns 0 and the descriptor, which the caller
 * closes, or -errno: -EADDRINUSE if somebody listens there, -EEXIST if the path is no socket; or
 * LISTENER_NOT_IN_GROUP: the process may not give the file to the group. */
int listener_open_unix(const struct unix_address *at, int *out);

/* Closes such a socket and removes its file, unless another service has taken the path meanwhile.
 */
void listener_close_unix(const struct unix_address *at, int fd);
