/* Accepting when descriptors, memory and places run out, step by step in one thread. */
#include "cmocka_all.h"
#include "failing_malloc.h"
#include "net/stream.h"
#include "net/stream_counters.h"
#include "sockets.h"

#include <errno.h>
#include <unistd.h>

enum { IDLE_SECONDS = 30 };

int __real_accept4(int fd, struct sockaddr *from, socklen_t *length, int flags);
int __wrap_accept4(int fd, struct sockaddr *from, socklen_t *length, int flags);

static struct event_base *base;
static int listening = -1;
static int accept_error; /* 0: it succeeds */
static size_t n_accepts;

int __wrap_accept4(int fd, struct sockaddr *from, socklen_t *length, int flags)
{
    n_accepts++;
    if (!accept_error)
        return __real_accept4(fd, from, length, flags);
    errno = accept_error;
    return -1;
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
    return (struct stream_result){.outcome = STREAM_CLOSE, .n_read = bytes.length};
}

static void end(void *state)
{
    (void)state;
}

static const struct stream_protocol protocol = {.begin = begin, .read = echo, .end = end};

static int ask(void)
{
    int fd = sockets_connect();

    assert_int_equal(send(fd, "x", 1, MSG_NOSIGNAL), 1);
    return fd;
}

/* Runs what is due while allocations behind the first N fail. Returns whether one did. */
static bool run_without_memory(size_t n)
{
    failing_malloc_after(n);
    event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
    return failing_malloc_end();
}

/* A peer that comes while there is no descriptor for it is answered when there is one again. */
static bool survives(unsigned int idle_seconds, size_t n)
{
    struct stream_counters counters = {0};
    struct stream_places places = {.max = 4, .share = 4};
    struct stream_setup setup = {
        .protocol = &protocol,
        .places = &places,
        .idle_seconds = idle_seconds,
        .counters = &counters,
    };
    struct stream_server *server = NULL;
    char reply = 0;
    bool failed;
    int fd;

    base = event_base_new();
    assert_int_equal(stream_server_new(base, listening, &setup, &server), 0);
    fd = ask();
    accept_error = EMFILE;
    failed = run_without_memory(n);
    accept_error = 0;
    while (recv(fd, &reply, 1, 0) != 1)
        assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
    assert_int_equal(reply, 'x');
    close(fd);
    stream_server_free(server);
    event_base_free(base);
    return failed;
}

static void accepting_goes_on_after_descriptors_and_memory_ran_out(void **state)
{
    static const unsigned int idle_seconds[] = {0, IDLE_SECONDS};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(idle_seconds); i++) {
        size_t n = 0;

        while (survives(idle_seconds[i], n))
            n++;
        assert_true(n > 0);
    }
}

/* Runs an event base for a time. */
static void run_for(struct event_base *its_base, long milliseconds)
{
    const struct timeval time = {milliseconds / 1000, milliseconds % 1000 * 1000};

    event_base_loopexit(its_base, &time);
    event_base_loop(its_base, 0);
}

/* EPERM is what a seccomp filter or a firewall says, EINVAL a socket that no longer listens. */
static void an_error_that_persists_does_not_spin_and_evicts_nobody(void **state)
{
    static const int errors[] = {EPERM, EINVAL, ENOTSOCK, EPROTO, EOPNOTSUPP};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(errors); i++) {
        struct stream_counters counters = {0};
        struct stream_places places = {.max = 4, .share = 4};
        struct stream_setup setup = {
            .protocol = &protocol,
            .places = &places,
            .idle_seconds = IDLE_SECONDS,
            .counters = &counters,
        };
        struct stream_server *server = NULL;
        int idle, fd;
        char reply = 0;

        base = stream_base_new();
        assert_int_equal(stream_server_new(base, listening, &setup, &server), 0);
        idle = sockets_connect();
        run_for(base, 10);
        accept_error = errors[i];
        n_accepts = 0;
        fd = ask();
        run_for(base, 200);
        assert_in_range(n_accepts, 1, 10);
        assert_int_equal(stream_server_connections(server), 1);
        accept_error = 0;
        while (recv(fd, &reply, 1, 0) != 1)
            assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
        close(idle);
        close(fd);
        stream_server_free(server);
        event_base_free(base);
    }
}

/* Two threads that share a listening socket; in the test they take turns. */
enum { THREADS = 2, PLACES = 4 };

struct thread {
    struct event_base *base;
    struct stream_server *server;
    struct stream_counters counters;
};

static void start_threads(struct thread threads[THREADS], struct stream_places *places)
{
    for (size_t i = 0; i < THREADS; i++) {
        struct stream_setup setup = {
            .protocol = &protocol,
            .places = places,
            .idle_seconds = IDLE_SECONDS,
            .counters = &threads[i].counters,
        };

        threads[i].base = stream_base_new();
        assert_non_null(threads[i].base);
        assert_int_equal(stream_server_new(threads[i].base, listening, &setup, &threads[i].server),
                         0);
    }
}

static void end_threads(struct thread threads[THREADS])
{
    for (size_t i = 0; i < THREADS; i++) {
        stream_server_free(threads[i].server);
        event_base_free(threads[i].base);
    }
}

/* Connects N peers, which a thread accepts. */
static void connect_peers(const struct thread *thread, size_t n, int *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = sockets_connect();
    event_base_loop(thread->base, EVLOOP_NONBLOCK);
}

/* Has a thread do what it does each second. */
static void sweep(const struct thread *thread)
{
    run_for(thread->base, 1100);
}

static uint64_t count_evicted(const struct thread *thread)
{
    return counter_read(&thread->counters.evicted);
}

static void one_thread_may_have_all_places(void **state)
{
    struct stream_places places = {.max = PLACES, .share = PLACES / THREADS};
    struct thread threads[THREADS] = {0};
    int peers[PLACES + 1];

    (void)state;
    start_threads(threads, &places);
    connect_peers(&threads[0], PLACES, peers);
    assert_int_equal(stream_server_connections(threads[0].server), PLACES);
    assert_int_equal(count_evicted(&threads[0]), 0);
    connect_peers(&threads[0], 1, &peers[PLACES]);
    assert_int_equal(stream_server_connections(threads[0].server), PLACES);
    assert_int_equal(count_evicted(&threads[0]), 1);
    for (size_t i = 0; i < ARRAY_LENGTH(peers); i++)
        close(peers[i]);
    end_threads(threads);
    assert_int_equal(places.taken, 0);
}

static void a_thread_that_has_all_places_gives_way_to_others(void **state)
{
    struct stream_places places = {.max = PLACES, .share = PLACES / THREADS};
    struct thread threads[THREADS] = {0};
    int peers[PLACES + THREADS + 1];

    (void)state;
    start_threads(threads, &places);
    connect_peers(&threads[0], PLACES, peers);
    connect_peers(&threads[1], PLACES / THREADS, &peers[PLACES]);
    assert_int_equal(count_evicted(&threads[1]), 0);
    sweep(&threads[0]);
    assert_int_equal(count_evicted(&threads[0]), PLACES / THREADS);
    assert_int_equal(places.taken, PLACES);
    connect_peers(&threads[1], 1, &peers[PLACES + THREADS]);
    assert_int_equal(count_evicted(&threads[1]), 1);
    for (size_t i = 0; i < ARRAY_LENGTH(peers); i++)
        close(peers[i]);
    end_threads(threads);
}

static int set_up(void **state)
{
    (void)state;
    event_set_mem_functions(__wrap_malloc, __wrap_realloc, free);
    listening = sockets_listen();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return close(listening);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepting_goes_on_after_descriptors_and_memory_ran_out),
        cmocka_unit_test(an_error_that_persists_does_not_spin_and_evicts_nobody),
        cmocka_unit_test(one_thread_may_have_all_places),
        cmocka_unit_test(a_thread_that_has_all_places_gives_way_to_others),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
