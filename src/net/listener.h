/* Opening sockets that listen, and taking over those that the service manager has opened. Which
 * listeners there are, and what they are for, is the business of others. */
#pragma once

#include "os/listen_address.h"

#include <sys/types.h>

enum {
    LISTENER_TEXT_MAX = 512,
    LISTENER_NOT_IN_GROUP = 1, /* a condition of listener_open_unix */
};

/* Opens N TCP sockets that listen on one address and do not block; the kernel divides the
 * connections among them. Returns 0 and the descriptors, which the caller closes, or -errno:
 * -EADDRINUSE also if another process starts to listen there at the same moment. */
int listener_open_tcp(const struct listen_address *address, size_t n, int *out);

/* Whether a descriptor that somebody else opened is a listening socket: a unix one, or one of TCP.
 */
bool listener_fits(int fd, bool is_unix);

/* Whether this machine has an address to listen at; not whether its port is free. Returns 0 or
 * -errno, such as -EADDRNOTAVAIL. */
int listener_try_tcp(const struct listen_address *address);

/* Makes N descriptors, the first being FD itself, of such a TCP socket, so that they can be used as
 * those of listener_open_tcp. Returns 0 and the descriptors, or -errno and leaves FD open. */
int listener_adopt_tcp(int fd, size_t n, int *out);

/* Whether a descriptor that somebody else opened is a unix socket with a connection. */
bool listener_fits_connection(int fd);

/* Makes a unix socket that was opened by somebody else non-blocking. Returns 0 or -errno. */
int listener_adopt_unix(int fd);

/* Writes the address that a TCP socket listens at, as "127.0.0.1:8053". */
void listener_describe_tcp(int fd, char text[LISTENER_TEXT_MAX]);

/* Writes the path of a unix socket, fit for the log; one without a file begins with "@" (unix(7)).
 */
void listener_describe_unix(int fd, char text[LISTENER_TEXT_MAX]);

/* A unix socket that was opened here, and which file is its own. */
struct listener_unix {
    int fd;
    dev_t device;
    ino_t inode;
};

/* Whether there is a place for a unix socket: its directory exists, and nothing else is at its
 * path. Returns 0 or -errno: -EEXIST if the path is no socket. */
int listener_try_unix(const struct unix_address *at);

/* Opens a unix socket that listens at a path, with its permissions and group, and does not block. A
 * socket file at which nobody listens is replaced. Returns 0; LISTENER_NOT_IN_GROUP, if the process
 * may not give the file to the group; or -errno: -EADDRINUSE if somebody listens there, or starts
 * to at the same moment, -EEXIST if the path is no socket. */
int listener_open_unix(const struct unix_address *at, struct listener_unix *out);

/* Removes the file, unless another one has taken its place, and closes the socket. */
void listener_close_unix(const struct unix_address *at, const struct listener_unix *listener);
