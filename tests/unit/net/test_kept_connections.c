/* Which connections a server leaves when it drains, and what is still in them. */
#include "cmocka_all.h"
#include "net/stream.h"
#include "net/stream_counters.h"
#include "sockets.h"

#include <errno.h>
#include <unistd.h>

enum { LONG = 4 << 20 /* bytes, more than a socket holds */ };

/* A protocol of lines: each is a number, and its reply as many x and a newline. "q" ends the
 * connection with a newline. A part of a line waits in the state. */
static void begin(void *state, void *context, int descriptor)
{
    (void)state;
    (void)context;
    (void)descriptor;
}

static struct stream_result read_line(void *state, struct text bytes, struct buffer *replies)
{
    struct buffer *begun = state;
    const char *end = memchr(bytes.data, '\n', bytes.length);
    struct stream_result result = {.n_read = bytes.length};
    bool last;

    if (end)
        result.n_read = (size_t)(end + 1 - bytes.data);
    buffer_add(begun, bytes.data, result.n_read);
    if (!end)
        return result;
    last = begun->data[0] == 'q';
    result.outcome = last ? STREAM_CLOSE : STREAM_ANSWERED;
    for (size_t n = last ? 0 : strtoul(buffer_string(begun), NULL, 10); n > 0; n--)
        buffer_add_string(replies, "x");
    buffer_add_string(replies, "\n");
    buffer_clear(begun);
    return result;
}

static void end(void *state)
{
    buffer_deinit(state);
}

static const struct stream_protocol protocol = {
    .state_size = sizeof(struct buffer), .begin = begin, .read = read_line, .end = end};

struct fixture {
    struct event_base *base;
    struct stream_server *server;
    struct stream_places places;
    struct stream_counters counters;
    int listening;
    int peer; /* that is connected */
};

static void run(const struct fixture *fixture)
{
    event_base_loop(fixture->base, EVLOOP_NONBLOCK);
}

static void fixture_init(struct fixture *fixture, bool keep)
{
    const struct stream_setup setup = {.protocol = &protocol,
                                       .places = &fixture->places,
                                       .counters = &fixture->counters,
                                       .keep = keep};

    *fixture = (struct fixture){
        .places = {.max = 4, .share = 4}, .base = stream_base_new(), .listening = sockets_listen()};
    assert_int_equal(stream_server_new(fixture->base, fixture->listening, &setup, &fixture->server),
                     0);
    fixture->peer = sockets_connect();
    run(fixture);
}

static void fixture_deinit(struct fixture *fixture)
{
    stream_server_free(fixture->server);
    assert_int_equal(fixture->places.taken, 0);
    assert_int_equal(counter_read(&fixture->counters.accepted),
                     counter_read(&fixture->counters.closed));
    event_base_free(fixture->base);
    close(fixture->listening);
    close(fixture->peer);
}

static void say(const struct fixture *fixture, const char *text)
{
    assert_int_equal(send(fixture->peer, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Reads what there is, while the server goes on, until N bytes have come. */
static void assert_reply(const struct fixture *fixture, size_t n)
{
    char bytes[4096];

    while (n > 0) {
        ssize_t got = recv(fixture->peer, bytes, n < sizeof(bytes) ? n : sizeof(bytes), 0);

        assert_true(got > 0 || (got < 0 && errno == EAGAIN));
        n -= got > 0 ? (size_t)got : 0;
        run(fixture);
    }
}

static void assert_ended(const struct fixture *fixture)
{
    char byte;

    assert_int_equal(recv(fixture->peer, &byte, 1, 0), 0);
}

/* Takes the one connection, in which there are these bytes and no others. */
static void assert_released_with(const struct fixture *fixture, const char *expected)
{
    char bytes[64];
    int fd = stream_server_release(fixture->server);
    ssize_t n = strlen(expected) > 0 ? (ssize_t)strlen(expected) : -1;

    assert_true(fd >= 0);
    assert_int_equal(stream_server_release(fixture->server), -1);
    assert_int_equal(stream_server_connections(fixture->server), 0);
    assert_int_equal(recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT), n);
    assert_memory_equal(bytes, expected, strlen(expected));
    assert_int_equal(send(fd, "y", 1, MSG_NOSIGNAL), 1);
    close(fd);
    assert_reply(fixture, 1);
    assert_int_equal(recv(fixture->peer, bytes, 1, 0), 0);
}

static void an_idle_connection_is_left_with_what_comes_later(void **state)
{
    CLEANUP(fixture_deinit) struct fixture fixture;

    (void)state;
    fixture_init(&fixture, true);
    say(&fixture, "3\n");
    run(&fixture);
    assert_reply(&fixture, 4);
    stream_server_drain(fixture.server);
    assert_false(stream_server_is_busy(fixture.server));
    say(&fixture, "5\n");
    run(&fixture);
    assert_released_with(&fixture, "5\n");
}

static void what_had_come_and_was_not_read_is_left_unread(void **state)
{
    CLEANUP(fixture_deinit) struct fixture fixture;

    (void)state;
    fixture_init(&fixture, true);
    say(&fixture, "3\n");
    run(&fixture);
    assert_reply(&fixture, 4);
    say(&fixture, "5\n");
    stream_server_drain(fixture.server);
    run(&fixture);
    assert_released_with(&fixture, "5\n");
}

static void a_connection_that_has_not_asked_yet_is_left(void **state)
{
    CLEANUP(fixture_deinit) struct fixture fixture;

    (void)state;
    fixture_init(&fixture, true);
    stream_server_drain(fixture.server);
    assert_false(stream_server_is_busy(fixture.server));
    assert_released_with(&fixture, "");
}

static void half_a_request_is_answered_first(void **state)
{
    CLEANUP(fixture_deinit) struct fixture fixture;

    (void)state;
    fixture_init(&fixture, true);
    say(&fixture, "3\n5");
    run(&fixture);
    assert_reply(&fixture, 4);
    stream_server_drain(fixture.server);
    assert_true(stream_server_is_busy(fixture.server));
    assert_int_equal(stream_server_release(fixture.server), -1);
    say(&fixture, "\n");
    run(&fixture);
    assert_false(stream_server_is_busy(fixture.server));
    assert_reply(&fixture, 6);
    assert_released_with(&fixture, "");
}

static void a_reply_that_waits_is_sent_first(void **state)
{
    CLEANUP(fixture_deinit) struct fixture fixture;

    (void)state;
    fixture_init(&fixture, true);
    say(&fixture, "4194304\n5\n");
    run(&fixture);
    stream_server_drain(fixture.server);
    assert_true(stream_server_is_busy(fixture.server));
    say(&fixture, "7\n");
    assert_int_equal(stream_server_release(fixture.server), -1);
    assert_reply(&fixture, LONG + 1 + 6);
    assert_false(stream_server_is_busy(fixture.server));
    assert_released_with(&fixture, "7\n");
}

static void a_connection_that_is_to_end_ends(void **state)
{
    CLEANUP(fixture_deinit) struct fixture fixture;

    (void)state;
    fixture_init(&fixture, true);
    say(&fixture, "3");
    run(&fixture);
    stream_server_drain(fixture.server);
    say(&fixture, "\nq\n");
    run(&fixture);
    assert_reply(&fixture, 4 + 1);
    assert_ended(&fixture);
    assert_int_equal(stream_server_release(fixture.server), -1);
}

static void what_nobody_takes_ends_with_the_server(void **state)
{
    CLEANUP(fixture_deinit) struct fixture fixture;

    (void)state;
    fixture_init(&fixture, true);
    stream_server_drain(fixture.server);
    stream_server_free(fixture.server);
    fixture.server = NULL;
    assert_ended(&fixture);
}

/* It looks for connections that have to go, of which there are none. */
static void too_few_places_do_not_concern_what_is_left(void **state)
{
    CLEANUP(fixture_deinit) struct fixture fixture;

    (void)state;
    fixture_init(&fixture, true);
    say(&fixture, "4194304\n");
    run(&fixture);
    stream_server_drain(fixture.server);
    assert_reply(&fixture, LONG + 1);
    fixture.places.max = fixture.places.share = 0;
    event_base_loop(fixture.base, EVLOOP_ONCE);
    assert_released_with(&fixture, "");
}

static void a_server_that_keeps_none_answers_once_more(void **state)
{
    CLEANUP(fixture_deinit) struct fixture fixture;

    (void)state;
    fixture_init(&fixture, false);
    stream_server_drain(fixture.server);
    assert_int_equal(stream_server_release(fixture.server), -1);
    say(&fixture, "3\n");
    run(&fixture);
    assert_reply(&fixture, 4);
    assert_ended(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_idle_connection_is_left_with_what_comes_later),
        cmocka_unit_test(what_had_come_and_was_not_read_is_left_unread),
        cmocka_unit_test(a_connection_that_has_not_asked_yet_is_left),
        cmocka_unit_test(half_a_request_is_answered_first),
        cmocka_unit_test(a_reply_that_waits_is_sent_first),
        cmocka_unit_test(a_connection_that_is_to_end_ends),
        cmocka_unit_test(what_nobody_takes_ends_with_the_server),
        cmocka_unit_test(too_few_places_do_not_concern_what_is_left),
        cmocka_unit_test(a_server_that_keeps_none_answers_once_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
