#include "cmocka_all.h"
#include "net/listener.h"
#include "temporary.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char path[] = "pdns.sock";

static struct unix_address address_of(uint32_t mode)
{
    return (struct unix_address){.path = path, .mode = mode, .group = UNIX_GROUP_UNCHANGED};
}

/* Connects to the socket. Returns a descriptor or -errno. */
static int connect_there(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    close(fd);
    return -errno;
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
    client = connect_there();
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
    assert_int_equal(connect_there(), -ECONNREFUSED);
    assert_int_equal(listener_open_unix(&at, &fd), 0);
    client = connect_there();
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
    client = connect_there();
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
    struct listen_address address;
    struct sockaddr_in bound;
    socklen_t length = sizeof(bound);
    int fd = -1, second = -1;

    (void)state;
    assert_true(listen_address_parse(TEXT("127.0.0.1:1"), 1, &address));
    ((struct sockaddr_in *)&address.storage)->sin_port = 0;
    assert_int_equal(listener_open_tcp(&address, 1, &fd), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&bound, &length), 0);
    ((struct sockaddr_in *)&address.storage)->sin_port = bound.sin_port;
    assert_int_equal(listener_open_tcp(&address, 1, &second), -EADDRINUSE);
    close(fd);
}

static void several_sockets_share_a_port_that_stays_closed_to_others(void **state)
{
    struct listen_address address;
    struct sockaddr_in bound;
    socklen_t length = sizeof(bound);
    int fds[3] = {-1, -1, -1}, second[2] = {-1, -1};

    (void)state;
    assert_true(listen_address_parse(TEXT("127.0.0.1:1"), 1, &address));
    /* A port that was free a moment ago. */
    ((struct sockaddr_in *)&address.storage)->sin_port = 0;
    assert_int_equal(listener_open_tcp(&address, 1, fds), 0);
    assert_int_equal(getsockname(fds[0], (struct sockaddr *)&bound, &length), 0);
    close(fds[0]);
    ((struct sockaddr_in *)&address.storage)->sin_port = bound.sin_port;
    assert_int_equal(listener_open_tcp(&address, 3, fds), 0);
    assert_int_equal(listener_open_tcp(&address, 2, second), -EADDRINUSE);
    for (size_t i = 0; i < ARRAY_LENGTH(fds); i++)
        close(fds[i]);
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
    client = connect_there();
    assert_true(client >= 0);
    close(client);
    listener_close_unix(&at, second);
    assert_int_equal(connect_there(), -ENOENT);
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
        TEST(closing_leaves_the_socket_of_a_later_service),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
