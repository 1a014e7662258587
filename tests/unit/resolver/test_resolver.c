#include "cmocka_all.h"
#include "resolver/resolver.h"

#include <event2/event.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* A name server: SERVFAIL for everything while it is broken, one address otherwise. */
struct name_server {
    int fd;
    char address[32];
    bool broken;
    struct event *readable;
};

static void on_question(evutil_socket_t fd, short what, void *context)
{
    static const uint8_t record[] = {0xc0, 12, 0, ns_t_a, 0,   ns_c_in, 0, 0,
                                     0,    60, 0, 4,      192, 0,       2, 1};
    const struct name_server *server = context;
    struct sockaddr_in from;
    socklen_t length = sizeof(from);
    uint8_t message[NS_PACKETSZ + sizeof(record)];
    ssize_t n = recvfrom(fd, message, NS_PACKETSZ, 0, (struct sockaddr *)&from, &length);
    size_t size = NS_HFIXEDSZ;

    (void)what;
    if (n < NS_HFIXEDSZ)
        return;
    while (message[size])
        size += 1 + (size_t)message[size];
    size += 1 + NS_QFIXEDSZ;
    message[2] |= 0x80;
    message[3] = 0x80 | (server->broken ? ns_r_servfail : ns_r_noerror);
    message[11] = 0; /* no OPT record */
    if (!server->broken) {
        message[7] = 1;
        memcpy(message + size, record, sizeof(record));
        size += sizeof(record);
    }
    sendto(fd, message, size, 0, (struct sockaddr *)&from, length);
}

static void start_name_server(struct event_base *base, struct name_server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);

    server->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(server->fd, (struct sockaddr *)&address, length), 0);
    assert_int_equal(getsockname(server->fd, (struct sockaddr *)&address, &length), 0);
    snprintf(server->address, sizeof(server->address), "127.0.0.1@%d", ntohs(address.sin_port));
    server->readable = event_new(base, server->fd, EV_READ | EV_PERSIST, on_question, server);
    event_add(server->readable, NULL);
}

struct asked {
    struct event_base *base;
    enum dns_outcome outcome;
    bool done;
};

static void take(void *context, const struct dns_answer *answer)
{
    struct asked *asked = context;

    asked->outcome = answer->outcome;
    asked->done = true;
    event_base_loopbreak(asked->base);
}

static enum dns_outcome ask(struct resolver *resolver, struct event_base *base)
{
    struct asked asked = {.base = base};

    assert_int_equal(resolver_ask(resolver, "a.example", ns_t_a, take, &asked), 0);
    if (!asked.done)
        event_base_dispatch(base);
    assert_true(asked.done);
    return asked.outcome;
}

static void a_failure_is_asked_for_again_once_it_is_forgotten(void **state)
{
    struct event_base *base = event_base_new();
    struct name_server server = {.broken = true};
    struct resolver_setup setup = {.forward = server.address};
    struct resolver *resolver;
    const char *fault;

    (void)state;
    start_name_server(base, &server);
    assert_int_equal(resolver_new(base, &setup, &fault, &resolver), 0);
    assert_int_equal(ask(resolver, base), DNS_FAILED);
    server.broken = false;
    assert_int_equal(ask(resolver, base), DNS_FAILED);
    assert_int_equal(resolver_forget(resolver), 0);
    assert_int_equal(ask(resolver, base), DNS_FOUND);
    resolver_free(resolver);
    event_free(server.readable);
    close(server.fd);
    event_base_free(base);
}

static void look_ups_under_way_end_with_the_resolver(void **state)
{
    struct event_base *base = event_base_new();
    struct name_server server = {.broken = true};
    struct resolver_setup setup = {.forward = server.address};
    struct asked asked = {.base = base};
    struct resolver *resolver;
    const char *fault;

    (void)state;
    start_name_server(base, &server);
    assert_int_equal(resolver_new(base, &setup, &fault, &resolver), 0);
    assert_int_equal(resolver_ask(resolver, "a.example", ns_t_a, take, &asked), 0);
    assert_int_equal(resolver_ask(resolver, "b.example", ns_t_a, take, &asked), 0);
    resolver_free(resolver);
    assert_false(asked.done);
    event_free(server.readable);
    close(server.fd);
    event_base_free(base);
}

static void files_that_cannot_be_used_are_refused_at_once(void **state)
{
    static const struct resolver_setup setups[] = {
        {.trust_anchor = "/nonexistent"},
        {.trust_anchor = "/etc/passwd"},
        {.root_hints = "/nonexistent"},
        {.forward = "nowhere"},
    };
    struct event_base *base = event_base_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(setups); i++) {
        struct resolver *resolver;
        const char *fault = NULL;

        assert_int_equal(resolver_new(base, &setups[i], &fault, &resolver), RESOLVER_REFUSED);
        assert_non_null(fault);
    }
    event_base_free(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_is_asked_for_again_once_it_is_forgotten),
        cmocka_unit_test(look_ups_under_way_end_with_the_resolver),
        cmocka_unit_test(files_that_cannot_be_used_are_refused_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
