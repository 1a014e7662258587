/* Replies that are made in pieces, over HTTP and over a protocol of lines, to peers on sockets. */
#include "cmocka_all.h"
#include "net/http.h"
#include "net/stream_counters.h"
#include "sockets.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum {
    PIECE = 16 << 10,
    LONG = 300000,         /* numbers in a long reply, about 2 MB */
    AHEAD_MAX = 1 << 19,   /* bytes: more than a socket holds, far less than a long reply */
    DEADLINE_SECONDS = 60, /* for what takes milliseconds */
    NEVER = INT32_MAX,
};

int __real_clock_gettime(clockid_t clock, struct timespec *out);
int __wrap_clock_gettime(clockid_t clock, struct timespec *out);

static time_t later; /* seconds that the server's clocks are ahead */

int __wrap_clock_gettime(clockid_t clock, struct timespec *out)
{
    int r = __real_clock_gettime(clock, out);

    out->tv_sec += later;
    return r;
}

/* Makes the numbers from 0 on, one a line. Every third piece is empty. */
struct numbers {
    struct producer producer;
    size_t next, end, fails_at, pieces;
};

static size_t made;  /* bytes */
static size_t alive; /* producers */

static bool numbers_more(struct producer *producer, struct buffer *out)
{
    struct numbers *numbers = (struct numbers *)producer;
    size_t begin = out->length;

    if (++numbers->pieces % 3 == 0)
        return true;
    while (numbers->next < numbers->end && out->length - begin < PIECE && !out->failed) {
        if (numbers->next == numbers->fails_at)
            out->failed = true;
        buffer_printf(out, "%zu\n", numbers->next++);
    }
    made += out->length - begin;
    return numbers->next < numbers->end;
}

static void numbers_free(struct producer *producer)
{
    alive--;
    free(producer);
}

static struct producer *numbers_new(size_t n, size_t fails_at)
{
    struct numbers *numbers = calloc(1, sizeof(*numbers));

    assert_non_null(numbers);
    *numbers = (struct numbers){
        .producer = {.more = numbers_more, .free = numbers_free},
        .end = n,
        .fails_at = fails_at,
    };
    alive++;
    return &numbers->producer;
}

/* Makes all numbers below N at once. */
static void add_numbers(struct buffer *out, size_t n)
{
    buffer_add_string(out, "numbers\n");
    for (size_t i = 0; i < n; i++)
        buffer_printf(out, "%zu\n", i);
}

/* A protocol of lines: each asks for as many numbers, which after "=" are made at once; q ends the
 * connection with the reply. A part of a line waits in the state. */
struct lines {
    struct buffer begun;
};

static void lines_begin(void *state, void *context, int descriptor)
{
    (void)state;
    (void)context;
    (void)descriptor;
}

static struct stream_result lines_read(void *state, struct text bytes, struct buffer *replies)
{
    struct buffer *begun = &((struct lines *)state)->begun;
    const char *end = memchr(bytes.data, '\n', bytes.length), *line;
    struct stream_result result = {.n_read = bytes.length};

    if (end)
        result.n_read = (size_t)(end + 1 - bytes.data);
    buffer_add(begun, bytes.data, result.n_read);
    if (!end)
        return result;
    line = buffer_string(begun);
    assert_non_null(line);
    result.outcome = line[begun->length - 2] == 'q' ? STREAM_CLOSE : STREAM_ANSWERED;
    if (line[0] == '=') {
        size_t before = replies->length;

        add_numbers(replies, strtoul(line + 1, NULL, 10));
        made += replies->length - before;
    } else {
        buffer_add_string(replies, "numbers\n");
        result.producer = numbers_new(strtoul(line, NULL, 10), line[0] == '+' ? LONG / 2 : NEVER);
    }
    buffer_clear(begun);
    return result;
}

static void lines_end(void *state)
{
    buffer_deinit(&((struct lines *)state)->begun);
}

static const struct stream_protocol lines_protocol = {
    .state_size = sizeof(struct lines),
    .begin = lines_begin,
    .read = lines_read,
    .end = lines_end,
};

/* Over HTTP the target says how many numbers are asked for; "/+" that making them fails half-way,
 * "/=" that the reply is an ordinary one. */
static void answer(void *context, const struct http_request *request, struct http_reply *reply)
{
    char target[16] = "";
    size_t n;

    (void)context;
    assert_in_range(request->target.length, 3, sizeof(target) - 1);
    memcpy(target, request->target.data, request->target.length);
    n = strtoul(target + 2, NULL, 10);
    if (target[1] == '=') {
        add_numbers(&reply->body, n);
        return;
    }
    buffer_add_string(&reply->body, "numbers\n");
    reply->rest = numbers_new(n, target[1] == '+' ? n / 2 : NEVER);
}

static void refuse(void *context, const char *fault, struct http_reply *reply)
{
    (void)context;
    buffer_add_string(&reply->body, fault);
}

/* A server, and a peer of it. */
struct fixture {
    struct event_base *base;
    struct stream_server *server;
    struct stream_counters counters;
    struct stream_places places;
    struct http_service http;
    int listening, peer;
    struct buffer received;
    bool closed; /* by the server */
};

/* Begins to serve, and connects a peer. */
static void serve(struct fixture *fixture, bool over_http, unsigned int idle_seconds)
{
    const struct stream_setup setup = {
        .protocol = over_http ? &http_protocol : &lines_protocol,
        .context = &fixture->http,
        .places = &fixture->places,
        .idle_seconds = idle_seconds,
        .counters = &fixture->counters,
    };

    fixture->listening = sockets_listen();
    assert_int_equal(stream_server_new(fixture->base, fixture->listening, &setup, &fixture->server),
                     0);
    fixture->peer = sockets_connect();
}

static void say(const struct fixture *fixture, const char *text)
{
    assert_int_equal(send(fixture->peer, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Lets the server do what it can. Nothing is left to do for it when it makes nothing more. */
static void run(struct fixture *fixture)
{
    size_t before;
    int idle = 0;

    while (idle < 5) {
        before = made;
        event_base_loop(fixture->base, EVLOOP_NONBLOCK);
        idle = made == before ? idle + 1 : 0;
    }
}

/* Lets the server go on, and reads. Returns whether something came. */
static bool receive(struct fixture *fixture)
{
    char bytes[PIECE];
    ssize_t n;

    event_base_loop(fixture->base, EVLOOP_NONBLOCK);
    n = recv(fixture->peer, bytes, sizeof(bytes), 0);
    if (n > 0)
        buffer_add(&fixture->received, bytes, (size_t)n);
    else if (n == 0 || errno != EAGAIN)
        fixture->closed = true;
    return n > 0;
}

static bool ends_with(const struct buffer *buffer, struct text end)
{
    return buffer->length >= end.length &&
           memcmp(buffer->data + buffer->length - end.length, end.data, end.length) == 0;
}

/* Reads until what was read ends so, or the server has closed the connection. */
static void receive_until(struct fixture *fixture, const char *end)
{
    time_t deadline = time(NULL) + DEADLINE_SECONDS;

    while (!fixture->closed && !ends_with(&fixture->received, text_from(end))) {
        receive(fixture);
        assert_true(time(NULL) < deadline);
    }
}

static void receive_all(struct fixture *fixture)
{
    time_t deadline = time(NULL) + DEADLINE_SECONDS;

    while (!fixture->closed) {
        receive(fixture);
        assert_true(time(NULL) < deadline);
    }
}

static void assert_text(const struct buffer *found, const struct buffer *expected)
{
    assert_false(found->failed || expected->failed);
    assert_int_equal(found->length, expected->length);
    assert_memory_equal(found->data, expected->data, expected->length);
}

static size_t count_answers(const struct fixture *fixture)
{
    size_t n = 0;

    for (size_t i = 0; i < ANSWER_BUCKETS; i++)
        n += counter_read(&fixture->counters.answers[i]);
    return n;
}

static void a_long_reply_comes_whole_and_ends_with_the_connection(void **state)
{
    CLEANUP(buffer_deinit) struct buffer expected = BUFFER_INIT;
    struct fixture *fixture = *state;

    serve(fixture, false, 0);
    say(fixture, "300000q\n");
    receive_all(fixture);
    add_numbers(&expected, LONG);
    assert_text(&fixture->received, &expected);
    assert_int_equal(alive, 0);
    assert_int_equal(count_answers(fixture), 1);
    assert_int_equal(stream_server_connections(fixture->server), 0);
}

static void pieces_are_made_only_as_the_peer_reads(void **state)
{
    struct fixture *fixture = *state;

    serve(fixture, false, 0);
    say(fixture, "300000q\n");
    run(fixture);
    assert_true(made < AHEAD_MAX);
    while (fixture->received.length < (size_t)1 << 20) {
        receive(fixture);
        assert_true(made < fixture->received.length + AHEAD_MAX);
    }
    assert_int_equal(count_answers(fixture), 0);
}

static void requests_behind_a_long_reply_wait_and_are_answered_in_order(void **state)
{
    CLEANUP(buffer_deinit) struct buffer expected = BUFFER_INIT;
    struct fixture *fixture = *state;

    serve(fixture, false, 0);
    say(fixture, "300000\n3\n");
    run(fixture);
    say(fixture, "150000\n0\n2q\n");
    receive_all(fixture);
    add_numbers(&expected, LONG);
    add_numbers(&expected, 3);
    add_numbers(&expected, LONG / 2);
    add_numbers(&expected, 0);
    add_numbers(&expected, 2);
    assert_text(&fixture->received, &expected);
    assert_int_equal(count_answers(fixture), 5);
}

static void other_peers_are_answered_meanwhile(void **state)
{
    struct fixture *fixture = *state;
    int stuck;

    serve(fixture, false, 0);
    say(fixture, "300000\n");
    run(fixture);
    stuck = fixture->peer;
    fixture->peer = sockets_connect();
    say(fixture, "2q\n");
    receive_all(fixture);
    assert_int_equal(fixture->received.length, strlen("numbers\n0\n1\n"));
    assert_int_equal(alive, 1);
    close(stuck);
}

static void a_peer_that_goes_away_frees_what_makes_its_reply(void **state)
{
    struct fixture *fixture = *state;

    serve(fixture, false, 0);
    say(fixture, "300000\n");
    run(fixture);
    assert_int_equal(alive, 1);
    close(fixture->peer);
    fixture->peer = -1;
    run(fixture);
    assert_int_equal(alive, 0);
    assert_int_equal(stream_server_connections(fixture->server), 0);
    assert_int_equal(counter_read(&fixture->counters.closed), 1);
}

/* Lets the server look for connections whose time is over, as it does each second. */
static void sweep(struct fixture *fixture)
{
    struct timespec begin, now;

    __real_clock_gettime(CLOCK_MONOTONIC, &begin);
    do {
        const struct timeval soon = {.tv_usec = 10000};

        event_base_loopexit(fixture->base, &soon);
        event_base_loop(fixture->base, 0);
        __real_clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000 < 1100);
}

static void assert_stall_ends(struct fixture *fixture, unsigned int idle_seconds)
{
    serve(fixture, false, idle_seconds);
    say(fixture, "300000\n");
    run(fixture);
    later += STREAM_STALL_SECONDS;
    sweep(fixture);
    assert_int_equal(alive, 0);
    assert_int_equal(counter_read(&fixture->counters.evicted), 1);
    assert_true(made < AHEAD_MAX);
}

static void a_peer_that_stops_reading_is_evicted(void **state)
{
    assert_stall_ends(*state, 2 * STREAM_STALL_SECONDS);
}

static void a_peer_that_stops_reading_is_evicted_even_if_peers_may_idle_for_ever(void **state)
{
    struct fixture *fixture = *state;

    assert_stall_ends(fixture, 0);
    close(fixture->peer);
    fixture->peer = sockets_connect();
    run(fixture);
    later += 1000000;
    sweep(fixture);
    say(fixture, "2q\n");
    receive_all(fixture);
    assert_int_equal(counter_read(&fixture->counters.evicted), 1);
}

/* A peer that takes something each time before it would count as stalled. */
static void read_slowly(struct fixture *fixture, time_t until)
{
    while (later < until) {
        for (int i = 0; i < 10; i++)
            receive(fixture);
        later += STREAM_STALL_SECONDS - 2;
    }
    sweep(fixture);
}

static void a_peer_that_reads_slowly_is_evicted_in_the_end(void **state)
{
    struct fixture *fixture = *state;
    time_t begin = later;

    serve(fixture, false, 0);
    say(fixture, "9000000\n");
    run(fixture);
    read_slowly(fixture, begin + STREAM_REPLY_SECONDS - STREAM_STALL_SECONDS);
    assert_int_equal(alive, 1);
    read_slowly(fixture, begin + STREAM_REPLY_SECONDS + STREAM_STALL_SECONDS);
    assert_int_equal(alive, 0);
    assert_true(made < (size_t)LONG * 30);
}

static void a_server_that_drains_sends_a_long_reply_to_its_end(void **state)
{
    CLEANUP(buffer_deinit) struct buffer expected = BUFFER_INIT;
    struct fixture *fixture = *state;

    serve(fixture, false, 0);
    say(fixture, "300000\n");
    run(fixture);
    stream_server_drain(fixture->server);
    receive_all(fixture);
    add_numbers(&expected, LONG);
    assert_text(&fixture->received, &expected);
}

static void what_comes_behind_the_last_reply_does_not_destroy_it(void **state)
{
    CLEANUP(buffer_deinit) struct buffer expected = BUFFER_INIT;
    struct fixture *fixture = *state;

    serve(fixture, false, 0);
    say(fixture, "300000q\n");
    run(fixture);
    say(fixture, "7\n");
    while (alive > 0)
        receive(fixture);
    receive_all(fixture);
    add_numbers(&expected, LONG);
    assert_text(&fixture->received, &expected);
}

static void a_reply_that_cannot_be_made_to_its_end_ends_the_connection(void **state)
{
    CLEANUP(buffer_deinit) struct buffer expected = BUFFER_INIT;
    struct fixture *fixture = *state;

    serve(fixture, false, 0);
    say(fixture, "+300000\n");
    receive_all(fixture);
    add_numbers(&expected, LONG / 2);
    assert_true(fixture->received.length < expected.length);
    assert_memory_equal(fixture->received.data, expected.data, fixture->received.length);
    assert_int_equal(alive, 0);
}

static void a_server_may_be_freed_in_the_middle(void **state)
{
    struct fixture *fixture = *state;

    serve(fixture, false, 0);
    say(fixture, "300000\n");
    run(fixture);
    stream_server_free(fixture->server);
    fixture->server = NULL;
    assert_int_equal(alive, 0);
}

static void requests_are_answered_only_as_the_peer_reads(void **state)
{
    CLEANUP(buffer_deinit) struct buffer expected = BUFFER_INIT;
    struct fixture *fixture = *state;

    serve(fixture, false, 0);
    for (int i = 0; i < 100; i++) {
        say(fixture, "=3000\n=0\n");
        add_numbers(&expected, 3000);
        add_numbers(&expected, 0);
    }
    say(fixture, "=1q\n=2\n");
    add_numbers(&expected, 1);
    assert_true(expected.length > (size_t)2 * AHEAD_MAX);
    run(fixture);
    assert_true(made < AHEAD_MAX);
    while (fixture->received.length < expected.length / 2) {
        receive(fixture);
        assert_true(made < fixture->received.length + AHEAD_MAX);
    }
    receive_all(fixture);
    assert_text(&fixture->received, &expected);
    assert_int_equal(counter_read(&fixture->counters.evicted), 0);
}

static void a_reply_that_is_made_at_once_comes_whole_however_large(void **state)
{
    CLEANUP(buffer_deinit) struct buffer expected = BUFFER_INIT;
    struct fixture *fixture = *state;

    serve(fixture, false, 0);
    say(fixture, "=300000q\n");
    run(fixture);
    receive_all(fixture);
    add_numbers(&expected, LONG);
    assert_text(&fixture->received, &expected);
    assert_int_equal(counter_read(&fixture->counters.evicted), 0);
}

/* Takes a line that ends in CRLF off the front of what was received. */
static struct text take_line(struct text *bytes)
{
    const char *end = memmem(bytes->data, bytes->length, "\r\n", 2);
    struct text line = {bytes->data, 0};

    assert_non_null(end);
    line.length = (size_t)(end - bytes->data);
    *bytes = text_after(*bytes, line.length + 2);
    return line;
}

/* Takes the head of a reply; all of it is known. */
static void take_head(struct text *bytes, const char *expected)
{
    struct text head = text_from(expected);

    assert_true(bytes->length >= head.length);
    assert_memory_equal(bytes->data, head.data, head.length);
    *bytes = text_after(*bytes, head.length);
}

/* Takes the chunks of a body, up to and with the last one. */
static void take_chunks(struct text *bytes, struct buffer *body)
{
    for (;;) {
        struct text line = take_line(bytes);
        size_t length = strtoul(line.data, NULL, 16);

        assert_true(bytes->length >= length + 2);
        buffer_add(body, bytes->data, length);
        *bytes = text_after(*bytes, length);
        assert_int_equal(take_line(bytes).length, 0);
        if (length == 0)
            return;
        assert_true(length < (size_t)2 * PIECE);
    }
}

static struct text received(const struct fixture *fixture)
{
    return buffer_text(&fixture->received);
}

#define HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

static void over_http_a_long_reply_is_chunked(void **state)
{
    CLEANUP(buffer_deinit) struct buffer expected = BUFFER_INIT, body = BUFFER_INIT;
    struct fixture *fixture = *state;
    struct text rest;

    serve(fixture, true, 30);
    say(fixture, "GET /-300000 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    receive_all(fixture);
    rest = received(fixture);
    take_head(&rest, HEAD "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
    take_chunks(&rest, &body);
    assert_int_equal(rest.length, 0);
    add_numbers(&expected, LONG);
    assert_text(&body, &expected);
    assert_int_equal(alive, 0);
}

static void over_http_requests_behind_a_long_reply_are_answered_in_order(void **state)
{
    CLEANUP(buffer_deinit) struct buffer expected = BUFFER_INIT, body = BUFFER_INIT;
    struct fixture *fixture = *state;
    struct text rest;

    serve(fixture, true, 30);
    say(fixture, "GET /-300000 HTTP/1.1\r\nHost: x\r\n\r\nGET /=0 HTTP/1.1\r\nHo");
    run(fixture);
    say(fixture, "st: x\r\n\r\nPOST /-150000 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab"
                 "GET /=0 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    receive_all(fixture);
    rest = received(fixture);
    take_head(&rest, HEAD "Transfer-Encoding: chunked\r\n\r\n");
    take_chunks(&rest, &body);
    take_head(&rest, HEAD "Content-Length: 8\r\n\r\nnumbers\n");
    take_head(&rest, HEAD "Transfer-Encoding: chunked\r\n\r\n");
    take_chunks(&rest, &body);
    take_head(&rest, HEAD "Content-Length: 8\r\nConnection: close\r\n\r\nnumbers\n");
    assert_int_equal(rest.length, 0);
    add_numbers(&expected, LONG);
    add_numbers(&expected, LONG / 2);
    assert_text(&body, &expected);
}

static void over_http_a_reply_that_is_made_at_once_comes_whole_however_large(void **state)
{
    CLEANUP(buffer_deinit) struct buffer expected = BUFFER_INIT, body = BUFFER_INIT;
    struct fixture *fixture = *state;

    serve(fixture, true, 30);
    say(fixture, "GET /=300000 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    run(fixture);
    receive_all(fixture);
    add_numbers(&body, LONG);
    buffer_printf(&expected, HEAD "Content-Length: %zu\r\nConnection: close\r\n\r\n", body.length);
    buffer_add_text(&expected, buffer_text(&body));
    assert_text(&fixture->received, &expected);
}

static void over_http_a_reply_of_one_piece_has_its_length(void **state)
{
    struct fixture *fixture = *state;

    serve(fixture, true, 30);
    say(fixture, "GET /-2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    receive_all(fixture);
    buffer_add(&fixture->received, "", 1);
    assert_string_equal(fixture->received.data,
                        HEAD "Content-Length: 12\r\nConnection: close\r\n\r\nnumbers\n0\n1\n");
}

static void over_http_1_0_a_long_reply_ends_with_the_connection(void **state)
{
    CLEANUP(buffer_deinit) struct buffer expected = BUFFER_INIT;
    struct fixture *fixture = *state;

    serve(fixture, true, 30);
    say(fixture, "GET /-300000 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    receive_all(fixture);
    buffer_add_string(&expected, HEAD "Connection: close\r\n\r\n");
    add_numbers(&expected, LONG);
    assert_text(&fixture->received, &expected);
}

static void over_http_head_gets_the_head_alone(void **state)
{
    struct fixture *fixture = *state;

    serve(fixture, true, 30);
    say(fixture, "HEAD /-300000 HTTP/1.1\r\nHost: x\r\n\r\n"
                 "HEAD /-300000 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    receive_all(fixture);
    buffer_add(&fixture->received, "", 1);
    assert_string_equal(fixture->received.data,
                        HEAD "Transfer-Encoding: chunked\r\n\r\n" HEAD
                             "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
    assert_int_equal(alive, 0);
}

static void over_http_a_reply_that_fails_has_no_last_chunk(void **state)
{
    struct fixture *fixture = *state;

    serve(fixture, true, 30);
    say(fixture, "GET /+300000 HTTP/1.1\r\nHost: x\r\n\r\nGET /=0 HTTP/1.1\r\nHost: x\r\n\r\n");
    receive_all(fixture);
    assert_true(fixture->received.length > LONG);
    assert_false(ends_with(&fixture->received, TEXT("0\r\n\r\n")));
    assert_null(memmem(fixture->received.data, fixture->received.length, "\r\n0\r\n", 5));
    assert_int_equal(alive, 0);
}

static void over_http_a_first_piece_that_fails_is_an_error(void **state)
{
    struct fixture *fixture = *state;

    serve(fixture, true, 30);
    say(fixture, "GET /+100 HTTP/1.1\r\nHost: x\r\n\r\n");
    receive_until(fixture, "\r\n\r\n");
    buffer_add(&fixture->received, "", 1);
    assert_string_equal(fixture->received.data,
                        "HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\n"
                        "Content-Length: 0\r\n\r\n");
    assert_int_equal(alive, 0);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    const struct http_handler handler = {.answer = answer, .refuse = refuse};

    assert_non_null(fixture);
    made = 0;
    fixture->places.max = fixture->places.share = 4;
    fixture->listening = fixture->peer = -1;
    fixture->base = stream_base_new();
    assert_non_null(fixture->base);
    http_service_init(&fixture->http, &handler, true);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    stream_server_free(fixture->server);
    event_base_free(fixture->base);
    http_service_deinit(&fixture->http);
    close(fixture->listening);
    close(fixture->peer);
    buffer_deinit(&fixture->received);
    free(fixture);
    return alive == 0 ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)
        TEST(a_long_reply_comes_whole_and_ends_with_the_connection),
        TEST(pieces_are_made_only_as_the_peer_reads),
        TEST(requests_behind_a_long_reply_wait_and_are_answered_in_order),
        TEST(other_peers_are_answered_meanwhile),
        TEST(a_peer_that_goes_away_frees_what_makes_its_reply),
        TEST(a_peer_that_stops_reading_is_evicted),
        TEST(a_peer_that_stops_reading_is_evicted_even_if_peers_may_idle_for_ever),
        TEST(a_peer_that_reads_slowly_is_evicted_in_the_end),
        TEST(a_server_that_drains_sends_a_long_reply_to_its_end),
        TEST(what_comes_behind_the_last_reply_does_not_destroy_it),
        TEST(a_reply_that_cannot_be_made_to_its_end_ends_the_connection),
        TEST(a_server_may_be_freed_in_the_middle),
        TEST(requests_are_answered_only_as_the_peer_reads),
        TEST(a_reply_that_is_made_at_once_comes_whole_however_large),
        TEST(over_http_a_long_reply_is_chunked),
        TEST(over_http_requests_behind_a_long_reply_are_answered_in_order),
        TEST(over_http_a_reply_that_is_made_at_once_comes_whole_however_large),
        TEST(over_http_a_reply_of_one_piece_has_its_length),
        TEST(over_http_1_0_a_long_reply_ends_with_the_connection),
        TEST(over_http_head_gets_the_head_alone),
        TEST(over_http_a_reply_that_fails_has_no_last_chunk),
        TEST(over_http_a_first_piece_that_fails_is_an_error),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
