#include "os/sd_notify.h"

#include "os/environment.h"
#include "os/fd.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    MESSAGE_MAX = 1024,
    DESCRIPTORS_MAX = 253, /* in one message (unix(7), SCM_RIGHTS) */
    PATIENCE_SECONDS = 1,
};

/* Finds the manager's socket: a path, or a name in the abstract space, written with '@' for the
 * NUL. Returns the length of its address, or 0 if there is none. */
static socklen_t find_manager(struct sockaddr_un *address)
{
    const char *path = getenv("NOTIFY_SOCKET");
    size_t length = path ? strlen(path) : 0;

    if (length < 2 || length >= sizeof(address->sun_path) || (*path != '/' && *path != '@'))
        return 0;
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(address->sun_path, path, length);
    if (*path == '@')
        address->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

bool sd_notify_has_manager(void)
{
    struct sockaddr_un address;

    return find_manager(&address) > 0;
}

/* Sends a message with at most DESCRIPTORS_MAX descriptors. Returns 0 or -errno. */
static int send_message(char *text, const int *fds, size_t n)
{
    static const struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))];
    } control = {.bytes = {0}};
    struct sockaddr_un address;
    struct iovec lines = {.iov_base = text, .iov_len = strlen(text)};
    struct msghdr message = {
        .msg_name = &address,
        .msg_namelen = find_manager(&address),
        .msg_iov = &lines,
        .msg_iovlen = 1,
        .msg_control = n ? &control : NULL,
        .msg_controllen = n ? CMSG_SPACE(n * sizeof(int)) : 0,
    };
    CLEANUP(fd_close) int fd = -1;

    if (!message.msg_namelen)
        return -ENOTCONN;
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(n * sizeof(int));
    if (n)
        memcpy(CMSG_DATA(&control.header), fds, n * sizeof(int));
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0 ||
        sendmsg(fd, &message, MSG_NOSIGNAL) < 0)
        return -errno;
    return 0;
}

void sd_notify_send(const char *format, ...)
{
    char message[MESSAGE_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    send_message(message, NULL, 0);
}

int sd_notify_store(const char *name, const int *fds, size_t n)
{
    char message[MESSAGE_MAX];
    int r = 0;

    snprintf(message, sizeof(message), "FDSTORE=1\nFDNAME=%s", name);
    while (n && r == 0) {
        size_t part = n < DESCRIPTORS_MAX ? n : DESCRIPTORS_MAX;

        r = send_message(message, fds, part);
        fds += part;
        n -= part;
    }
    return r;
}

unsigned int sd_notify_watchdog_milliseconds(void)
{
    uint64_t microseconds, pid;

    if (!environment_number("WATCHDOG_USEC", &microseconds))
        return 0;
    if (getenv("WATCHDOG_PID") &&
        (!environment_number("WATCHDOG_PID", &pid) || pid != (uint64_t)getpid()))
        return 0;
    return (unsigned int)(microseconds / 1000);
}
