/* Accepting where descriptors and memory run out, step by step in one thread. */
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
static bool descriptors_left = true;

int __wrap_accept4(int fd, struct sockaddr *from, socklen_t *length, int flags)
{
    if (descriptors_left)
        return __real_accept4(fd, from, length, flags);
    errno = EMFILE;
    return -1;
}

static void begin(void *state, void *context)
{
    (void)state;
    (void)context;
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
    struct stream_setup setup = {
        .protocol = &protocol,
        .connections_max = 4,
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
    descriptors_left = false;
    failed = run_without_memory(n);
    descriptors_left = true;
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
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
