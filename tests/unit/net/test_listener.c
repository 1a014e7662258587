#include "cmocka_all.h"
#include "net/listener.h"
#include "sockets.h"
#include "temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char path[] = "pdns.sock";

int __real_listen(int fd, int backlog);
int __wrap_listen(int fd, int backlog);
int __real_unlink(const char *file);
int __wrap_unlink(const char *file);

/* What happens once, just before a socket listens or a file is removed. */
static void (*before_listen)(void), (*before_unlink)(void);

static void do_once(void (**what)(void))
{
    void (*now)(void) = *what;

    *what = NULL;
    if (now)
        now();
}

int __wrap_listen(int fd, int backlog)
{
    do_once(&before_listen);
    return __real_listen(fd, backlog);
}

int __wrap_unlink(const char *file)
{
    do_once(&before_unlink);
    return __real_unlink(file);
}

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
    struct listener_unix listener = {.fd = -1};
    int client;

    (void)state;
    assert_int_equal(listener_open_unix(&at, &listener), 0);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0640);
    client = sockets_connect_unix(path);
    assert_true(client >= 0);
    close(client);
    close(listener.fd);
}

static void a_socket_that_nobody_listens_at_is_replaced(void **state)
{
    struct unix_address at = address_of(0600);
    struct listener_unix listener = {.fd = -1};
    int client;

    (void)state;
    assert_int_equal(listener_open_unix(&at, &listener), 0);
    close(listener.fd);
    assert_int_equal(sockets_connect_unix(path), -ECONNREFUSED);
    assert_int_equal(listener_open_unix(&at, &listener), 0);
    client = sockets_connect_unix(path);
    assert_true(client >= 0);
    close(client);
    close(listener.fd);
}

static void a_socket_in_use_is_refused_and_goes_on(void **state)
{
    struct unix_address at = address_of(0600);
    struct listener_unix listener = {.fd = -1}, second = {.fd = -1};
    int client;

    (void)state;
    assert_int_equal(listener_open_unix(&at, &listener), 0);
    assert_int_equal(listener_open_unix(&at, &second), -EADDRINUSE);
    assert_int_equal(second.fd, -1);
    client = sockets_connect_unix(path);
    assert_true(client >= 0);
    close(client);
    close(listener.fd);
}

static void a_file_that_is_no_socket_is_refused_and_stays(void **state)
{
    struct unix_address at = address_of(0600);
    FILE *file = fopen(path, "w");
    struct stat status;
    struct listener_unix listener = {.fd = -1};

    (void)state;
    assert_non_null(file);
    fputs("precious", file);
    fclose(file);
    assert_int_equal(listener_open_unix(&at, &listener), -EEXIST);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, 8);
}

static void a_directory_that_is_missing_is_an_error(void **state)
{
    struct unix_address at = address_of(0600);
    struct listener_unix listener = {.fd = -1};

    (void)state;
    at.path = "/nonexistent/pdns.sock";
    assert_int_equal(listener_open_unix(&at, &listener), -ENOENT);
}

static void a_place_for_a_unix_socket_is_known_before_it_is_opened(void **state)
{
    struct unix_address at = address_of(0600);
    struct listener_unix listener;
    int fd;

    (void)state;
    assert_int_equal(listener_try_unix(&at), 0);
    assert_int_equal(listener_open_unix(&at, &listener), 0);
    assert_int_equal(listener_try_unix(&at), 0);
    listener_close_unix(&at, &listener);
    at.path = "absent/pdns.sock";
    assert_int_equal(listener_try_unix(&at), -ENOENT);
    fd = open("file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
    at.path = "file";
    assert_int_equal(listener_try_unix(&at), -EEXIST);
    at.path = "file/pdns.sock";
    assert_int_equal(listener_try_unix(&at), -ENOTDIR);
    unlink("file");
}

static void an_address_of_another_machine_is_known_before_it_is_opened(void **state)
{
    struct listen_address address = loopback(0);
    int fd = -1;

    (void)state;
    assert_int_equal(listener_open_tcp(&address, 1, &fd), 0);
    address = loopback(sockets_port(fd));
    assert_int_equal(listener_try_tcp(&address), 0);
    close(fd);
    assert_true(listen_address_parse(TEXT("192.0.2.1:80"), 80, &address));
    assert_int_equal(listener_try_tcp(&address), -EADDRNOTAVAIL);
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
    struct listener_unix first, second;
    int client;

    (void)state;
    assert_int_equal(listener_open_unix(&at, &first), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(listener_open_unix(&at, &second), 0);
    listener_close_unix(&at, &first);
    client = sockets_connect_unix(path);
    assert_true(client >= 0);
    close(client);
    listener_close_unix(&at, &second);
    assert_int_equal(sockets_connect_unix(path), -ENOENT);
}

/* What another service does at the worst moment, and how it got on. */
static struct listen_address port_of_another;
static int sockets_of_another[2], result_of_another;
static struct listener_unix socket_of_another;

static void open_port_of_another(void)
{
    result_of_another = listener_open_tcp(&port_of_another, 2, sockets_of_another);
}

static void of_two_services_that_start_at_once_one_gets_the_port(void **state)
{
    static const size_t n_sockets[] = {1, 2};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(n_sockets); i++) {
        int fds[2] = {-1, -1}, r;

        port_of_another = loopback(sockets_free_port());
        before_listen = open_port_of_another;
        r = listener_open_tcp(&port_of_another, n_sockets[i], fds);
        assert_int_equal(r == 0 ? result_of_another : r, -EADDRINUSE);
        assert_true(r == 0 || result_of_another == 0);
        for (size_t j = 0; r == 0 && j < n_sockets[i]; j++)
            close(fds[j]);
        for (size_t j = 0; result_of_another == 0 && j < 2; j++)
            close(sockets_of_another[j]);
    }
}

static pid_t child;

/* Starts a service in a process of its own, and gives it time to do what it can. It ends with 0 if
 * it is refused. */
static void start_service_in_child(void)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    siginfo_t ended = {0};

    child = fork();
    if (child == 0) {
        struct unix_address at = address_of(0600);

        /* Another program ends with 0, as valgrind would count what this one still holds. */
        if (listener_open_unix(&at, &socket_of_another) == -EADDRINUSE)
            execl("/bin/true", "true", (char *)NULL);
        _exit(1);
    }
    for (int i = 0; i < 200 && ended.si_pid == 0; i++) {
        waitid(P_PID, (id_t)child, &ended, WEXITED | WNOHANG | WNOWAIT);
        nanosleep(&pause, NULL);
    }
}

static void of_two_services_that_start_at_once_one_gets_the_socket(void **state)
{
    struct unix_address at = address_of(0600);
    struct listener_unix listener;
    int status, client;

    (void)state;
    before_listen = start_service_in_child;
    assert_int_equal(listener_open_unix(&at, &listener), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    client = sockets_connect_unix(path);
    assert_true(client >= 0);
    close(client);
    listener_close_unix(&at, &listener);
}

static void open_socket_of_another(void)
{
    struct unix_address at = address_of(0600);

    result_of_another = listener_open_unix(&at, &socket_of_another);
}

static void a_service_that_stops_takes_no_socket_from_one_that_starts(void **state)
{
    struct unix_address at = address_of(0600);
    struct listener_unix listener;

    (void)state;
    assert_int_equal(listener_open_unix(&at, &listener), 0);
    before_unlink = open_socket_of_another;
    listener_close_unix(&at, &listener);
    if (result_of_another == 0) {
        assert_true(sockets_connect_unix(path) >= 0);
        listener_close_unix(&at, &socket_of_another);
    }
    open_socket_of_another();
    assert_int_equal(result_of_another, 0);
    listener_close_unix(&at, &socket_of_another);
}

/* Who can read a directory can lock it. */
static void a_lock_that_somebody_keeps_does_not_keep_a_service_from_starting(void **state)
{
    struct unix_address at = address_of(0600);
    struct listener_unix listener;
    int lock = open(".", O_RDONLY | O_DIRECTORY);

    (void)state;
    assert_int_equal(flock(lock, LOCK_SH), 0);
    assert_int_equal(listener_open_unix(&at, &listener), 0);
    listener_close_unix(&at, &listener);
    close(lock);
}

static void a_connection_is_known_from_other_descriptors(void **state)
{
    static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
    struct listen_address address = loopback(0);
    struct unix_address at = address_of(0600);
    struct listener_unix listener;
    int pair[2], tcp, client;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(types); i++) {
        assert_int_equal(socketpair(AF_UNIX, types[i], 0, pair), 0);
        assert_int_equal(listener_fits_connection(pair[0]), types[i] == SOCK_STREAM);
        close(pair[1]);
        assert_int_equal(listener_fits_connection(pair[0]), types[i] == SOCK_STREAM);
        close(pair[0]);
    }
    assert_int_equal(listener_open_unix(&at, &listener), 0);
    assert_false(listener_fits_connection(listener.fd));
    listener_close_unix(&at, &listener);
    assert_int_equal(listener_open_tcp(&address, 1, &tcp), 0);
    client = sockets_connect_tcp(sockets_port(tcp));
    assert_true(client >= 0);
    assert_false(listener_fits_connection(client));
    close(client);
    close(tcp);
    assert_int_equal(pipe(pair), 0);
    assert_false(listener_fits_connection(pair[0]));
    close(pair[0]);
    close(pair[1]);
    assert_false(listener_fits_connection(-1));
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
        TEST(a_place_for_a_unix_socket_is_known_before_it_is_opened),
        TEST(an_address_of_another_machine_is_known_before_it_is_opened),
        TEST(a_tcp_port_in_use_is_refused),
        TEST(several_sockets_share_a_port_that_stays_closed_to_others),
        TEST(connections_send_at_once),
        TEST(closing_leaves_the_socket_of_a_later_service),
        TEST(of_two_services_that_start_at_once_one_gets_the_port),
        TEST(of_two_services_that_start_at_once_one_gets_the_socket),
        TEST(a_service_that_stops_takes_no_socket_from_one_that_starts),
        TEST(a_connection_is_known_from_other_descriptors),
        TEST(a_lock_that_somebody_keeps_does_not_keep_a_service_from_starting),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
