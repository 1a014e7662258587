#include "cmocka_all.h"
#include "net/listener.h"
#include "net/stream.h"
#include "net/unix_balancer.h"
#include "sockets.h"
#include "temporary.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

enum { THREADS = 3, CONNECTIONS_MAX = 4, CLIENTS_MAX = 64 };

/* A balancer on a socket in the test's directory, and clients that have connected to it. */
struct fixture {
    struct event_base *base;
    struct unix_balancer *balancer;
    struct stream_counters counters[THREADS];
    struct listener_unix listening;
    int clients[CLIENTS_MAX];
    size_t n_clients;
};

static const struct unix_address at = {
    .path = "pdns.sock", .mode = 0600, .group = UNIX_GROUP_UNCHANGED};

static void fixture_init(struct fixture *fixture)
{
    *fixture = (struct fixture){.base = stream_base_new()};
    assert_non_null(fixture->base);
    assert_int_equal(listener_open_unix(&at, &fixture->listening), 0);
    assert_int_equal(unix_balancer_new(THREADS, CONNECTIONS_MAX, &fixture->balancer), 0);
    for (size_t i = 0; i < THREADS; i++)
        unix_balancer_watch(fixture->balancer, i, &fixture->counters[i]);
    assert_int_equal(unix_balancer_start(fixture->balancer, fixture->base, fixture->listening.fd),
                     0);
}

static void fixture_deinit(struct fixture *fixture)
{
    for (size_t i = 0; i < fixture->n_clients; i++)
        close(fixture->clients[i]);
    unix_balancer_free(fixture->balancer);
    listener_close_unix(&at, &fixture->listening);
    event_base_free(fixture->base);
}

/* Connects some clients, and has the balancer pass them on. */
static void connect_clients(struct fixture *fixture, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int fd = sockets_connect_unix(at.path);

        assert_true(fd >= 0);
        fixture->clients[fixture->n_clients++] = fd;
    }
    event_base_loop(fixture->base, EVLOOP_NONBLOCK);
}

/* Takes, as a thread does, all that was passed on to it; returns how many. */
static size_t take_all(const struct fixture *fixture, size_t thread)
{
    size_t n = 0;
    int fd;

    while ((fd = unix_balancer_take(unix_balancer_descriptor(fixture->balancer, thread))) >= 0) {
        close(fd);
        n++;
    }
    assert_int_equal(errno, EAGAIN);
    return n;
}

static void assert_passed_on(const struct fixture *fixture, size_t first, size_t second,
                             size_t third)
{
    assert_int_equal(take_all(fixture, 0), first);
    assert_int_equal(take_all(fixture, 1), second);
    assert_int_equal(take_all(fixture, 2), third);
}

static void every_thread_gets_as_many_connections(void **state)
{
    CLEANUP(fixture_deinit) struct fixture fixture;

    (void)state;
    fixture_init(&fixture);
    connect_clients(&fixture, 8);
    assert_passed_on(&fixture, 3, 3, 2);
    connect_clients(&fixture, 1);
    assert_passed_on(&fixture, 0, 0, 1);
}

static void a_thread_whose_connections_have_ended_gets_the_next(void **state)
{
    CLEANUP(fixture_deinit) struct fixture fixture;

    (void)state;
    fixture_init(&fixture);
    connect_clients(&fixture, 9);
    assert_passed_on(&fixture, 3, 3, 3);
    counter_add(&fixture.counters[1].closed, 3);
    connect_clients(&fixture, 3);
    assert_passed_on(&fixture, 0, 3, 0);
}

static void connections_beyond_the_places_wait(void **state)
{
    CLEANUP(fixture_deinit) struct fixture fixture;

    (void)state;
    fixture_init(&fixture);
    connect_clients(&fixture, 15);
    assert_passed_on(&fixture, 4, 4, 4);
    connect_clients(&fixture, 0);
    assert_passed_on(&fixture, 0, 0, 0);
    counter_add(&fixture.counters[2].closed, 2);
    event_base_loop(fixture.base, EVLOOP_ONCE);
    connect_clients(&fixture, 0);
    assert_passed_on(&fixture, 0, 0, 2);
}

/* Passes on connections that come from elsewhere. Returns how many there was a place for. */
static size_t add_connections(struct fixture *fixture, size_t n)
{
    size_t n_added = 0;

    for (size_t i = 0; i < n; i++) {
        int pair[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
        n_added += unix_balancer_add(fixture->balancer, pair[0]);
        fixture->clients[fixture->n_clients++] = pair[1];
    }
    return n_added;
}

static void connections_from_elsewhere_are_divided_and_count(void **state)
{
    CLEANUP(fixture_deinit) struct fixture fixture;

    (void)state;
    fixture_init(&fixture);
    assert_int_equal(add_connections(&fixture, 7), 7);
    connect_clients(&fixture, 1);
    assert_passed_on(&fixture, 3, 3, 2);
    connect_clients(&fixture, 5);
    assert_passed_on(&fixture, 1, 1, 2);
}

static void connections_from_elsewhere_are_closed_beyond_the_places(void **state)
{
    CLEANUP(fixture_deinit) struct fixture fixture;
    char byte;

    (void)state;
    fixture_init(&fixture);
    assert_int_equal(add_connections(&fixture, 13), 12);
    assert_int_equal(recv(fixture.clients[12], &byte, 1, 0), 0);
    assert_passed_on(&fixture, 4, 4, 4);
}

static void what_nobody_has_taken_is_closed_with_the_balancer(void **state)
{
    CLEANUP(fixture_deinit) struct fixture fixture;
    char byte;

    (void)state;
    fixture_init(&fixture);
    connect_clients(&fixture, 3);
    unix_balancer_free(fixture.balancer);
    fixture.balancer = NULL;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(recv(fixture.clients[i], &byte, 1, 0), 0);
}

static void connections_wait_in_the_socket_of_a_balancer_that_is_closed(void **state)
{
    CLEANUP(fixture_deinit) struct fixture fixture;
    int fd;

    (void)state;
    fixture_init(&fixture);
    unix_balancer_close(fixture.balancer);
    connect_clients(&fixture, 1);
    assert_passed_on(&fixture, 0, 0, 0);
    fd = accept(fixture.listening.fd, NULL, NULL);
    assert_true(fd >= 0);
    close(fd);
}

static void begin(void *state, void *context, int descriptor)
{
    (void)state;
    (void)context;
    (void)descriptor;
}

static struct stream_result echo(void *state, struct text bytes, struct buffer *replies)
{
    (void)state;
    buffer_add_text(replies, bytes);
    return (struct stream_result){.outcome = STREAM_ANSWERED, .n_read = bytes.length};
}

static void end(void *state)
{
    (void)state;
}

static void what_was_passed_on_to_a_thread_that_drains_is_answered(void **state)
{
    static const struct stream_protocol protocol = {.begin = begin, .read = echo, .end = end};
    CLEANUP(fixture_deinit) struct fixture fixture;
    struct stream_places places = {.max = 4, .share = 4};
    struct stream_server *server;
    struct stream_setup setup = {
        .protocol = &protocol, .places = &places, .take = unix_balancer_take};
    char byte;

    (void)state;
    fixture_init(&fixture);
    setup.counters = &fixture.counters[0];
    connect_clients(&fixture, 1);
    assert_int_equal(stream_server_new(fixture.base, unix_balancer_descriptor(fixture.balancer, 0),
                                       &setup, &server),
                     0);
    stream_server_drain(server);
    assert_true(stream_server_is_busy(server));
    assert_int_equal(send(fixture.clients[0], "x", 1, MSG_NOSIGNAL), 1);
    event_base_loop(fixture.base, EVLOOP_NONBLOCK);
    assert_int_equal(recv(fixture.clients[0], &byte, 1, 0), 1);
    assert_int_equal(recv(fixture.clients[0], &byte, 1, 0), 0);
    assert_false(stream_server_is_busy(server));
    stream_server_free(server);
}

#define TEST(FUNCTION) cmocka_unit_test_setup_teardown(FUNCTION, temporary_enter, temporary_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_thread_gets_as_many_connections),
        TEST(a_thread_whose_connections_have_ended_gets_the_next),
        TEST(connections_beyond_the_places_wait),
        TEST(connections_from_elsewhere_are_divided_and_count),
        TEST(connections_from_elsewhere_are_closed_beyond_the_places),
        TEST(connections_wait_in_the_socket_of_a_balancer_that_is_closed),
        TEST(what_was_passed_on_to_a_thread_that_drains_is_answered),
        TEST(what_nobody_has_taken_is_closed_with_the_balancer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
