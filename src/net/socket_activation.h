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
    struct {
        int fd;
        char name[SOCKET_ACTIVATION_NAME_MAX + 1];
        bool taken;
    } sockets[SOCKET_ACTIVATION_SOCKETS_MAX];
};

/* Reads what the environment says of such sockets, and keeps it from child processes. Nothing is
 * taken if it is meant for another process. */
void socket_activation_init(struct socket_activation *activation);

/* Takes the first socket of a name; the caller closes it. Returns the descriptor, or -1 if there is
 * none (left). */
int socket_activation_take(struct socket_activation *activation, const char *name);

/* The name of a socket that nobody has taken, or NULL. */
const char *socket_activation_left(const struct socket_activation *activation);

/* Closes what nobody has taken. */
void socket_activation_deinit(struct socket_activation *activation);
