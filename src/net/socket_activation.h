/* Sockets that the service manager has opened and hands over when it starts the service, so that
 * peers wait in them while there is none (sd_listen_fds(3)). They are told apart by their names,
 * which are the keys below "listen" (FileDescriptorName= in systemd.socket(5)). */
#pragma once

#include "base/base.h"

enum {
    SOCKET_ACTIVATION_SOCKETS_MAX = 16,
    SOCKET_ACTIVATION_NAME_MAX = 31, /* octets; no name of ours is longer */
};

struct socket_activation {
    size_t n;
    struct activated_socket {
        int fd; /* -1: taken */
        char name[SOCKET_ACTIVATION_NAME_MAX + 1];
    } sockets[SOCKET_ACTIVATION_SOCKETS_MAX];
    size_t n_beyond; /* further ones, which are closed already */
};

/* Reads from the environment which sockets there are, and keeps them from child processes. There
 * are none if they are meant for another process. */
void socket_activation_init(struct socket_activation *activation);

/* The first socket of a name that is not taken, or NULL. To take it, take its descriptor (fd_take).
 */
struct activated_socket *socket_activation_find(struct socket_activation *activation,
                                                const char *name);

/* Closes what nobody has taken. */
void socket_activation_deinit(struct socket_activation *activation);
