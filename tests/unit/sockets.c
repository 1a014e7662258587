#include "sockets.h"

#include "cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    BACKLOG = 16,
    PORT_LOWEST = 10000,
    EPHEMERAL = 32768, /* the first port that a connection may get */
    PORTS_TRIED = 1000,
};

static int open_socket(int family, int flags)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

    assert_true(fd >= 0);
    return fd;
}

static int connect_to(int family, const void *address, socklen_t length)
{
    int fd = open_socket(family, 0), error;

    if (connect(fd, address, length) == 0)
        return fd;
    error = errno;
    close(fd);
    return -error;
}

static struct sockaddr_un own_address(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "pdns-mta-sts-test-%d", getpid());
    return address;
}

static struct sockaddr_in loopback(in_port_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

int sockets_listen(void)
{
    struct sockaddr_un address = own_address();
    int fd = open_socket(AF_UNIX, SOCK_NONBLOCK);

    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, BACKLOG), 0);
    return fd;
}

int sockets_connect(void)
{
    struct sockaddr_un address = own_address();
    int fd = open_socket(AF_UNIX, SOCK_NONBLOCK);

    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

int sockets_connect_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    return connect_to(AF_UNIX, &address, sizeof(address));
}

int sockets_connect_tcp(in_port_t port)
{
    struct sockaddr_in address = loopback(port);

    return connect_to(AF_INET, &address, sizeof(address));
}

in_port_t sockets_port(int fd)
{
    struct sockaddr_in address;
    socklen_t length = sizeof(address);

    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    assert_int_equal(address.sin_family, AF_INET);
    return ntohs(address.sin_port);
}

static bool is_free(in_port_t port)
{
    const struct sockaddr_in address = loopback(port);
    int fd = open_socket(AF_INET, 0);
    bool bound = bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;

    close(fd);
    return bound;
}

/* Reserves a port by a lock, until the process ends: see tests/e2e/ports.py. */
static bool reserve(in_port_t port)
{
    const char *temporary = getenv("TMPDIR");
    char path[4096];
    int fd, n = snprintf(path, sizeof(path), "%s/pdns-mta-sts-ports-%u",
                         temporary ? temporary : "/tmp", getuid());

    mkdir(path, 0700);
    snprintf(path + n, sizeof(path) - (size_t)n, "/%u", port);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 && is_free(port))
        return true;
    close(fd);
    return false;
}

in_port_t sockets_free_port(void)
{
    for (int i = 0; i < PORTS_TRIED; i++) {
        uint16_t number;
        in_port_t port;

        assert_int_equal(getrandom(&number, sizeof(number), 0), sizeof(number));
        port = (in_port_t)(PORT_LOWEST + number % (EPHEMERAL - PORT_LOWEST));
        if (reserve(port))
            return port;
    }
    fail_msg("no port is free");
    return 0;
}
