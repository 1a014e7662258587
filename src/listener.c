#include "listener.h"

#include <errno.h>
#include <unistd.h>

void close_descriptor(const int *descriptor)
{
    if (*descriptor >= 0)
        close(*descriptor);
}

static int start_listening(int fd, const struct listen_address *address)
{
    const int on = 1;

    /* A restart must not wait for the connections of the last run to leave TIME_WAIT. */
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
        return -errno;
    if (bind(fd, (const struct sockaddr *)&address->storage, address->length) < 0)
        return -errno;
    return listen(fd, SOMAXCONN) < 0 ? -errno : 0;
}

int listener_open_tcp(const struct listen_address *address, int *out)
{
    int fd, r;

    fd = socket(address->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    r = start_listening(fd, address);
    if (r < 0) {
        close(fd);
        return r;
    }
    *out = fd;
    return 0;
}
