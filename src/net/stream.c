#include "net/stream.h"

#include "net/acceptor.h"
#include "net/stream_counters.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    INPUT_SIZE = 64 << 10,  /* bytes read at once */
    REPLIES_KEPT = 1 << 20, /* bytes of buffer kept after many replies at once */
    OUTPUT_MAX = 256 << 10, /* bytes that a peer may leave unread before it is let go */
    DRAIN_MAX = 1 << 20,    /* bytes read and dropped so that the peer can read the last reply */
    SWEEP_SECONDS = 1,      /* how often idle connections are looked for */
};

enum phase {
    PHASE_READING,
    PHASE_WRITING,  /* what the socket did not take at once, or the rest of a long reply */
    PHASE_DRAINING, /* reading and dropping, until the peer has seen the reply and closes */
};

struct connection {
    TAILQ_ENTRY(connection) link;
    struct stream_server *server;
    int fd;
    struct event *event;
    enum phase phase;
    time_t expires;        /* monotonic seconds */
    struct timespec begun; /* when what is being answered was in hand */
    struct buffer output;  /* while writing */
    size_t sent;           /* of the output */
    struct producer *rest; /* what follows the output, or NULL */
    size_t drained;
    bool streaming; /* a long reply is under way */
    bool closing;   /* after the output */
    bool unread;    /* the peer may still be sending */
    _Alignas(max_align_t) char state[];
};

struct stream_server {
    struct event_base *base;
    struct stream_setup setup;
    struct acceptor acceptor;
    struct event *sweep;
    bool draining;
    TAILQ_HEAD(, connection) connections; /* the one that expires first is first */
    size_t n_connections;
    struct buffer replies; /* of the connection that is being read */
    char input[INPUT_SIZE];
};

static time_t monotonic_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return now.tv_sec;
}

/* Gives a connection its idle time from now on: it goes to the end of the list. */
static void renew(struct connection *connection)
{
    struct stream_server *server = connection->server;

    connection->expires = monotonic_seconds() + server->setup.idle_seconds;
    TAILQ_REMOVE(&server->connections, connection, link);
    TAILQ_INSERT_TAIL(&server->connections, connection, link);
}

static void connection_free(struct connection *connection)
{
    struct stream_server *server = connection->server;

    TAILQ_REMOVE(&server->connections, connection, link);
    server->n_connections--;
    if (server->setup.counters)
        counter_add(&server->setup.counters->closed, 1);
    producer_free(connection->rest);
    server->setup.protocol->end(connection->state);
    if (connection->event)
        event_free(connection->event);
    close(connection->fd);
    buffer_deinit(&connection->output);
    free(connection);
}

/* Closes the connection that has waited longest. Returns whether there was one. */
static bool close_oldest(struct stream_server *server)
{
    struct connection *oldest = TAILQ_FIRST(&server->connections);

    if (!oldest)
        return false;
    if (server->setup.counters)
        counter_add(&server->setup.counters->evicted, 1);
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it does not see that freeing one unlinks it */
    connection_free(oldest);
    return true;
}

static void wait_for(struct connection *connection, enum phase phase);

/* Ends a connection whose replies are all sent. Closing with bytes unread would reset the
 * connection and could destroy the reply on its way, so these are read and dropped first. */
static void finish(struct connection *connection)
{
    if (!connection->unread) {
        connection_free(connection);
        return;
    }
    shutdown(connection->fd, SHUT_WR);
    wait_for(connection, PHASE_DRAINING);
}

/* Sends bytes. With the last of them the kernel is told that more will come: the FIN of the close
 * that follows. Returns how many were taken, or -1 if the connection is lost. */
static ssize_t send_some(const struct connection *connection, const char *data, size_t length)
{
    int flags = MSG_NOSIGNAL | (connection->closing && !connection->rest ? MSG_MORE : 0);
    ssize_t n = send(connection->fd, data, length, flags);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    return n;
}

/* Goes on after all output was taken. */
static void written(struct connection *connection)
{
    if (connection->rest)
        wait_for(connection, PHASE_WRITING);
    else if (connection->closing)
        finish(connection);
    else
        wait_for(connection, PHASE_READING);
}

/* Sends the replies that reading has made. PowerDNS reads each before it asks again; a peer that
 * asks and asks and never reads must not fill the memory. */
static void send_replies(struct connection *connection)
{
    const struct buffer *replies = &connection->server->replies;
    ssize_t n = 0;

    if (replies->failed)
        n = -1;
    else if (replies->length)
        n = send_some(connection, replies->data, replies->length);
    if (n < 0 || replies->length - (size_t)n > OUTPUT_MAX) {
        connection_free(connection);
    } else if ((size_t)n < replies->length) {
        buffer_add(&connection->output, replies->data + n, replies->length - (size_t)n);
        connection->sent = 0;
        wait_for(connection, PHASE_WRITING);
    } else {
        written(connection);
    }
}

/* Reads a request, or a part of one, and sends the reply, or the beginning of a long one. Returns
 * whether there is a whole one; the connection may have ended. */
static bool parse(struct connection *connection, size_t n)
{
    struct stream_server *server = connection->server;
    struct stream_result verdict;

    if (server->replies.capacity > REPLIES_KEPT)
        buffer_deinit(&server->replies);
    buffer_clear(&server->replies);
    verdict = server->setup.protocol->read(
        connection->state, (struct text){.data = server->input, .length = n}, &server->replies);
    connection->closing = verdict.close || (server->draining && verdict.renew);
    connection->unread = verdict.unread;
    connection->rest = verdict.rest;
    connection->streaming = verdict.rest != NULL;
    if (verdict.renew)
        renew(connection);
    send_replies(connection);
    return server->replies.length && !verdict.rest;
}

static void count_answer(struct stream_counters *counters, const struct timespec *begin)
{
    struct timespec end;

    clock_gettime(CLOCK_MONOTONIC, &end);
    stream_count_answer(counters, begin, &end);
}

/* As parse, and notes the time from the first octet in hand to the last one sent. */
static void parse_and_count(struct connection *connection, size_t n)
{
    struct stream_counters *counters = connection->server->setup.counters;
    struct timespec begin;

    clock_gettime(CLOCK_MONOTONIC, &begin);
    connection->begun = begin;
    if (parse(connection, n))
        count_answer(counters, &begin);
}

/* Has the next piece of a long reply made. */
static void produce(struct connection *connection)
{
    buffer_clear(&connection->output);
    connection->sent = 0;
    if (connection->rest->more(connection->rest, &connection->output))
        return;
    producer_free(connection->rest);
    connection->rest = NULL;
    connection->closing = connection->closing || connection->server->draining;
}

static bool has_unread_input(int fd)
{
    int n = 0;

    return ioctl(fd, FIONREAD, &n) == 0 && n > 0;
}

/* Goes on after the last piece of a long reply: with the requests that have come meanwhile, or, if
 * the connection ends, without them. */
static void rest_written(struct connection *connection)
{
    struct stream_counters *counters = connection->server->setup.counters;

    if (counters)
        count_answer(counters, &connection->begun);
    connection->streaming = false;
    connection->closing |= connection->server->draining;
    if (connection->closing) {
        connection->unread = connection->unread || has_unread_input(connection->fd);
        finish(connection);
    } else if (counters) {
        parse_and_count(connection, 0);
    } else {
        parse(connection, 0);
    }
}

/* Goes on with what the socket did not take before, or with the next piece of a long reply. One
 * piece at a time, so that other connections have their turn. */
static void write_more(struct connection *connection)
{
    struct buffer *output = &connection->output;
    ssize_t n = 0;

    if (connection->rest && connection->sent == output->length)
        produce(connection);
    if (output->failed)
        n = -1;
    else if (output->length)
        n = send_some(connection, output->data + connection->sent,
                      output->length - connection->sent);
    if (n < 0) {
        connection_free(connection);
        return;
    }
    connection->sent += (size_t)n;
    if (connection->sent < output->length)
        return;
    renew(connection);
    if (connection->rest)
        return;
    buffer_deinit(output);
    connection->sent = 0;
    if (connection->streaming)
        rest_written(connection);
    else
        written(connection);
}

static void read_more(struct connection *connection)
{
    struct stream_server *server = connection->server;
    ssize_t n = recv(connection->fd, server->input, sizeof(server->input), 0);

    if (n > 0 && server->setup.counters)
        parse_and_count(connection, (size_t)n);
    else if (n > 0)
        parse(connection, (size_t)n);
    else if (n < 0 && (errno == EAGAIN || errno == EINTR))
        wait_for(connection, PHASE_READING);
    else
        connection_free(connection);
}

static void drain(struct connection *connection)
{
    struct stream_server *server = connection->server;
    ssize_t n = recv(connection->fd, server->input, sizeof(server->input), 0);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0)
        connection->drained += (size_t)n;
    if (n <= 0 || connection->drained > DRAIN_MAX)
        connection_free(connection);
}

static void on_ready(evutil_socket_t fd, short what, void *argument)
{
    struct connection *connection = argument;

    (void)fd;
    (void)what;
    switch (connection->phase) {
    case PHASE_READING:
        read_more(connection);
        break;
    case PHASE_WRITING:
        write_more(connection);
        break;
    case PHASE_DRAINING:
        drain(connection);
        break;
    }
}

/* Has the event base call back when a connection can go on. A connection that is answered and
 * closed at once never gets an event. */
static void wait_for(struct connection *connection, enum phase phase)
{
    int what = phase == PHASE_WRITING ? EV_WRITE : EV_READ;
    bool same = connection->event && connection->phase == phase;

    connection->phase = phase;
    if (same)
        return;
    if (connection->event)
        event_free(connection->event);
    connection->event = event_new(connection->server->base, connection->fd,
                                  (short)(what | EV_PERSIST), on_ready, connection);
    if (!connection->event || event_add(connection->event, NULL) < 0)
        connection_free(connection);
}

/* Has idle connections looked for later, while there are connections that may not idle for ever. */
static void schedule_sweep(struct stream_server *server)
{
    const struct timeval delay = {.tv_sec = SWEEP_SECONDS};

    if (server->setup.idle_seconds && !TAILQ_EMPTY(&server->connections) &&
        !event_pending(server->sweep, EV_TIMEOUT, NULL))
        event_add(server->sweep, &delay);
}

/* Closes what has waited too long. */
static void on_sweep(evutil_socket_t fd, short what, void *argument)
{
    struct stream_server *server = argument;
    const struct connection *oldest;
    time_t now = monotonic_seconds();

    (void)fd;
    (void)what;
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): as in close_oldest */
    while ((oldest = TAILQ_FIRST(&server->connections)) && oldest->expires <= now)
        close_oldest(server);
    schedule_sweep(server);
}

/* Closes a new descriptor that there is no memory for; the counts tell a dealer of its end. */
static void turn_away(const struct stream_server *server, int fd)
{
    close(fd);
    if (server->setup.counters) {
        counter_add(&server->setup.counters->accepted, 1);
        counter_add(&server->setup.counters->closed, 1);
    }
}

/* Takes a new descriptor, and reads it at once: mostly the request has come already. */
static void connection_begin(struct stream_server *server, int fd)
{
    const struct stream_protocol *protocol = server->setup.protocol;
    struct connection *connection = calloc(1, sizeof(*connection) + protocol->state_size);

    if (!connection) {
        turn_away(server, fd);
        return;
    }
    if (server->n_connections >= server->setup.connections_max)
        close_oldest(server);
    connection->server = server;
    connection->fd = fd;
    connection->expires = monotonic_seconds() + server->setup.idle_seconds;
    protocol->begin(connection->state, server->setup.context);
    TAILQ_INSERT_TAIL(&server->connections, connection, link);
    server->n_connections++;
    if (server->setup.counters)
        counter_add(&server->setup.counters->accepted, 1);
    read_more(connection);
}

/* Whether new connections must wait until others end by themselves. */
static bool is_full(const struct stream_server *server)
{
    return !server->setup.idle_seconds && server->n_connections >= server->setup.connections_max;
}

static int take(const struct stream_server *server, int descriptor)
{
    if (server->setup.take)
        return server->setup.take(descriptor);
    return accept4(descriptor, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

static enum acceptance accept_one(int descriptor, void *context)
{
    struct stream_server *server = context;
    enum acceptance result = ACCEPTANCE_NEXT;
    int fd;

    if (is_full(server))
        return ACCEPTANCE_REST;
    fd = take(server, descriptor);
    if (fd >= 0)
        connection_begin(server, fd);
    else
        result = acceptor_classify(errno);
    schedule_sweep(server);
    if (result == ACCEPTANCE_REST && server->setup.idle_seconds && close_oldest(server))
        return ACCEPTANCE_NEXT;
    return result;
}

struct event_base *stream_base_new(void)
{
    struct event_config *config = event_config_new();
    struct event_base *base = NULL;

    if (config && event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK) == 0)
        base = event_base_new_with_config(config);
    if (config)
        event_config_free(config);
    return base;
}

int stream_server_new(struct event_base *base, int descriptor, const struct stream_setup *setup,
                      struct stream_server **out)
{
    struct stream_server *server = calloc(1, sizeof(*server));

    if (!server)
        return -ENOMEM;
    server->base = base;
    server->setup = *setup;
    TAILQ_INIT(&server->connections);
    server->sweep = evtimer_new(base, on_sweep, server);
    if (!server->sweep || acceptor_init(&server->acceptor, base, descriptor, accept_one, server)) {
        stream_server_free(server);
        return -ENOMEM;
    }
    *out = server;
    return 0;
}

void stream_server_drain(struct stream_server *server)
{
    acceptor_deinit(&server->acceptor);
    server->draining = true;
}

size_t stream_server_connections(const struct stream_server *server)
{
    return server->n_connections;
}

bool stream_server_sending(const struct stream_server *server)
{
    const struct connection *connection;

    TAILQ_FOREACH(connection, &server->connections, link)
        if (connection->phase == PHASE_WRITING)
            return true;
    return false;
}

void stream_server_free(struct stream_server *server)
{
    if (!server)
        return;
    while (close_oldest(server))
        ;
    acceptor_deinit(&server->acceptor);
    if (server->sweep)
        event_free(server->sweep);
    buffer_deinit(&server->replies);
    free(server);
}
