#include "net/socket_activation.h"

#include "os/environment.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { FIRST_DESCRIPTOR = 3 };

/* Takes the next name off a list with colons in between; beyond its end they are empty. */
static void take_name(const char **names, char out[SOCKET_ACTIVATION_NAME_MAX + 1])
{
    size_t length = strcspn(*names, ":");

    snprintf(out, SOCKET_ACTIVATION_NAME_MAX + 1, "%.*s", (int)length, *names);
    *names += length + ((*names)[length] == ':');
}

/* Keeps a socket with others of its kind, or closes it if there are too many. */
static void keep(struct socket_activation *activation, const struct activated_socket *socket)
{
    bool connection = strcmp(socket->name, SOCKET_ACTIVATION_CONNECTION) == 0;

    if (connection && activation->n_connections < SOCKET_ACTIVATION_CONNECTIONS_MAX) {
        activation->connections[activation->n_connections++] = socket->fd;
    } else if (!connection && activation->n < SOCKET_ACTIVATION_SOCKETS_MAX) {
        activation->sockets[activation->n++] = *socket;
    } else {
        close(socket->fd);
        activation->n_connections_beyond += connection;
        activation->n_beyond += !connection;
    }
}

/* The sockets have consecutive descriptors; a number that is too large ends with the first that is
 * none. */
static void read_environment(struct socket_activation *activation)
{
    const char *names = getenv("LISTEN_FDNAMES");
    uint64_t pid, n;

    if (!environment_number("LISTEN_PID", &pid) || pid != (uint64_t)getpid() ||
        !environment_number("LISTEN_FDS", &n))
        return;
    if (!names)
        names = "";
    for (uint64_t i = 0; i < n; i++) {
        struct activated_socket socket = {.fd = FIRST_DESCRIPTOR + (int)i};

        if (fcntl(socket.fd, F_SETFD, FD_CLOEXEC) < 0)
            return;
        take_name(&names, socket.name);
        keep(activation, &socket);
    }
}

void socket_activation_init(struct socket_activation *activation)
{
    *activation = (struct socket_activation){0};
    read_environment(activation);
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
}

struct activated_socket *socket_activation_find(struct socket_activation *activation,
                                                const char *name)
{
    for (size_t i = 0; i < activation->n; i++)
        if (activation->sockets[i].fd >= 0 && strcmp(activation->sockets[i].name, name) == 0)
            return &activation->sockets[i];
    return NULL;
}

int socket_activation_take_connection(struct socket_activation *activation)
{
    return activation->n_connections ? activation->connections[--activation->n_connections] : -1;
}

void socket_activation_deinit(struct socket_activation *activation)
{
    for (size_t i = 0; i < activation->n; i++)
        if (activation->sockets[i].fd >= 0)
            close(activation->sockets[i].fd);
    activation->n = 0;
    while (activation->n_connections)
        close(socket_activation_take_connection(activation));
}
