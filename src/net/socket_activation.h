/* Sockets that the service manager hands over when it starts the service (sd_listen_fds(3)): those
 * that it has opened, so that peers wait in them while there is no service, and the connections
 * that the process before has left (FDSTORE=1 in sd_notify(3)). They are told apart by their names,
 * which are the keys below "listen" (FileDescriptorName= in systemd.socket(5)), and
 * SOCKET_ACTIVATION_CONNECTION. */
#pragma once

#include "os/fd_limit.h"

#include "base/base.h"

#define SOCKET_ACTIVATION_CONNECTION "unix-connection"

enum {
    SOCKET_ACTIVATION_SOCKETS_MAX = 16,
    SOCKET_ACTIVATION_CONNECTIONS_MAX = FD_LIMIT_SHARE_MAX, /* what a listener may have */
    SOCKET_ACTIVATION_NAME_MAX = 31,                        /* octets; no name of ours is longer */
};

struct socket_activation {
    size_t n;
    struct activated_socket {
        int fd; /* -1: taken */
        char name[SOCKET_ACTIVATION_NAME_MAX + 1];
    } sockets[SOCKET_ACTIVATION_SOCKETS_MAX];
    size_t n_beyond; /* further ones, which are closed already */
    int connections[SOCKET_ACTIVATION_CONNECTIONS_MAX];
    size_t n_connections;
    size_t n_connections_beyond; /* the same */
};

/* Reads from the environment which sockets there are, and keeps them from child processes. There
 * are none if they are meant for another process. */
void socket_activation_init(struct socket_activation *activation);

/* The first socket of a name that is not taken, or NULL. To take it, take its descriptor (fd_take).
 */
struct activated_socket *socket_activation_find(struct socket_activation *activation,
                                                const char *name);

/* Takes one of the connections, in no order; or returns -1 if there is none. */
int socket_activation_take_connection(struct socket_activation *activation);

/* Closes what nobody has taken. */
void socket_activation_deinit(struct socket_activation *activation);
