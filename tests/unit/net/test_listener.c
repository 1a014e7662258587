#include "cmocka_all.h"
#include "net/listener.h"
#include "sockets.h"
#include "temporary.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const char path[] = "pdns.sock";

static struct unix_address address_of(uint32_t mode)
{
    return (struct unix_address){.path = path, .mode = mode, .group = UNIX_GROUP_UNCHANGED};
}

/* The loopback address with a port, or with 0 for any. */
static struct listen_address loopback(in_port_t port)
{
    struct listen_address address;

    assert_true(listen_address_parse(TEXT("127.0.0.1:1"), 1, &address));
    address.socket.v4.sin_port = htons(port);
    return address;
}

static void the_socket_has_the_mode_and_takes_connections(void **state)
{
    struct unix_address at = address_of(0640);
    struct stat status;
    int fd = -1, client;

    (void)state;
    assert_int_equal(listener_open_unix(&at, &fd), 0);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0640);
    client = sockets_connect_unix(path);
    assert_true(client >= 0);
    close(client);
    close(fd);
}

static void a_socket_that_nobody_listens_at_is_replaced(void **state)
{
    struct unix_address at = address_of(0600);
    int fd = -1, client;

    (void)state;
    assert_int_equal(listener_open_unix(&at, &fd), 0);
    close(fd);
    assert_int_equal(sockets_connect_unix(path), -ECONNREFUSED);
    assert_int_equal(listener_open_unix(&at, &fd), 0);
    client = sockets_connect_unix(path);
    assert_true(client >= 0);
    close(client);
    close(fd);
}

static void a_socket_in_use_is_refused_and_goes_on(void **state)
{
    struct unix_address at = address_of(0600);
    int fd = -1, second = -1, client;

    (void)state;
    assert_int_equal(listener_open_unix(&at, &fd), 0);
    assert_int_equal(listener_open_unix(&at, &second), -EADDRINUSE);
    assert_int_equal(second, -1);
    client = sockets_connect_unix(path);
    assert_true(client >= 0);
    close(client);
    close(fd);
}

static void a_file_that_is_no_socket_is_refused_and_stays(void **state)
{
    struct unix_address at = address_of(0600);
    FILE *file = fopen(path, "w");
    struct stat status;
    int fd = -1;

    (void)state;
    assert_non_null(file);
    fputs("precious", file);
    fclose(file);
    assert_int_equal(listener_open_unix(&at, &fd), -EEXIST);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, 8);
}

static void a_directory_that_is_missing_is_an_error(void **state)
{
    struct unix_address at = address_of(0600);
    int fd = -1;

    (void)state;
    at.path = "/nonexistent/pdns.sock";
    assert_int_equal(listener_open_unix(&at, &fd), -ENOENT);
}

static void a_tcp_port_in_use_is_refused(void **state)
{
    struct listen_address address = loopback(0);
    int fd = -1, second = -1;

    (void)state;
    assert_int_equal(listener_open_tcp(&address, 1, &fd), 0);
    address = loopback(sockets_port(fd));
    assert_int_equal(listener_open_tcp(&address, 1, &second), -EADDRINUSE);
    close(fd);
}

static void several_sockets_share_a_port_that_stays_closed_to_others(void **state)
{
    struct listen_address address = loopback(sockets_free_port());
    int fds[3] = {-1, -1, -1}, second[2] = {-1, -1};

    (void)state;
    assert_int_equal(listener_open_tcp(&address, 3, fds), 0);
    assert_int_equal(listener_open_tcp(&address, 2, second), -EADDRINUSE);
    for (size_t i = 0; i < ARRAY_LENGTH(fds); i++)
        close(fds[i]);
}

/* Accepts a connection at a listening socket. Returns whether it sends what it has at once. */
static bool sends_at_once(int listening)
{
    int client = sockets_connect_tcp(sockets_port(listening)), fd = accept(listening, NULL, NULL);
    int value = 0;
    socklen_t length = sizeof(value);

    assert_true(client >= 0 && fd >= 0);
    assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, &length), 0);
    close(client);
    close(fd);
    return value != 0;
}

static void connections_send_at_once(void **state)
{
    struct listen_address address = loopback(0);
    int fd = -1, adopted;

    (void)state;
    assert_int_equal(listener_open_tcp(&address, 1, &fd), 0);
    assert_true(sends_at_once(fd));
    close(fd);

    fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(listener_adopt_tcp(fd, 1, &adopted), 0);
    assert_true(sends_at_once(adopted));
    close(fd);
}

static void closing_leaves_the_socket_of_a_later_service(void **state)
{
    struct unix_address at = address_of(0600);
    int first = -1, second = -1, client;

    (void)state;
    assert_int_equal(listener_open_unix(&at, &first), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(listener_open_unix(&at, &second), 0);
    listener_close_unix(&at, first);
    client = sockets_connect_unix(path);
    assert_true(client >= 0);
    close(client);
    listener_close_unix(&at, second);
    assert_int_equal(sockets_connect_unix(path), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, temporary_enter, temporary_leave)
        TEST(the_socket_has_the_mode_and_takes_connections),
        TEST(a_socket_that_nobody_listens_at_is_replaced),
        TEST(a_socket_in_use_is_refused_and_goes_on),
        TEST(a_file_that_is_no_socket_is_refused_and_stays),
        TEST(a_directory_that_is_missing_is_an_error),
        TEST(a_tcp_port_in_use_is_refused),
        TEST(several_sockets_share_a_port_that_stays_closed_to_others),
        TEST(connections_send_at_once),
        TEST(closing_leaves_the_socket_of_a_later_service),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
