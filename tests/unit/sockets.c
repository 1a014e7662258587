#include "sockets.h"

#include "cmocka_all.h"

#include <errno.h>
#include <stdio.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 16 };

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

in_port_t sockets_free_port(void)
{
    struct sockaddr_in address = loopback(0);
    int fd = open_socket(AF_INET, 0);
    in_port_t port;

    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    port = sockets_port(fd);
    close(fd);
    return port;
}
