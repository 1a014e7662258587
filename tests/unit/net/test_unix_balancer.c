#include "cmocka_all.h"
#include "net/listener.h"
#include "net/stream.h"
#include "net/unix_balancer.h"
#include "sockets.h"
#include "temporary.h"

#include <errno.h>
#include <unistd.h>

enum { THREADS = 3, PLACES = 4, CLIENTS_MAX = 64 };

/* A dealer on a socket in the test's directory, and clients that have connected to it. */
struct table {
    struct event_base *base;
    struct unix_balancer *dealer;
    struct stream_counters counters[THREADS];
    int listening;
    int clients[CLIENTS_MAX];
    size_t n_clients;
};

static const struct unix_address at = {
    .path = "pdns.sock", .mode = 0600, .group = UNIX_GROUP_UNCHANGED};

static void table_init(struct table *table)
{
    *table = (struct table){.base = stream_base_new()};
    assert_non_null(table->base);
    assert_int_equal(listener_open_unix(&at, &table->listening), 0);
    assert_int_equal(unix_balancer_new(THREADS, PLACES, &table->dealer), 0);
    for (size_t i = 0; i < THREADS; i++)
        unix_balancer_watch(table->dealer, i, &table->counters[i]);
    assert_int_equal(unix_balancer_start(table->dealer, table->base, table->listening), 0);
}

static void table_deinit(struct table *table)
{
    for (size_t i = 0; i < table->n_clients; i++)
        close(table->clients[i]);
    unix_balancer_free(table->dealer);
    listener_close_unix(&at, table->listening);
    event_base_free(table->base);
}

/* Connects some clients, and has the dealer deal them. */
static void deal(struct table *table, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int fd = sockets_connect_unix(at.path);

        assert_true(fd >= 0);
        table->clients[table->n_clients++] = fd;
    }
    event_base_loop(table->base, EVLOOP_NONBLOCK);
}

/* Takes, as a thread does, all that was dealt to it; returns how many. */
static size_t take_all(const struct table *table, size_t thread)
{
    size_t n = 0;
    int fd;

    while ((fd = unix_balancer_take(unix_balancer_descriptor(table->dealer, thread))) >= 0) {
        close(fd);
        n++;
    }
    assert_int_equal(errno, EAGAIN);
    return n;
}

static void assert_dealt(const struct table *table, size_t first, size_t second, size_t third)
{
    assert_int_equal(take_all(table, 0), first);
    assert_int_equal(take_all(table, 1), second);
    assert_int_equal(take_all(table, 2), third);
}

static void every_thread_gets_as_many_connections(void **state)
{
    CLEANUP(table_deinit) struct table table;

    (void)state;
    table_init(&table);
    deal(&table, 8);
    assert_dealt(&table, 3, 3, 2);
    deal(&table, 1);
    assert_dealt(&table, 0, 0, 1);
}

static void a_thread_whose_connections_have_ended_gets_the_next(void **state)
{
    CLEANUP(table_deinit) struct table table;

    (void)state;
    table_init(&table);
    deal(&table, 9);
    assert_dealt(&table, 3, 3, 3);
    counter_add(&table.counters[1].closed, 3);
    deal(&table, 3);
    assert_dealt(&table, 0, 3, 0);
}

static void connections_beyond_the_places_wait(void **state)
{
    CLEANUP(table_deinit) struct table table;

    (void)state;
    table_init(&table);
    deal(&table, 15);
    assert_dealt(&table, 4, 4, 4);
    deal(&table, 0);
    assert_dealt(&table, 0, 0, 0);
    counter_add(&table.counters[2].closed, 2);
    event_base_loop(table.base, EVLOOP_ONCE);
    deal(&table, 0);
    assert_dealt(&table, 0, 0, 2);
}

static void what_nobody_has_taken_is_closed_with_the_dealer(void **state)
{
    CLEANUP(table_deinit) struct table table;
    char byte;

    (void)state;
    table_init(&table);
    deal(&table, 3);
    unix_balancer_free(table.dealer);
    table.dealer = NULL;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(recv(table.clients[i], &byte, 1, 0), 0);
}

#define TEST(FUNCTION) cmocka_unit_test_setup_teardown(FUNCTION, temporary_enter, temporary_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_thread_gets_as_many_connections),
        TEST(a_thread_whose_connections_have_ended_gets_the_next),
        TEST(connections_beyond_the_places_wait),
        TEST(what_nobody_has_taken_is_closed_with_the_dealer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
