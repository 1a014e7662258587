#include "resolver/dns_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <resolv.h>
#include <search.h>
#include <strings.h>
#include <sys/queue.h>
#include <sys/random.h>
#include <unistd.h>

enum {
    TRIES = 3,
    TCP_MAX = 8,                                                  /* connections to one server */
    QUESTION_MAX = NS_HFIXEDSZ + NS_MAXCDNAME + NS_QFIXEDSZ + 11, /* with the OPT record */
    UDP_SIZE = 1232, /* octets of an answer that no network needs to fragment */
    TCP_SECONDS = 10,
    BURST = 64, /* datagrams that are read before other events have their turn */
};

static const struct timeval try_time = {.tv_sec = 2};

TAILQ_HEAD(questions, question);

/* A name server, and how it is asked. */
struct server {
    struct dns_client *client;
    struct address address;
    in_port_t port;
    int fd; /* a connected UDP socket while questions are under way, or -1 */
    struct event *readable;
    struct questions waiting, asked;
    size_t n_asked, n_tcp;
    bool no_edns;          /* it refused a question that had an OPT record */
    unsigned int failures; /* questions in a row that got no answer */
};

struct question {
    TAILQ_ENTRY(question) entry;
    struct server *server;
    dns_client_done done;
    void *context;
    struct event *timeout;
    struct bufferevent *tcp; /* NULL over UDP, and while it waits */
    unsigned int tries;
    ns_type type;
    bool recursion;
    bool over_tcp; /* the answer does not fit into a datagram */
    bool edns;     /* it was asked with an OPT record */
    uint16_t id;
    char name[];
};

struct dns_client {
    struct event_base *base;
    void *servers;          /* a tree of tsearch(3) */
    struct event *deferred; /* ends the questions that were given up */
    struct questions ended;
};

static int compare_servers(const void *a, const void *b)
{
    const struct server *left = a, *right = b;
    int order = memcmp(left->address.octets, right->address.octets, sizeof(left->address.octets));

    if (order == 0)
        order = left->address.family - right->address.family;
    return order ? order : left->port - right->port;
}

static void close_tcp(struct question *question)
{
    if (!question->tcp)
        return;
    bufferevent_free(question->tcp);
    question->tcp = NULL;
    question->server->n_tcp--;
}

static void question_free(struct question *question)
{
    if (!question)
        return;
    if (question->timeout)
        event_free(question->timeout);
    close_tcp(question);
    free(question);
}

static void advance(struct server *server);

/* Takes a question off those that its server is asked. */
static void stop_asking(struct question *question)
{
    TAILQ_REMOVE(&question->server->asked, question, entry);
    question->server->n_asked--;
    event_del(question->timeout);
    close_tcp(question);
}

/* Has a question that is under way be asked again, before all that wait. */
static void ask_again(struct question *question)
{
    stop_asking(question);
    TAILQ_INSERT_HEAD(&question->server->waiting, question, entry);
    advance(question->server);
}

/* Takes a question from its server, tells who asked, and frees it. */
static void question_end(struct question *question, const struct dns_answer *answer)
{
    struct server *server = question->server;

    stop_asking(question);
    question->done(question->context, answer);
    question_free(question);
    advance(server);
}

static void end_without_answer(struct question *question)
{
    static const struct dns_answer none = {.outcome = DNS_NO_ANSWER};

    question->server->failures++;
    question_end(question, &none);
}

/* Writes the question's message. Returns its size, or 0 if the name is none. */
static size_t write_message(const struct question *question, uint8_t message[QUESTION_MAX])
{
    static const uint8_t opt[] = {0, 0, ns_t_opt, UDP_SIZE >> 8, UDP_SIZE & 255, 0, 0, 0, 0, 0, 0};
    uint8_t *at = message + NS_HFIXEDSZ;
    int n;

    memset(message, 0, NS_HFIXEDSZ);
    message[0] = (uint8_t)(question->id >> 8);
    message[1] = (uint8_t)question->id;
    message[2] = question->recursion; /* RD */
    message[5] = 1;                   /* QDCOUNT */
    message[11] = question->edns;     /* ARCOUNT */
    n = dn_comp(question->name, at, NS_MAXCDNAME, NULL, NULL);
    if (n < 0)
        return 0;
    at += n;
    ns_put16((unsigned int)question->type, at);
    ns_put16(ns_c_in, at + NS_INT16SZ);
    at += NS_QFIXEDSZ;
    if (question->edns) {
        memcpy(at, opt, sizeof(opt));
        at += sizeof(opt);
    }
    return (size_t)(at - message);
}

static bool send_question(struct question *question)
{
    uint8_t message[QUESTION_MAX];
    size_t size = write_message(question, message);

    return size && send(question->server->fd, message, size, MSG_NOSIGNAL) == (ssize_t)size;
}

/* Whether a message says that the server does not know the OPT record of ours (RFC 6891 7). */
static bool refuses_edns(const struct question *question, const uint8_t *message)
{
    int rcode = message[3] & 0x0f;

    return question->edns && (rcode == ns_r_formerr || rcode == ns_r_notimpl);
}

/* Whether a message has the header and the question that answer ours. A server that could not read
 * ours cannot repeat the question. */
static bool answers_question(const struct question *question, const uint8_t *message, size_t size)
{
    char name[NS_MAXDNAME];
    int length;

    if (size < NS_HFIXEDSZ || !(message[2] & 0x80) || ns_get16(message) != question->id)
        return false;
    if (ns_get16(message + 4) == 0)
        return refuses_edns(question, message);
    if (ns_get16(message + 4) != 1)
        return false;
    length = ns_name_uncompress(message, message + size, message + NS_HFIXEDSZ, name, sizeof(name));
    return length > 0 && strcasecmp(name, question->name) == 0 &&
           (size_t)length + NS_HFIXEDSZ + NS_QFIXEDSZ <= size &&
           ns_get16(message + NS_HFIXEDSZ + length) == (unsigned int)question->type;
}

/* Ends a question with what came, or asks in another way if that helps. */
static void take_message(struct question *question, const uint8_t *message, size_t size)
{
    CLEANUP(arena_deinit) struct arena arena = ARENA_INIT;
    struct dns_answer answer;

    if (refuses_edns(question, message)) {
        question->server->no_edns = true;
        question->id++; /* so that a refusal of an earlier try, late, is no answer to the next */
        ask_again(question);
        return;
    }
    if (dns_answer_read(message, size, question->name, question->type, &arena, &answer))
        answer = (struct dns_answer){.outcome = DNS_NO_ANSWER};
    if (answer.truncated && !question->over_tcp) {
        question->over_tcp = true;
        ask_again(question);
        return;
    }
    question->server->failures = 0;
    question_end(question, &answer);
}

static struct question *find_question(struct server *server, const uint8_t *message, size_t size)
{
    struct question *question;

    TAILQ_FOREACH(question, &server->asked, entry)
        if (!question->over_tcp && answers_question(question, message, size))
            return question;
    return NULL;
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
    struct server *server = context;
    static uint8_t message[NS_MAXMSG];

    (void)what;
    for (int i = 0; i < BURST && server->fd == fd; i++) {
        ssize_t n = recv(fd, message, sizeof(message), MSG_DONTWAIT);
        struct question *question;

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        /* Any other error is an ICMP message to one of our datagrams; the timeout deals with it. */
        question = n > 0 ? find_question(server, message, (size_t)n) : NULL;
        if (question)
            take_message(question, message, (size_t)n);
    }
}

static void on_timeout(evutil_socket_t fd, short what, void *context)
{
    struct question *question = context;

    (void)fd;
    (void)what;
    if (!question->over_tcp && question->tries < TRIES &&
        question->server->failures < DNS_CLIENT_PATIENCE) {
        question->tries++;
        send_question(question);
        event_add(question->timeout, &try_time);
        return;
    }
    end_without_answer(question);
}

static void on_tcp_read(struct bufferevent *tcp, void *context)
{
    struct evbuffer *input = bufferevent_get_input(tcp);
    struct question *question = context;
    const uint8_t *message;
    uint8_t prefix[2];
    size_t size;

    if (evbuffer_copyout(input, prefix, sizeof(prefix)) < (ssize_t)sizeof(prefix))
        return;
    size = ns_get16(prefix);
    if (evbuffer_get_length(input) < sizeof(prefix) + size)
        return;
    message = evbuffer_pullup(input, (ssize_t)(sizeof(prefix) + size));
    if (message && answers_question(question, message + sizeof(prefix), size))
        take_message(question, message + sizeof(prefix), size);
    else
        end_without_answer(question);
}

static void on_tcp_event(struct bufferevent *tcp, short what, void *context)
{
    (void)tcp;
    if (!(what & BEV_EVENT_CONNECTED))
        end_without_answer(context);
}

/* A socket address, as what it was stored. */
union socket_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* The socket address of a server. Returns its length. */
static socklen_t address_of(const struct server *server, union socket_address *out)
{
    const struct address *address = &server->address;

    *out = (union socket_address){.any.sa_family = (sa_family_t)address->family};
    if (address->family == AF_INET) {
        out->v4.sin_port = htons(server->port);
        memcpy(&out->v4.sin_addr, address->octets, sizeof(out->v4.sin_addr));
        return sizeof(out->v4);
    }
    out->v6.sin6_port = htons(server->port);
    memcpy(&out->v6.sin6_addr, address->octets, sizeof(out->v6.sin6_addr));
    return sizeof(out->v6);
}

/* Starts to ask over TCP. Returns whether that is under way. */
static bool ask_over_tcp(struct question *question)
{
    static const struct timeval patience = {.tv_sec = TCP_SECONDS};
    struct server *server = question->server;
    union socket_address address;
    socklen_t length = address_of(server, &address);
    uint8_t message[2 + QUESTION_MAX];
    size_t size = write_message(question, message + 2);

    ns_put16((unsigned int)size, message);
    question->tcp = bufferevent_socket_new(server->client->base, -1,
                                           BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
    if (!question->tcp)
        return false;
    server->n_tcp++;
    bufferevent_setcb(question->tcp, on_tcp_read, NULL, on_tcp_event, question);
    return bufferevent_write(question->tcp, message, size + 2) == 0 &&
           bufferevent_enable(question->tcp, EV_READ | EV_WRITE) == 0 &&
           event_add(question->timeout, &patience) == 0 &&
           bufferevent_socket_connect(question->tcp, &address.any, (int)length) == 0;
}

static void close_server(struct server *server)
{
    if (server->readable)
        event_free(server->readable);
    if (server->fd >= 0)
        close(server->fd);
    server->readable = NULL;
    server->fd = -1;
}

static bool open_server(struct server *server)
{
    union socket_address address;
    socklen_t length = address_of(server, &address);

    if (server->fd >= 0)
        return true;
    server->fd =
        socket(server->address.family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
    if (server->fd >= 0 && connect(server->fd, &address.any, length) == 0) {
        server->readable =
            event_new(server->client->base, server->fd, EV_READ | EV_PERSIST, on_readable, server);
        if (server->readable && event_add(server->readable, NULL) == 0)
            return true;
    }
    close_server(server);
    return false;
}

/* Starts to ask over UDP. Returns whether an answer is waited for. */
static bool ask_over_udp(struct question *question)
{
    if (!open_server(question->server) || event_add(question->timeout, &try_time) < 0)
        return false;
    question->tries = 1;
    send_question(question);
    return true;
}

/* Has a question end, without an answer, when the event base runs on. */
static void give_up(struct question *question)
{
    struct dns_client *client = question->server->client;

    event_del(question->timeout);
    close_tcp(question);
    TAILQ_INSERT_TAIL(&client->ended, question, entry);
    event_active(client->deferred, EV_TIMEOUT, 0);
}

static void on_deferred(evutil_socket_t fd, short what, void *context)
{
    static const struct dns_answer none = {.outcome = DNS_NO_ANSWER};
    struct dns_client *client = context;
    struct questions ended = TAILQ_HEAD_INITIALIZER(ended);
    struct question *question;

    (void)fd;
    (void)what;
    TAILQ_CONCAT(&ended, &client->ended, entry);
    while ((question = TAILQ_FIRST(&ended))) {
        TAILQ_REMOVE(&ended, question, entry);
        question->done(question->context, &none);
        question_free(question);
    }
}

static bool has_room(const struct server *server, const struct question *question)
{
    return server->n_asked < DNS_CLIENT_WINDOW && !(question->over_tcp && server->n_tcp == TCP_MAX);
}

/* Asks what waits, as far as there is room; closes the socket where nothing is left to ask. */
static void advance(struct server *server)
{
    struct question *question;

    while ((question = TAILQ_FIRST(&server->waiting)) && has_room(server, question)) {
        TAILQ_REMOVE(&server->waiting, question, entry);
        question->edns = !server->no_edns;
        if (server->failures >= DNS_CLIENT_PATIENCE ||
            !(question->over_tcp ? ask_over_tcp(question) : ask_over_udp(question))) {
            give_up(question);
            continue;
        }
        TAILQ_INSERT_TAIL(&server->asked, question, entry);
        server->n_asked++;
    }
    if (server->n_asked == 0)
        close_server(server);
}

/* Finds a server, or makes it. Returns NULL if memory runs out. */
static struct server *get_server(struct dns_client *client, const struct address *address,
                                 in_port_t port)
{
    struct server key = {.address = *address, .port = port}, *server;
    struct server **found = tfind(&key, &client->servers, compare_servers);

    if (found)
        return *found;
    server = calloc(1, sizeof(*server));
    if (!server)
        return NULL;
    *server = (struct server){.client = client, .address = *address, .port = port, .fd = -1};
    TAILQ_INIT(&server->waiting);
    TAILQ_INIT(&server->asked);
    if (!tsearch(server, &client->servers, compare_servers)) {
        free(server);
        return NULL;
    }
    return server;
}

DEFINE_CLEANUP(struct question *, question_free)

int dns_client_ask(struct dns_client *client, const struct address *server, in_port_t port,
                   bool recursion, const char *name, ns_type type, dns_client_done done,
                   void *context)
{
    CLEANUP(question_free_pointer) struct question *question = NULL;
    struct server *to = get_server(client, server, port);

    question = calloc(1, sizeof(*question) + strlen(name) + 1);
    if (!to || !question)
        return -ENOMEM;
    memcpy(question->name, name, strlen(name) + 1);
    question->server = to;
    question->done = done;
    question->context = context;
    question->type = type;
    question->recursion = recursion;
    question->timeout = event_new(client->base, -1, 0, on_timeout, question);
    if (!question->timeout || getrandom(&question->id, sizeof(question->id), 0) < 0)
        return -ENOMEM;
    TAILQ_INSERT_TAIL(&to->waiting, question, entry);
    question = NULL;
    advance(to);
    return 0;
}

int dns_client_new(struct event_base *base, struct dns_client **out)
{
    struct dns_client *client = calloc(1, sizeof(*client));

    if (!client)
        return -ENOMEM;
    client->base = base;
    TAILQ_INIT(&client->ended);
    client->deferred = event_new(base, -1, 0, on_deferred, client);
    if (!client->deferred) {
        free(client);
        return -ENOMEM;
    }
    *out = client;
    return 0;
}

static void free_questions(struct questions *questions)
{
    struct question *question;

    while ((question = TAILQ_FIRST(questions))) {
        TAILQ_REMOVE(questions, question, entry);
        question_free(question);
    }
}

static void server_free(void *node)
{
    struct server *server = node;

    free_questions(&server->waiting);
    free_questions(&server->asked);
    close_server(server);
    free(server);
}

void dns_client_free(struct dns_client *client)
{
    if (!client)
        return;
    free_questions(&client->ended);
    tdestroy(client->servers, server_free);
    event_free(client->deferred);
    free(client);
}

static void forgive(const void *node, VISIT visit, void *context)
{
    (void)context;
    if (visit == preorder || visit == leaf)
        (*(struct server *const *)node)->failures = 0;
}

void dns_client_forgive(struct dns_client *client)
{
    twalk_r(client->servers, forgive, NULL);
}
