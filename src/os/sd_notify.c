#include "os/sd_notify.h"

#include "os/environment.h"
#include "os/fd.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { MESSAGE_MAX = 1024 };

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

void sd_notify_send(const char *format, ...)
{
    struct sockaddr_un address;
    socklen_t address_length = find_manager(&address);
    char message[MESSAGE_MAX];
    va_list arguments;
    CLEANUP(fd_close) int fd = -1;

    if (!address_length)
        return;
    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    sendto(fd, message, strlen(message), MSG_NOSIGNAL, (const struct sockaddr *)&address,
           address_length);
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
