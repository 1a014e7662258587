/* Sockets are opened so that of two processes that start at the same moment one is refused.
 *
 * bind admits both to a TCP port as long as neither listens (SO_REUSEADDR), and with SO_REUSEPORT
 * both could listen. So the first of a process's sockets listens without it, which the kernel
 * grants to one process, and then takes the others into its group.
 *
 * The file of a unix socket is replaced if nobody listens at it, which is also true of one that
 * another process has bound a moment ago. So its directory is locked from before that is tried
 * until the new socket listens. At the end the file goes while its socket still listens: until then
 * no other process takes its place.
 */
#include "net/listener.h"

#include "base/quote.h"
#include "os/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* How long a start waits for the lock of another one. */
enum { LOCK_TRIES = 100, LOCK_PAUSE_NANOSECONDS = 10000000 };

static int set_option(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof(value));
}

/* Sets what connections inherit: without it the last part of a long reply waits until the peer has
 * acknowledged those before, for up to 40 ms. */
static int send_at_once(int fd)
{
    return set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

/* Opens the first of N sockets, which gets the port, or one that joins it. */
static int open_tcp(const struct listen_address *address, bool first, size_t n, int *out)
{
    CLEANUP(fd_close)
    int fd = socket(address->socket.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    /* A restart must not wait for the connections of the last run to leave TIME_WAIT. */
    if (fd < 0 || send_at_once(fd) < 0 || set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) < 0 ||
        set_option(fd, SOL_SOCKET, SO_REUSEPORT, !first) < 0 ||
        bind(fd, &address->socket.any, address->length) < 0 || listen(fd, SOMAXCONN) < 0 ||
        set_option(fd, SOL_SOCKET, SO_REUSEPORT, n > 1) < 0)
        return -errno;
    *out = fd_take(&fd);
    return 0;
}

int listener_open_tcp(const struct listen_address *address, size_t n, int *out)
{
    for (size_t i = 0; i < n; i++) {
        int r = open_tcp(address, i == 0, n, &out[i]);

        if (r == 0)
            continue;
        while (i > 0)
            close(out[--i]);
        return r;
    }
    return 0;
}

int listener_try_tcp(const struct listen_address *address)
{
    CLEANUP(fd_close) int fd = socket(address->socket.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct listen_address any_port = *address;

    /* At the same place in both families. */
    any_port.socket.v4.sin_port = 0;
    return fd < 0 || bind(fd, &any_port.socket.any, any_port.length) < 0 ? -errno : 0;
}

static int socket_number(int fd, int option)
{
    int value = -1;
    socklen_t length = sizeof(value);

    return getsockopt(fd, SOL_SOCKET, option, &value, &length) < 0 ? -1 : value;
}

bool listener_fits(int fd, bool is_unix)
{
    int domain = socket_number(fd, SO_DOMAIN);

    return socket_number(fd, SO_ACCEPTCONN) == 1 && socket_number(fd, SO_TYPE) == SOCK_STREAM &&
           (is_unix ? domain == AF_UNIX : domain == AF_INET || domain == AF_INET6);
}

bool listener_fits_connection(int fd)
{
    struct sockaddr_un peer;
    socklen_t length = sizeof(peer);

    return socket_number(fd, SO_DOMAIN) == AF_UNIX && socket_number(fd, SO_TYPE) == SOCK_STREAM &&
           getpeername(fd, (struct sockaddr *)&peer, &length) == 0;
}

int listener_adopt_unix(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

int listener_adopt_tcp(int fd, size_t n, int *out)
{
    int r = listener_adopt_unix(fd);

    if (r)
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

void listener_describe_unix(int fd, char text[LISTENER_TEXT_MAX])
{
    struct sockaddr_un address = {0};
    socklen_t length = sizeof(address);
    struct text path;

    getsockname(fd, (struct sockaddr *)&address, &length);
    /* The terminator counts for a path and not for other names. */
    path = text_of(address.sun_path, length - offsetof(struct sockaddr_un, sun_path));
    if (path.length && address.sun_path[0] == '\0')
        address.sun_path[0] = '@';
    else
        path.length = strnlen(path.data, path.length);
    quote_escape(path, "", text, LISTENER_TEXT_MAX);
}

/* Writes the directory of a path, which ends in a slash. */
static void write_directory(const char *path, char *directory, size_t size)
{
    const char *slash = strrchr(path, '/');

    snprintf(directory, size, "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
}

int listener_try_unix(const struct unix_address *at)
{
    char directory[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
    struct stat status;

    write_directory(at->path, directory, sizeof(directory));
    if (stat(directory, &status) < 0)
        return -errno;
    return stat(at->path, &status) == 0 && !S_ISSOCK(status.st_mode) ? -EEXIST : 0;
}

/* Locks the directory of a path until the descriptor that it returns is closed. It does not insist:
 * anybody who can read the directory can keep it locked, and must not keep a service from starting.
 */
static int lock_directory(const char *path)
{
    const struct timespec pause = {.tv_nsec = LOCK_PAUSE_NANOSECONDS};
    char directory[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
    int fd, r = -1;

    write_directory(path, directory, sizeof(directory));
    fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; fd >= 0 && r < 0 && i < LOCK_TRIES; i++) {
        r = flock(fd, LOCK_EX | LOCK_NB);
        if (r < 0)
            nanosleep(&pause, NULL);
    }
    return fd;
}

/* Removes a socket file that nobody listens at. Returns 0 or -errno. */
static int remove_stale(const struct sockaddr_un *address)
{
    CLEANUP(fd_close) int fd = -1;
    struct stat status;

    if (stat(address->sun_path, &status) < 0)
        return -errno;
    if (!S_ISSOCK(status.st_mode))
        return -EEXIST;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN)
        return -EADDRINUSE;
    return errno != ECONNREFUSED || unlink(address->sun_path) < 0 ? -errno : 0;
}

static int bind_unix(int fd, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int r;

    strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
    if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
        return 0;
    if (errno != EADDRINUSE)
        return -errno;
    r = remove_stale(&address);
    if (r)
        return r;
    return bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
}

/* Nobody can connect before listen, so the permissions are in force from the first connection on.
 * Returns 0, LISTENER_NOT_IN_GROUP or -errno. */
static int permit_and_listen(int fd, const struct unix_address *at, struct stat *file)
{
    if (at->group != UNIX_GROUP_UNCHANGED && chown(at->path, (uid_t)-1, (gid_t)at->group) < 0)
        return errno == EPERM ? LISTENER_NOT_IN_GROUP : -errno;
    if (chmod(at->path, (mode_t)at->mode) < 0 || stat(at->path, file) < 0 ||
        listen(fd, SOMAXCONN) < 0)
        return -errno;
    return 0;
}

int listener_open_unix(const struct unix_address *at, struct listener_unix *out)
{
    CLEANUP(fd_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    CLEANUP(fd_close) int lock = lock_directory(at->path);
    struct stat file;
    int r;

    (void)lock;
    if (fd < 0)
        return -errno;
    r = bind_unix(fd, at->path);
    if (r)
        return r;
    r = permit_and_listen(fd, at, &file);
    if (r) {
        unlink(at->path);
        return r;
    }
    *out = (struct listener_unix){.fd = fd_take(&fd), .device = file.st_dev, .inode = file.st_ino};
    return 0;
}

void listener_close_unix(const struct unix_address *at, const struct listener_unix *listener)
{
    struct stat file;

    if (stat(at->path, &file) == 0 && file.st_dev == listener->device &&
        file.st_ino == listener->inode)
        unlink(at->path);
    close(listener->fd);
}
