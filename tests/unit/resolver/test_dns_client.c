#include "cmocka_all.h"
#include "resolver/dns_client.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <sys/socket.h>
#include <unistd.h>

enum { QUESTIONS = 20 };

/* How a name server takes a question. */
enum manner {
    FORMERR_WITHOUT_QUESTION, /* where it has an OPT record */
    NOTIMP_WITH_QUESTION,     /* where it has an OPT record */
    NOTIMP_TWICE,             /* the same, as if it had been asked twice before it answered */
    TRUNCATED_OVER_UDP,
};

/* A name server, over UDP and TCP, that has one address for every name; and who asks it. */
struct name_server {
    struct event_base *base;
    enum manner manner;
    int fd;
    struct sockaddr_in address;
    struct event *readable;
    struct evconnlistener *listener;
    size_t n_refused, n_open, n_open_max; /* questions; connections */
    struct dns_client *client;
    size_t n_answers, n_found;
};

/* A connection to it. */
struct peer {
    struct name_server *server;
    struct bufferevent *tcp;
};

/* Makes an answer of a question, where it is. Returns its size. */
static size_t answer(struct name_server *server, uint8_t *message, bool udp)
{
    static const uint8_t record[] = {0xc0, 12, 0, ns_t_a, 0,   ns_c_in, 0, 0,
                                     0,    60, 0, 4,      192, 0,       2, 1};
    bool edns = message[11];
    size_t size = NS_HFIXEDSZ;

    while (message[size])
        size += 1 + (size_t)message[size];
    size += 1 + NS_QFIXEDSZ;
    message[2] |= 0x80;
    message[11] = 0;
    if (udp && server->manner == TRUNCATED_OVER_UDP) {
        message[2] |= 0x02;
        return size;
    }
    if (edns && server->manner != TRUNCATED_OVER_UDP) {
        server->n_refused++;
        message[3] = server->manner == FORMERR_WITHOUT_QUESTION ? ns_r_formerr : ns_r_notimpl;
        message[5] = server->manner != FORMERR_WITHOUT_QUESTION;
        return message[5] ? size : NS_HFIXEDSZ;
    }
    message[7] = 1;
    memcpy(message + size, record, sizeof(record));
    return size + sizeof(record);
}

static void on_datagram(evutil_socket_t fd, short what, void *context)
{
    struct name_server *server = context;
    uint8_t message[NS_PACKETSZ];
    struct sockaddr_in from;
    socklen_t length = sizeof(from);
    size_t size;

    (void)what;
    if (recvfrom(fd, message, sizeof(message), 0, (struct sockaddr *)&from, &length) < NS_HFIXEDSZ)
        return;
    size = answer(server, message, true);
    for (int i = message[3] && server->manner == NOTIMP_TWICE; i >= 0; i--)
        sendto(fd, message, size, 0, (struct sockaddr *)&from, length);
}

static void peer_free(struct peer *peer)
{
    peer->server->n_open--;
    bufferevent_free(peer->tcp);
    free(peer);
}

static void on_tcp_read(struct bufferevent *tcp, void *context)
{
    struct evbuffer *input = bufferevent_get_input(tcp);
    struct peer *peer = context;
    uint8_t message[2 + NS_PACKETSZ];
    size_t size;

    if (evbuffer_get_length(input) < 2 + NS_HFIXEDSZ)
        return;
    evbuffer_remove(input, message, sizeof(message));
    size = answer(peer->server, message + 2, false);
    message[0] = (uint8_t)(size >> 8);
    message[1] = (uint8_t)size;
    bufferevent_write(tcp, message, 2 + size);
}

static void on_tcp_event(struct bufferevent *tcp, short what, void *context)
{
    (void)tcp;
    (void)what;
    peer_free(context);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from,
                      int length, void *context)
{
    struct name_server *server = context;
    struct peer *peer = calloc(1, sizeof(*peer));

    (void)listener;
    (void)from;
    (void)length;
    assert_non_null(peer);
    peer->server = server;
    peer->tcp = bufferevent_socket_new(server->base, fd, BEV_OPT_CLOSE_ON_FREE);
    bufferevent_setcb(peer->tcp, on_tcp_read, NULL, on_tcp_event, peer);
    bufferevent_enable(peer->tcp, EV_READ | EV_WRITE);
    server->n_open++;
    if (server->n_open > server->n_open_max)
        server->n_open_max = server->n_open;
}

static void start(struct name_server *server, enum manner manner)
{
    socklen_t length = sizeof(server->address);

    *server = (struct name_server){
        .base = event_base_new(),
        .manner = manner,
        .fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0),
        .address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
    };
    server->listener = evconnlistener_new_bind(server->base, on_accept, server,
                                               LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, 64,
                                               (struct sockaddr *)&server->address, (int)length);
    assert_non_null(server->listener);
    assert_int_equal(getsockname(evconnlistener_get_fd(server->listener),
                                 (struct sockaddr *)&server->address, &length),
                     0);
    assert_int_equal(bind(server->fd, (struct sockaddr *)&server->address, length), 0);
    server->readable =
        event_new(server->base, server->fd, EV_READ | EV_PERSIST, on_datagram, server);
    event_add(server->readable, NULL);
    assert_int_equal(dns_client_new(server->base, &server->client), 0);
}

static void stop_server(struct name_server *server)
{
    dns_client_free(server->client);
    while (server->n_open)
        event_base_loop(server->base, EVLOOP_ONCE);
    event_free(server->readable);
    close(server->fd);
    evconnlistener_free(server->listener);
    event_base_free(server->base);
}

static void take(void *context, const struct dns_answer *answer)
{
    struct name_server *server = context;

    server->n_found +=
        answer->outcome == DNS_FOUND && text_equals(answer->values[0], TEXT("192.0.2.1"));
    if (++server->n_answers == QUESTIONS)
        event_base_loopbreak(server->base);
}

/* Asks many questions at once, and waits for the end of all. */
static void ask_all(struct name_server *server)
{
    struct address address;

    assert_true(address_from_text(TEXT("127.0.0.1"), &address));
    for (size_t i = 0; i < QUESTIONS; i++)
        assert_int_equal(dns_client_ask(server->client, &address, ntohs(server->address.sin_port),
                                        false, "a.example", ns_t_a, take, server),
                         0);
    event_base_dispatch(server->base);
    assert_int_equal(server->n_answers, QUESTIONS);
}

static void a_server_that_refuses_edns_is_asked_without(enum manner manner)
{
    struct name_server server;

    start(&server, manner);
    ask_all(&server);
    assert_int_equal(server.n_found, QUESTIONS);
    assert_int_equal(server.n_refused, QUESTIONS); /* all were asked before the first refusal */
    server.n_answers = server.n_found = 0;
    ask_all(&server);
    assert_int_equal(server.n_found, QUESTIONS);
    assert_int_equal(server.n_refused, QUESTIONS); /* it is known by now */
    stop_server(&server);
}

static void a_server_that_cannot_read_edns_is_asked_without(void **state)
{
    (void)state;
    a_server_that_refuses_edns_is_asked_without(FORMERR_WITHOUT_QUESTION);
}

static void a_server_that_does_not_know_edns_is_asked_without(void **state)
{
    (void)state;
    a_server_that_refuses_edns_is_asked_without(NOTIMP_WITH_QUESTION);
}

static void a_refusal_of_edns_that_comes_twice_is_no_answer(void **state)
{
    (void)state;
    a_server_that_refuses_edns_is_asked_without(NOTIMP_TWICE);
}

static void long_answers_come_over_no_more_than_eight_connections_at_a_time(void **state)
{
    struct name_server server;

    (void)state;
    start(&server, TRUNCATED_OVER_UDP);
    ask_all(&server);
    assert_int_equal(server.n_found, QUESTIONS);
    assert_in_range(server.n_open_max, 1, 8);
    stop_server(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_that_cannot_read_edns_is_asked_without),
        cmocka_unit_test(a_server_that_does_not_know_edns_is_asked_without),
        cmocka_unit_test(a_refusal_of_edns_that_comes_twice_is_no_answer),
        cmocka_unit_test(long_answers_come_over_no_more_than_eight_connections_at_a_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
