/* A remote backend that does nothing: the same reply to every request. What PowerDNS reaches with
 * it over a transport is the most that any service could reach over the same; the benchmark
 * compares with that.
 *
 * Usage: constant http|http-keepalive PORT RESULT
 *        constant unix PATH RESULT
 *
 * RESULT is the JSON after "result":. No more of a request is read than where it ends, and an HTTP
 * connection is closed as the service does it, with the reply and the FIN in one segment. Requests
 * have no body (PowerDNS's GET mode) and come one at a time on a connection. */
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { EVENTS = 64, REQUEST_MAX = 4096, REPLY_MAX = 4096 };

/* How requests end and what stands around the replies. */
struct kind {
    const char *name;
    const char *request_end;
    const char *reply_head; /* the last of the headers; NULL: none at all */
    const char *reply_tail;
    bool closes;
};

static const struct kind kinds[] = {
    {"http", "\r\n\r\n", "Connection: close\r\n", "", true},
    {"http-keepalive", "\r\n\r\n", "", "", false},
    {"unix", "\n", NULL, "\n", false},
};

struct reply {
    char text[REPLY_MAX];
    size_t length;
};

struct responder {
    const struct kind *kind;
    int listening;
    int epoll;
    struct reply result, none, initialized;
};

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int listen_tcp(const char *port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)atoi(port)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    const int on = 1;

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(fd, SOMAXCONN) < 0)
        die(port);
    return fd;
}

static int listen_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(fd, SOMAXCONN) < 0)
        die(path);
    return fd;
}

static void watch(const struct responder *responder, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

    if (epoll_ctl(responder->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        die("epoll_ctl");
}

static bool contains(const char *request, size_t length, const char *word)
{
    return memmem(request, length, word, strlen(word)) != NULL;
}

/* Which of the replies a request gets. The first one over a unix socket must be answered with true,
 * and PowerDNS does not forgive a row of another type where it asks for SOA. */
static const struct reply *choose_reply(const struct responder *responder, const char *request,
                                        size_t length)
{
    if (contains(request, length, "initialize"))
        return &responder->initialized;
    return contains(request, length, "SOA") ? &responder->none : &responder->result;
}

/* Answers one request. Returns whether the connection stays open. */
static bool answer(const struct responder *responder, int fd)
{
    const struct kind *kind = responder->kind;
    size_t end = strlen(kind->request_end);
    const struct reply *reply;
    char request[REQUEST_MAX];
    ssize_t n = recv(fd, request, sizeof(request), 0);

    if (n < 0 && errno == EAGAIN)
        return true;
    if (n < (ssize_t)end || memcmp(request + n - end, kind->request_end, end) != 0)
        return false;
    reply = choose_reply(responder, request, (size_t)n);
    n = send(fd, reply->text, reply->length, MSG_NOSIGNAL | (kind->closes ? MSG_MORE : 0));
    return n == (ssize_t)reply->length && !kind->closes;
}

static void accept_all(const struct responder *responder)
{
    int fd;

    while ((fd = accept4(responder->listening, NULL, NULL, SOCK_NONBLOCK)) >= 0)
        watch(responder, fd);
}

static void run(const struct responder *responder)
{
    struct epoll_event events[EVENTS];

    for (;;) {
        int n = epoll_wait(responder->epoll, events, EVENTS, -1);

        for (int i = 0; i < n; i++) {
            if (events[i].data.fd == responder->listening)
                accept_all(responder);
            else if (!answer(responder, events[i].data.fd))
                close(events[i].data.fd);
        }
    }
}

static const struct kind *find_kind(const char *name)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

/* Makes a whole reply: head, {"result":…}, tail. */
static void make_reply(const struct kind *kind, const char *result, struct reply *out)
{
    int n = 0;

    if (kind->reply_head)
        n = snprintf(out->text, REPLY_MAX,
                     "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                     "Content-Length: %zu\r\n%s\r\n",
                     strlen("{\"result\":}") + strlen(result), kind->reply_head);
    n += snprintf(out->text + n, REPLY_MAX - (size_t)n, "{\"result\":%s}%s", result,
                  kind->reply_tail);
    out->length = (size_t)n;
}

int main(int argc, char *argv[])
{
    static struct responder responder;

    responder.kind = argc == 4 ? find_kind(argv[1]) : NULL;
    if (!responder.kind) {
        fprintf(stderr, "usage: constant http|http-keepalive PORT RESULT, or unix PATH RESULT\n");
        return 2;
    }
    make_reply(responder.kind, argv[3], &responder.result);
    make_reply(responder.kind, "false", &responder.none);
    make_reply(responder.kind, "true", &responder.initialized);
    responder.listening = strcmp(argv[1], "unix") == 0 ? listen_unix(argv[2]) : listen_tcp(argv[2]);
    responder.epoll = epoll_create1(0);
    watch(&responder, responder.listening);
    run(&responder);
}
