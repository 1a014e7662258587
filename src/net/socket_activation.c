#include "net/socket_activation.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { FIRST_DESCRIPTOR = 3 };

/* A number of the environment, or 0. */
static unsigned long number_from(const char *variable)
{
    const char *text = getenv(variable);

    return text ? strtoul(text, NULL, 10) : 0;
}

/* Takes the next name off a list with colons between; further ones are empty. */
static void take_name(const char **names, char *out)
{
    size_t length = strcspn(*names, ":");

    snprintf(out, SOCKET_ACTIVATION_NAME_MAX + 1, "%.*s", (int)length, *names);
    *names += length + ((*names)[length] == ':');
}

static void read_environment(struct socket_activation *activation)
{
    const char *names = getenv("LISTEN_FDNAMES");
    unsigned long n = number_from("LISTEN_FDS");

    if (number_from("LISTEN_PID") != (unsigned long)getpid() || !names)
        return;
    for (size_t i = 0; i < n && i < SOCKET_ACTIVATION_SOCKETS_MAX; i++) {
        int fd = FIRST_DESCRIPTOR + (int)i;

        activation->sockets[i].fd = fd;
        take_name(&names, activation->sockets[i].name);
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        activation->n++;
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

int socket_activation_take(struct socket_activation *activation, const char *name)
{
    for (size_t i = 0; i < activation->n; i++) {
        if (activation->sockets[i].taken || strcmp(activation->sockets[i].name, name) != 0)
            continue;
        activation->sockets[i].taken = true;
        return activation->sockets[i].fd;
    }
    return -1;
}

const char *socket_activation_left(const struct socket_activation *activation)
{
    for (size_t i = 0; i < activation->n; i++)
        if (!activation->sockets[i].taken)
            return activation->sockets[i].name;
    return NULL;
}

void socket_activation_deinit(struct socket_activation *activation)
{
    for (size_t i = 0; i < activation->n; i++)
        if (!activation->sockets[i].taken)
            close(activation->sockets[i].fd);
    activation->n = 0;
}
