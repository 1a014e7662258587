#include "net/listener.h"

#include "os/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int set_option(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof(value));
}

/* Binds the first of several sockets alone, so that it is refused where somebody else listens,
 * shared or not; only then does it admit the others. Returns 0, or -1 and sets errno. */
static int bind_tcp(int fd, const struct listen_address *address, bool first)
{
    /* A restart must not wait for the connections of the last run to leave TIME_WAIT. */
    if (set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) < 0 ||
        set_option(fd, SOL_SOCKET, SO_REUSEPORT, !first) < 0 ||
        bind(fd, &address->socket.any, address->length) < 0 ||
        set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1) < 0)
        return -1;
    return listen(fd, SOMAXCONN);
}

/* Sets what connections inherit: without it the last part of a long reply waits until the peer has
 * acknowledged those before, for up to 40 ms. */
static int send_at_once(int fd)
{
    return set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

static int open_tcp(const struct listen_address *address, bool first, int *out)
{
    CLEANUP(fd_close)
    int fd = socket(address->socket.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0 || send_at_once(fd) < 0 || bind_tcp(fd, address, first) < 0)
        return -errno;
    *out = fd;
    fd = -1;
    return 0;
}

int listener_open_tcp(const struct listen_address *address, size_t n, int *out)
{
    for (size_t i = 0; i < n; i++) {
        int r = open_tcp(address, i == 0, &out[i]);

        if (r == 0)
            continue;
        while (i > 0)
            close(out[--i]);
        return r;
    }
    return 0;
}

static int socket_number(int fd, int option)
{
    int value = -1;
    socklen_t length = sizeof(value);

    return getsockopt(fd, SOL_SOCKET, option, &value, &length) < 0 ? -1 : value;
}

/* Returns 0 or -errno. */
static int prepare_adopted(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    if (socket_number(fd, SO_ACCEPTCONN) != 1 || socket_number(fd, SO_TYPE) != SOCK_STREAM)
        return -EINVAL;
    return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

int listener_adopt_tcp(int fd, size_t n, int *out)
{
    int domain = socket_number(fd, SO_DOMAIN), r;

    if (domain != AF_INET && domain != AF_INET6)
        return -EINVAL;
    r = prepare_adopted(fd);
    if (r < 0)
        return r;
    if (send_at_once(fd) < 0)
        return -errno;
    out[0] = fd;
    for (size_t i = 1; i < n; i++) {
        out[i] = fcntl(fd, F_DUPFD_CLOEXEC, 0);
        if (out[i] >= 0)
            continue;
        r = -errno;
        while (i > 1)
            close(out[--i]);
        return r;
    }
    return 0;
}

void listener_describe_tcp(int fd, char text[LISTENER_TEXT_MAX])
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof(address);
    char host[INET6_ADDRSTRLEN] = "", port[8] = "";

    getsockname(fd, (struct sockaddr *)&address, &length);
    getnameinfo((const struct sockaddr *)&address, length, host, sizeof(host), port, sizeof(port),
                NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(text, LISTENER_TEXT_MAX, address.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host,
             port);
}

int listener_adopt_unix(int fd)
{
    return socket_number(fd, SO_DOMAIN) == AF_UNIX ? prepare_adopted(fd) : -EINVAL;
}

static struct sockaddr_un unix_address(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
    return address;
}

/* Removes a socket file that nobody listens at. Returns 0 or -errno. */
static int remove_stale(const struct sockaddr_un *address)
{
    struct stat status;
    int fd, r;

    if (stat(address->sun_path, &status) < 0)
        return -errno;
    if (!S_ISSOCK(status.st_mode))
        return -EEXIST;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    r = connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ? -errno : 0;
    close(fd);
    if (r != -ECONNREFUSED)
        return r == 0 || r == -EAGAIN ? -EADDRINUSE : r;
    return unlink(address->sun_path) < 0 ? -errno : 0;
}

static int bind_unix(int fd, const struct sockaddr_un *address)
{
    int r;

    if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) == 0)
        return 0;
    if (errno != EADDRINUSE)
        return -errno;
    r = remove_stale(address);
    if (r < 0)
        return r;
    return bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ? -errno : 0;
}

/* Nobody can connect before listen, so the permissions are in force from the first connection on.
 */
static int permit_and_listen(int fd, const struct unix_address *at)
{
    if (at->group != UNIX_GROUP_UNCHANGED && chown(at->path, (uid_t)-1, (gid_t)at->group) < 0)
        return errno == EPERM ? LISTENER_NOT_IN_GROUP : -errno;
    if (chmod(at->path, (mode_t)at->mode) < 0)
        return -errno;
    return listen(fd, SOMAXCONN) < 0 ? -errno : 0;
}

static int start_listening_unix(int fd, const struct unix_address *at)
{
    struct sockaddr_un address = unix_address(at->path);
    int r = bind_unix(fd, &address);

    if (r < 0)
        return r;
    r = permit_and_listen(fd, at);
    if (r)
        unlink(at->path);
    return r;
}

int listener_open_unix(const struct unix_address *at, int *out)
{
    int fd, r;

    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    r = start_listening_unix(fd, at);
    if (r) {
        close(fd);
        return r;
    }
    *out = fd;
    return 0;
}

void listener_close_unix(const struct unix_address *at, int fd)
{
    struct sockaddr_un address = unix_address(at->path);
    int client = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    close(fd);
    /* Whoever still listens at the path now is another service. */
    if (client >= 0 && connect(client, (const struct sockaddr *)&address, sizeof(address)) < 0 &&
        errno == ECONNREFUSED)
        unlink(at->path);
    fd_close(&client);
}
