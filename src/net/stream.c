/* A connection is in one state at a time, which says what it waits for. When that comes, it has its
 * turn: it reads, answers requests until it has enough replies in hand, or makes one piece of a
 * long reply, and sends what the socket takes. So connections with much to send let others have
 * their turn in between, and a peer that asks without reading is answered only as it reads.
 *
 *                 bytes          replies           the last reply,      the peer
 *   accepted                                       and the peer sends   has closed
 *   -------> READING --> ANSWERING --> SENDING ---------> LINGERING ---------> ENDED
 *               ^            ^         ^  |  |                                   ^
 *               |            |   piece |  |  +---------- the last reply ---------+
 *               |            |  PRODUCING<+
 *               |            |            |
 *               |            +------------+  requests are in hand
 *               +-------------------------+  none is
 *
 * While the server drains a connection ends with its next reply. If the server is to leave its
 * connections to others, it is PARKED instead, between two requests: one that is READING, and of
 * whose next request nothing was read, at once, others after their last reply.
 *
 * What fails leads to ENDED from every state. A connection is freed in two places: at the end of
 * the turn that ends it (take_turn), and when it has to give way (evict_oldest), which never
 * happens in a turn of its own.
 */
#include "net/stream.h"

#include "net/acceptor.h"
#include "net/stream_counters.h"
#include "os/clock.h"
#include "os/fd.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    INPUT_SIZE = 64 << 10,  /* bytes read at once */
    REPLIES_MAX = 64 << 10, /* bytes of replies in hand with which no further request is answered */
    REPLIES_KEPT = 1 << 20, /* bytes of buffer kept after a large reply */
    LINGER_MAX = 1 << 20,   /* bytes dropped so that the peer can read the last reply */
    SWEEP_SECONDS = 1,      /* how often idle connections are looked for */
};

enum state {
    READING,   /* waits for bytes of a request */
    ANSWERING, /* waits for its turn: requests are in hand */
    PRODUCING, /* waits for its turn: a long reply goes on */
    SENDING,   /* waits for the socket to take what is in hand */
    LINGERING, /* has ended its side, and drops what comes until the peer ends its own */
    PARKED,    /* is left alone until it is released */
    ENDED,     /* is about to be freed */
};

TAILQ_HEAD(connections, connection);

struct connection {
    TAILQ_ENTRY(connection) link;
    struct connections *list; /* of the server's, the one that it is in */
    struct stream_server *server;
    int fd;
    enum state state;
    struct event *event;       /* what it waits for; NULL until it has waited, and while PARKED */
    time_t expires;            /* monotonic seconds, or NEVER */
    uint64_t begun;            /* monotonic nanoseconds, when what is being answered was in hand;
                                  0: it has never sent anything */
    enum stream_outcome last;  /* of the last reading, at first STREAM_INCOMPLETE */
    struct producer *producer; /* of the long reply that is being sent, or NULL */
    struct buffer input;       /* requests that were read and not answered yet */
    struct buffer output;      /* what the socket did not take at once */
    size_t sent;               /* of the output */
    size_t dropped;            /* bytes, while LINGERING */
    _Alignas(max_align_t) char protocol_state[];
};

struct stream_server {
    struct event_base *base;
    int descriptor; /* that connections come from */
    struct stream_setup setup;
    struct acceptor acceptor;
    struct event *sweep;
    bool draining;
    /* Those that wait for a request, and all others but the parked; in each the one that expires
     * first is first. */
    struct connections reading, sending;
    struct connections parked;
    size_t n_connections;
    char input[INPUT_SIZE]; /* of the connection that has its turn, as are its replies */
    struct buffer replies;
};

static const time_t NEVER = INT64_MAX;

static struct connections *list_of(struct stream_server *server, enum state state)
{
    return state == READING  ? &server->reading
           : state == PARKED ? &server->parked
                             : &server->sending;
}

/* Gives a connection all its time from now on: it goes to the end of the list of its next state.
 * One whose reply takes too long altogether gets no more time for it. */
static void renew(struct connection *connection, enum state next)
{
    struct stream_server *server = connection->server;
    struct connections *list = list_of(server, next);
    unsigned int seconds = next == READING ? server->setup.idle_seconds : STREAM_STALL_SECONDS;
    time_t now = clock_coarse_seconds(), begun = (time_t)(connection->begun / 1000000000);

    if (list == connection->list && next != READING && now - begun >= STREAM_REPLY_SECONDS)
        return;
    connection->expires = seconds ? now + seconds : NEVER;
    TAILQ_REMOVE(connection->list, connection, link);
    TAILQ_INSERT_TAIL(list, connection, link);
    connection->list = list;
}

static void connection_free(struct connection *connection)
{
    struct stream_server *server = connection->server;

    TAILQ_REMOVE(connection->list, connection, link);
    server->n_connections--;
    atomic_fetch_sub(&server->setup.places->taken, 1);
    counter_add(&server->setup.counters->closed, 1);
    producer_free(connection->producer);
    server->setup.protocol->end(connection->protocol_state);
    if (connection->event)
        event_free(connection->event);
    fd_close(&connection->fd);
    buffer_deinit(&connection->input);
    buffer_deinit(&connection->output);
    free(connection);
}

/* The connection that expires first, which is the one that has waited longest; or NULL. */
static struct connection *find_oldest(const struct stream_server *server)
{
    struct connection *reading = TAILQ_FIRST(&server->reading);
    struct connection *sending = TAILQ_FIRST(&server->sending);

    return !reading || (sending && sending->expires < reading->expires) ? sending : reading;
}

/* Closes the oldest connection. Returns whether there was one. */
static bool evict_oldest(struct stream_server *server)
{
    struct connection *oldest = find_oldest(server);

    if (!oldest)
        return false;
    counter_add(&server->setup.counters->evicted, 1);
    connection_free(oldest);
    return true;
}

/* Lets the protocol answer the requests among the first N bytes of the server's input, but none
 * after a long reply begins or the replies are enough for now. What it does not read is kept. */
static enum state answer_input(struct connection *connection, size_t n)
{
    struct stream_server *server = connection->server;
    struct buffer *replies = &server->replies;
    struct text bytes = {.data = server->input, .length = n};
    struct stream_result result;

    if (replies->capacity > REPLIES_KEPT)
        buffer_deinit(replies);
    buffer_clear(replies);
    do {
        result = server->setup.protocol->read(connection->protocol_state, bytes, replies);
        bytes = text_after(bytes, result.n_read);
    } while (bytes.length && result.outcome == STREAM_ANSWERED && !result.producer &&
             replies->length < REPLIES_MAX);
    connection->producer = result.producer;
    connection->last = result.outcome;
    if (result.outcome == STREAM_CLOSE && bytes.length)
        connection->last = STREAM_CLOSE_UNREAD;
    else if (result.outcome == STREAM_ANSWERED)
        buffer_add_text(&connection->input, bytes);
    if (replies->failed || connection->input.failed)
        return ENDED;
    return result.outcome == STREAM_INCOMPLETE && replies->length == 0 ? READING : SENDING;
}

/* Takes what the peer has sent: requests, or what is dropped while LINGERING. */
static enum state receive_input(struct connection *connection)
{
    struct stream_server *server = connection->server;
    ssize_t n = recv(connection->fd, server->input, sizeof(server->input), 0);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return connection->state;
    if (n <= 0)
        return ENDED;
    if (connection->state == LINGERING) {
        connection->dropped += (size_t)n;
        return connection->dropped > LINGER_MAX ? ENDED : LINGERING;
    }
    connection->begun = clock_monotonic_ns();
    return answer_input(connection, (size_t)n);
}

/* Goes on with the requests that were read and not answered yet. */
static enum state resume_input(struct connection *connection)
{
    size_t n = connection->input.length;

    memcpy(connection->server->input, connection->input.data, n);
    buffer_deinit(&connection->input);
    connection->begun = clock_monotonic_ns();
    return answer_input(connection, n);
}

static enum state produce_piece(struct connection *connection)
{
    struct buffer *replies = &connection->server->replies;

    buffer_clear(replies);
    if (!connection->producer->more(connection->producer, replies)) {
        producer_free(connection->producer);
        connection->producer = NULL;
    }
    return replies->failed ? ENDED : SENDING;
}

static bool has_unread_input(int fd)
{
    int n = 0;

    return ioctl(fd, FIONREAD, &n) == 0 && n > 0;
}

/* The state after all that is in hand has been sent. Closing with bytes unread would reset the
 * connection and could destroy the reply on its way; such bytes may have come while the reply had
 * to wait. */
static enum state next_state(const struct connection *connection, bool waited)
{
    const struct stream_server *server = connection->server;
    bool last = server->draining && connection->last == STREAM_ANSWERED;

    if (connection->producer)
        return PRODUCING;
    if (connection->input.length)
        return ANSWERING;
    if (connection->last == STREAM_CLOSE_UNREAD)
        return LINGERING;
    if (last && server->setup.keep)
        return PARKED;
    if (last || connection->last == STREAM_CLOSE)
        return waited && has_unread_input(connection->fd) ? LINGERING : ENDED;
    return READING;
}

/* Sends what is in hand: what has waited for the socket, or the replies of this turn. With the last
 * bytes the kernel is told that more will come: the FIN that follows at once. */
static enum state send_output(struct connection *connection)
{
    bool waited = connection->output.length > 0;
    const struct buffer *from = waited ? &connection->output : &connection->server->replies;
    size_t left = from->length - connection->sent;
    enum state next = next_state(connection, waited);
    int flags = MSG_NOSIGNAL | (next == LINGERING || next == ENDED ? MSG_MORE : 0);
    ssize_t n = left ? send(connection->fd, from->data + connection->sent, left, flags) : 0;

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        n = 0;
    if (n < 0)
        return ENDED;
    if (n > 0 || !waited)
        renew(connection, (size_t)n < left ? SENDING : next);
    if ((size_t)n < left && waited) {
        connection->sent += (size_t)n;
        return SENDING;
    }
    if ((size_t)n < left) {
        buffer_add(&connection->output, from->data + n, left - (size_t)n);
        return connection->output.failed ? ENDED : SENDING;
    }
    buffer_deinit(&connection->output);
    connection->sent = 0;
    if (!connection->producer)
        stream_count_answer(connection->server->setup.counters,
                            clock_monotonic_ns() - connection->begun);
    if (next == LINGERING)
        shutdown(connection->fd, SHUT_WR);
    return next;
}

static void on_ready(evutil_socket_t fd, short what, void *argument);

/* Has the event base call when a connection can go on. One that is answered and ended at once never
 * gets an event, and one that is parked has none any more. Returns whether memory lasted. */
static bool wait_for_turn(struct connection *connection)
{
    static const short events[] = {
        [READING] = EV_READ,  [ANSWERING] = EV_WRITE, [PRODUCING] = EV_WRITE,
        [SENDING] = EV_WRITE, [LINGERING] = EV_READ,  [PARKED] = 0,
    };
    short what = events[connection->state];

    if (connection->event && event_get_events(connection->event) & what)
        return true;
    if (connection->event)
        event_free(connection->event);
    connection->event = NULL;
    if (!what)
        return true;
    connection->event = event_new(connection->server->base, connection->fd,
                                  (short)(what | EV_PERSIST), on_ready, connection);
    return connection->event && event_add(connection->event, NULL) == 0;
}

/* Has connections that have to go looked for later, while there are any. */
static void schedule_sweep(struct stream_server *server)
{
    const struct timeval delay = {.tv_sec = SWEEP_SECONDS};
    const struct connection *oldest = find_oldest(server);

    if (oldest && oldest->expires != NEVER && !event_pending(server->sweep, EV_TIMEOUT, NULL))
        event_add(server->sweep, &delay);
}

static void on_sweep(evutil_socket_t fd, short what, void *argument)
{
    struct stream_server *server = argument;
    const struct stream_places *places = server->setup.places;
    const struct connection *oldest;
    time_t now = clock_coarse_seconds();

    (void)fd;
    (void)what;
    while (server->n_connections > places->share && atomic_load(&places->taken) > places->max &&
           evict_oldest(server))
        ;
    while ((oldest = find_oldest(server)) && oldest->expires <= now)
        evict_oldest(server);
    schedule_sweep(server);
}

static void take_turn(struct connection *connection)
{
    enum state state = connection->state;

    if (state == READING || state == LINGERING)
        state = receive_input(connection);
    else if (state == ANSWERING)
        state = resume_input(connection);
    else if (state == PRODUCING)
        state = produce_piece(connection);
    if (state == SENDING)
        state = send_output(connection);
    connection->state = state;
    if (state != READING)
        schedule_sweep(connection->server);
    if (state == ENDED || !wait_for_turn(connection))
        connection_free(connection);
}

static void on_ready(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    take_turn(argument);
}

/* Takes a new descriptor, and reads from it at once: mostly the request has come already. If no
 * place is left for it, another connection of the same thread has to go, unless the thread has less
 * than its share: then one of another thread has to (on_sweep). */
static void connection_begin(struct stream_server *server, int fd)
{
    const struct stream_protocol *protocol = server->setup.protocol;
    struct stream_places *places = server->setup.places;
    struct connection *connection = calloc(1, sizeof(*connection) + protocol->state_size);

    counter_add(&server->setup.counters->accepted, 1);
    if (!connection) {
        close(fd);
        counter_add(&server->setup.counters->closed, 1);
        return;
    }
    if (atomic_fetch_add(&places->taken, 1) >= places->max &&
        server->n_connections >= places->share)
        evict_oldest(server);
    connection->server = server;
    connection->fd = fd;
    connection->list = &server->reading;
    TAILQ_INSERT_TAIL(&server->reading, connection, link);
    server->n_connections++;
    renew(connection, READING);
    protocol->begin(connection->protocol_state, server->setup.context, fd);
    take_turn(connection);
}

static enum acceptance accept_one(int descriptor, void *context)
{
    struct stream_server *server = context;
    const struct stream_setup *setup = &server->setup;
    enum acceptance result = ACCEPTANCE_NEXT;
    int fd;

    /* Those without an idle time end by themselves alone. */
    if (!setup->idle_seconds && atomic_load(&setup->places->taken) >= setup->places->max)
        return ACCEPTANCE_PAUSE;
    fd = setup->take ? setup->take(descriptor)
                     : accept4(descriptor, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0)
        connection_begin(server, fd);
    else
        result = acceptor_classify(errno);
    schedule_sweep(server);
    if (result == ACCEPTANCE_EXHAUSTED && setup->idle_seconds && evict_oldest(server))
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
    server->descriptor = descriptor;
    server->setup = *setup;
    TAILQ_INIT(&server->reading);
    TAILQ_INIT(&server->sending);
    TAILQ_INIT(&server->parked);
    server->sweep = evtimer_new(base, on_sweep, server);
    if (!server->sweep || acceptor_init(&server->acceptor, base, descriptor, accept_one, server)) {
        stream_server_free(server);
        return -ENOMEM;
    }
    *out = server;
    return 0;
}

/* Parks the connections of whose next request nothing was read. The others that are reading have
 * half a request. */
static void park_idle(struct stream_server *server)
{
    struct connection *connection = TAILQ_FIRST(&server->reading), *next;

    for (; connection; connection = next) {
        next = TAILQ_NEXT(connection, link);
        if (connection->last == STREAM_INCOMPLETE && connection->begun)
            continue;
        renew(connection, PARKED);
        connection->state = PARKED;
        wait_for_turn(connection);
    }
}

void stream_server_drain(struct stream_server *server)
{
    acceptor_deinit(&server->acceptor);
    server->draining = true;
    while (server->setup.take && accept_one(server->descriptor, server) == ACCEPTANCE_NEXT)
        ;
    if (server->setup.keep)
        park_idle(server);
}

int stream_server_release(struct stream_server *server)
{
    struct connection *connection = TAILQ_FIRST(&server->parked);
    int fd;

    if (!connection)
        return -1;
    fd = fd_take(&connection->fd);
    connection_free(connection);
    return fd;
}

size_t stream_server_connections(const struct stream_server *server)
{
    return server->n_connections;
}

bool stream_server_is_busy(const struct stream_server *server)
{
    const struct connection *connection;

    TAILQ_FOREACH(connection, &server->sending, link)
        if (connection->state != LINGERING)
            return true;
    TAILQ_FOREACH(connection, &server->reading, link)
        if (connection->last == STREAM_INCOMPLETE)
            return true;
    return false;
}

void stream_server_free(struct stream_server *server)
{
    int fd;

    if (!server)
        return;
    while (evict_oldest(server))
        ;
    while ((fd = stream_server_release(server)) >= 0)
        close(fd);
    acceptor_deinit(&server->acceptor);
    if (server->sweep)
        event_free(server->sweep);
    buffer_deinit(&server->replies);
    free(server);
}
