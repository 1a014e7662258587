/* Asks a listener as fast as it answers, and tells how long the answers took.
 *
 * Usage: ask unix PATH|http PORT CONNECTIONS SECONDS FILE
 *
 * FILE has a query name a line. Each connection has one request under way; over HTTP every request
 * has a connection of its own, as PowerDNS's have. Prints: requests, failed ones (no reply with a
 * result), and the median, 99th percentile and greatest time from sending to the whole reply, in
 * microseconds. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { REPLY_MAX = 65536, SAMPLES_MAX = 50000000, NAMES_MAX = 2000000, CONNECTIONS_MAX = 256 };

struct target {
    bool http;
    struct sockaddr_storage address;
    socklen_t length;
};

struct asker {
    int fd;
    uint64_t sent_at;
    size_t received;
    char reply[REPLY_MAX];
};

struct run {
    struct target target;
    int epoll;
    char **names;
    size_t n_names, next_name;
    uint32_t *samples; /* nanoseconds */
    size_t n_samples, failed;
};

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static void read_names(struct run *run, const char *path)
{
    FILE *file = fopen(path, "r");
    size_t capacity = 0;
    char *line = NULL;
    ssize_t n;

    run->names = calloc(NAMES_MAX, sizeof(char *));
    if (!file || !run->names)
        die(path);
    while (run->n_names < NAMES_MAX && (n = getline(&line, &capacity, file)) > 1) {
        line[n - 1] = '\0';
        run->names[run->n_names++] = strdup(line);
    }
    free(line);
    fclose(file);
}

static void open_connection(struct run *run, struct asker *asker)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = asker};

    asker->fd = socket(run->target.address.ss_family, SOCK_STREAM, 0);
    if (asker->fd < 0 ||
        connect(asker->fd, (const struct sockaddr *)&run->target.address, run->target.length) < 0)
        die("connect");
    if (epoll_ctl(run->epoll, EPOLL_CTL_ADD, asker->fd, &event) < 0)
        die("epoll_ctl");
}

static void ask(struct run *run, struct asker *asker)
{
    const char *name = run->names[run->next_name++ % run->n_names];
    char request[1024];
    int n;

    asker->sent_at = now_ns();
    if (run->target.http)
        open_connection(run, asker);
    if (run->target.http)
        n = snprintf(request, sizeof(request),
                     "GET /dns/lookup/%s./ANY HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", name);
    else
        n = snprintf(request, sizeof(request),
                     "{\"method\":\"lookup\",\"parameters\":{\"qname\":\"%s.\",\"qtype\":\"ANY\","
                     "\"zone-id\":1,\"remote\":\"127.0.0.1\",\"local\":\"127.0.0.1\"}}\n",
                     name);
    asker->received = 0;
    if (send(asker->fd, request, (size_t)n, MSG_NOSIGNAL) != n)
        run->failed++;
}

/* Takes what has come of a reply. Returns whether it is whole. */
static bool receive(struct run *run, struct asker *asker)
{
    ssize_t n = recv(asker->fd, asker->reply + asker->received, REPLY_MAX - asker->received - 1, 0);

    if (n > 0)
        asker->received += (size_t)n;
    asker->reply[asker->received] = '\0';
    if (run->target.http) {
        if (n > 0)
            return false;
        close(asker->fd);
        return true;
    }
    if (n <= 0)
        die("the connection ended");
    return asker->reply[asker->received - 1] == '\n';
}

static void serve_events(struct run *run, uint64_t end)
{
    struct epoll_event events[CONNECTIONS_MAX];

    while (now_ns() < end) {
        int n = epoll_wait(run->epoll, events, CONNECTIONS_MAX, 100);

        for (int i = 0; i < n; i++) {
            struct asker *asker = events[i].data.ptr;

            if (!receive(run, asker))
                continue;
            if (!strstr(asker->reply, "{\"result\":"))
                run->failed++;
            if (run->n_samples < SAMPLES_MAX)
                run->samples[run->n_samples++] = (uint32_t)(now_ns() - asker->sent_at);
            ask(run, asker);
        }
    }
}

static int compare(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

    return left < right ? -1 : left > right;
}

static void parse_target(struct target *target, const char *kind, const char *where)
{
    target->http = strcmp(kind, "http") == 0;
    if (target->http) {
        struct sockaddr_in *address = (struct sockaddr_in *)&target->address;

        address->sin_family = AF_INET;
        address->sin_port = htons((uint16_t)atoi(where));
        address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        target->length = sizeof(*address);
    } else {
        struct sockaddr_un *address = (struct sockaddr_un *)&target->address;

        address->sun_family = AF_UNIX;
        snprintf(address->sun_path, sizeof(address->sun_path), "%s", where);
        target->length = sizeof(*address);
    }
}

int main(int argc, char *argv[])
{
    static struct asker askers[CONNECTIONS_MAX];
    struct run run = {0};
    int connections;

    if (argc != 6) {
        fprintf(stderr, "usage: ask unix PATH|http PORT CONNECTIONS SECONDS FILE\n");
        return 2;
    }
    parse_target(&run.target, argv[1], argv[2]);
    connections = atoi(argv[3]);
    read_names(&run, argv[5]);
    run.epoll = epoll_create1(0);
    run.samples = malloc(SAMPLES_MAX * sizeof(*run.samples));
    if (run.epoll < 0 || !run.samples || connections < 1 || connections > CONNECTIONS_MAX ||
        run.n_names == 0)
        die("ask");
    for (int i = 0; i < connections; i++) {
        if (!run.target.http)
            open_connection(&run, &askers[i]);
        ask(&run, &askers[i]);
    }
    serve_events(&run, now_ns() + (uint64_t)(atof(argv[4]) * 1e9));
    if (run.n_samples == 0)
        die("no reply");
    qsort(run.samples, run.n_samples, sizeof(*run.samples), compare);
    printf("%zu %zu %.1f %.1f %.1f\n", run.n_samples, run.failed,
           run.samples[run.n_samples / 2] / 1e3, run.samples[run.n_samples * 99 / 100] / 1e3,
           run.samples[run.n_samples - 1] / 1e3);
    return 0;
}
