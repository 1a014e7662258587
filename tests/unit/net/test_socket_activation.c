/* Sockets that a service manager hands over, by what the environment says of them. */
#include "base/buffer.h"
#include "cmocka_all.h"
#include "net/socket_activation.h"
#include "os/fd.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { FIRST = 3, SOCKETS = 3 };

static void set_environment(const char *pid, const char *n, const char *names)
{
    char own[16];

    snprintf(own, sizeof(own), "%d", (int)getpid());
    setenv("LISTEN_PID", pid ? pid : own, 1);
    setenv("LISTEN_FDS", n, 1);
    if (names)
        setenv("LISTEN_FDNAMES", names, 1);
    else
        unsetenv("LISTEN_FDNAMES");
}

/* Takes the first socket of a name. Returns its descriptor, or -1. */
static int take(struct socket_activation *activation, const char *name)
{
    struct activated_socket *socket = socket_activation_find(activation, name);

    return socket ? fd_take(&socket->fd) : -1;
}

static void sockets_are_taken_by_their_names(void **state)
{
    struct socket_activation activation;

    (void)state;
    set_environment(NULL, "3", "http:unix:http");
    socket_activation_init(&activation);
    assert_int_equal(take(&activation, "unix"), FIRST + 1);
    assert_int_equal(take(&activation, "unix"), -1);
    assert_int_equal(take(&activation, "policy"), -1);
    assert_int_equal(take(&activation, "http"), FIRST);
    assert_int_equal(take(&activation, "http"), FIRST + 2);
    assert_int_equal(take(&activation, "http"), -1);
}

static void children_learn_nothing_of_them(void **state)
{
    struct socket_activation activation;

    (void)state;
    set_environment(NULL, "1", "http");
    socket_activation_init(&activation);
    assert_null(getenv("LISTEN_PID"));
    assert_null(getenv("LISTEN_FDS"));
    assert_null(getenv("LISTEN_FDNAMES"));
    assert_int_equal(fcntl(FIRST, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

static void what_is_left_is_closed(void **state)
{
    struct socket_activation activation;

    (void)state;
    set_environment(NULL, "2", "http:other");
    socket_activation_init(&activation);
    assert_int_equal(take(&activation, "http"), FIRST);
    socket_activation_deinit(&activation);
    assert_int_not_equal(fcntl(FIRST, F_GETFD), -1);
    assert_int_equal(fcntl(FIRST + 1, F_GETFD), -1);
}

static void what_is_meant_for_another_process_is_left_alone(void **state)
{
    static const struct {
        const char *pid, *n, *names;
    } cases[] = {
        {"1", "1", "http"}, {"", "1", "http"},   {NULL, "0", "http"},
        {NULL, "", "http"}, {NULL, "-", "http"}, {NULL, "-1", "http"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct socket_activation activation;

        set_environment(cases[i].pid, cases[i].n, cases[i].names);
        socket_activation_init(&activation);
        assert_int_equal(activation.n, 0);
        assert_int_equal(take(&activation, "http"), -1);
    }
}

static void more_sockets_than_names_have_none(void **state)
{
    struct socket_activation activation;

    (void)state;
    set_environment(NULL, "3", "http");
    socket_activation_init(&activation);
    assert_int_equal(take(&activation, "http"), FIRST);
    assert_int_equal(take(&activation, ""), FIRST + 1);
    assert_int_equal(take(&activation, ""), FIRST + 2);
}

static void without_names_they_have_none(void **state)
{
    struct socket_activation activation;

    (void)state;
    set_environment(NULL, "1", NULL);
    socket_activation_init(&activation);
    assert_int_equal(take(&activation, ""), FIRST);
}

static void a_number_beyond_the_descriptors_is_not_believed(void **state)
{
    struct socket_activation activation;

    (void)state;
    close(FIRST + SOCKETS);
    set_environment(NULL, "18446744073709551615", "http");
    socket_activation_init(&activation);
    assert_int_equal(activation.n, SOCKETS);
    assert_int_equal(activation.n_beyond, 0);
}

static void more_sockets_than_there_is_room_for_are_closed(void **state)
{
    struct socket_activation activation;
    int end = FIRST + SOCKET_ACTIVATION_SOCKETS_MAX + 2;

    (void)state;
    for (int fd = FIRST; fd < end; fd++)
        assert_int_equal(dup2(STDIN_FILENO, fd), fd);
    close(end);
    set_environment(NULL, "18", "http");
    socket_activation_init(&activation);
    assert_int_equal(activation.n, SOCKET_ACTIVATION_SOCKETS_MAX);
    assert_int_equal(activation.n_beyond, 2);
    assert_int_equal(fcntl(end - 2, F_GETFD), -1);
    assert_int_equal(fcntl(end - 1, F_GETFD), -1);
    socket_activation_deinit(&activation);
}

static void connections_are_apart_from_sockets(void **state)
{
    struct socket_activation activation;

    (void)state;
    set_environment(NULL, "3", "unix-connection:unix:unix-connection");
    socket_activation_init(&activation);
    assert_null(socket_activation_find(&activation, "unix-connection"));
    assert_int_equal(take(&activation, "unix"), FIRST + 1);
    assert_int_equal(socket_activation_take_connection(&activation), FIRST + 2);
    assert_int_equal(fcntl(FIRST + 2, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    socket_activation_deinit(&activation);
    assert_int_equal(fcntl(FIRST, F_GETFD), -1);
    assert_int_not_equal(fcntl(FIRST + 2, F_GETFD), -1);
    assert_int_equal(socket_activation_take_connection(&activation), -1);
}

static void more_connections_than_a_listener_may_have_are_closed(void **state)
{
    CLEANUP(buffer_deinit) struct buffer names = BUFFER_INIT;
    struct socket_activation activation;
    char number[16];
    int end = FIRST + 1 + SOCKET_ACTIVATION_CONNECTIONS_MAX + 1;

    (void)state;
    fd_limit_raise();
    assert_true(fd_limit_hard() > (size_t)end);
    for (int fd = FIRST; fd < end; fd++) {
        assert_int_equal(dup2(STDIN_FILENO, fd), fd);
        buffer_add_string(&names, fd == FIRST ? "unix" : ":unix-connection");
    }
    snprintf(number, sizeof(number), "%d", end - FIRST);
    set_environment(NULL, number, buffer_string(&names));
    socket_activation_init(&activation);
    assert_int_equal(activation.n, 1);
    assert_int_equal(activation.n_beyond, 0);
    assert_int_equal(activation.n_connections, SOCKET_ACTIVATION_CONNECTIONS_MAX);
    assert_int_equal(activation.n_connections_beyond, 1);
    assert_int_equal(fcntl(end - 1, F_GETFD), -1);
    socket_activation_deinit(&activation);
    assert_int_equal(fcntl(end - 2, F_GETFD), -1);
}

static void a_long_name_is_cut(void **state)
{
    struct socket_activation activation;

    (void)state;
    set_environment(NULL, "2", "a-name-that-is-longer-than-any-of-ours-is:http");
    socket_activation_init(&activation);
    assert_int_equal(take(&activation, "http"), FIRST + 1);
    assert_int_equal(strlen(activation.sockets[0].name), SOCKET_ACTIVATION_NAME_MAX);
}

/* Descriptors 3 to 5, whatever there was. */
static int open_sockets(void **state)
{
    (void)state;
    for (int fd = FIRST; fd < FIRST + SOCKETS; fd++)
        if (dup2(STDIN_FILENO, fd) < 0)
            return -1;
    return 0;
}

#define TEST(FUNCTION) cmocka_unit_test_setup(FUNCTION, open_sockets)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sockets_are_taken_by_their_names),
        TEST(children_learn_nothing_of_them),
        TEST(what_is_left_is_closed),
        TEST(what_is_meant_for_another_process_is_left_alone),
        TEST(more_sockets_than_names_have_none),
        TEST(without_names_they_have_none),
        TEST(a_number_beyond_the_descriptors_is_not_believed),
        TEST(more_sockets_than_there_is_room_for_are_closed),
        TEST(connections_are_apart_from_sockets),
        TEST(more_connections_than_a_listener_may_have_are_closed),
        TEST(a_long_name_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
