#include "dealer.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    DEALS_AT_ONCE = 64,         /* before other events have their turn */
    PAUSE_MICROSECONDS = 50000, /* when there is nothing left to accept with */
};

/* What is known of a thread's connections. */
struct hand {
    int take, give; /* the ends of its pipe */
    uint64_t dealt;
    const struct stream_counters *counters; /* NULL until it is watched */
};

struct dealer {
    struct event *accepting, *resume;
    size_t places; /* of each thread */
    size_t n;
    struct hand hands[];
};

int dealer_new(size_t n, size_t places, struct dealer **out)
{
    struct dealer *dealer = calloc(1, sizeof(*dealer) + n * sizeof(dealer->hands[0]));

    if (!dealer)
        return -ENOMEM;
    dealer->places = places;
    for (; dealer->n < n; dealer->n++) {
        int ends[2];

        if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) < 0) {
            int r = -errno;

            dealer_free(dealer);
            return r;
        }
        dealer->hands[dealer->n] = (struct hand){.take = ends[0], .give = ends[1]};
    }
    *out = dealer;
    return 0;
}

int dealer_descriptor(const struct dealer *dealer, size_t thread)
{
    return dealer->hands[thread].take;
}

int dealer_take(int descriptor)
{
    int fd;
    ssize_t n = read(descriptor, &fd, sizeof(fd));

    /* So few octets come whole or not at all (pipe(7)). */
    return n == sizeof(fd) ? fd : -1;
}

void dealer_watch(struct dealer *dealer, size_t thread, const struct stream_counters *counters)
{
    dealer->hands[thread].counters = counters;
}

static uint64_t connections(const struct hand *hand)
{
    return hand->dealt - (hand->counters ? counter_read(&hand->counters->closed) : 0);
}

static struct hand *find_fewest(struct dealer *dealer)
{
    struct hand *fewest = &dealer->hands[0];

    for (size_t i = 1; i < dealer->n; i++)
        if (connections(&dealer->hands[i]) < connections(fewest))
            fewest = &dealer->hands[i];
    return fewest;
}

static void deal(struct hand *hand, int fd)
{
    if (write(hand->give, &fd, sizeof(fd)) == sizeof(fd))
        hand->dealt++;
    else
        close(fd);
}

/* Lets accepting rest for a moment. */
static void rest(struct dealer *dealer)
{
    const struct timeval pause = {.tv_usec = PAUSE_MICROSECONDS};

    if (event_add(dealer->resume, &pause) == 0)
        event_del(dealer->accepting);
}

static void on_accept(evutil_socket_t listening, short what, void *argument)
{
    struct dealer *dealer = argument;

    (void)what;
    for (size_t i = 0; i < DEALS_AT_ONCE; i++) {
        struct hand *hand = find_fewest(dealer);
        bool full = connections(hand) >= dealer->places;
        int fd = full ? -1 : accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0) {
            deal(hand, fd);
        } else if (full || errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
                   errno == ENOMEM) {
            rest(dealer);
            return;
        } else if (errno == EAGAIN) {
            return;
        }
    }
}

static void on_resume(evutil_socket_t fd, short what, void *argument)
{
    struct dealer *dealer = argument;

    (void)fd;
    (void)what;
    if (event_add(dealer->accepting, NULL) < 0)
        rest(dealer);
}

int dealer_start(struct dealer *dealer, struct event_base *base, int listening)
{
    dealer->accepting = event_new(base, listening, EV_READ | EV_PERSIST, on_accept, dealer);
    dealer->resume = evtimer_new(base, on_resume, dealer);
    if (dealer->accepting && dealer->resume && event_add(dealer->accepting, NULL) == 0)
        return 0;
    dealer_stop(dealer);
    return -ENOMEM;
}

static void free_event(struct event **event)
{
    if (*event)
        event_free(*event);
    *event = NULL;
}

void dealer_stop(struct dealer *dealer)
{
    free_event(&dealer->accepting);
    free_event(&dealer->resume);
}

void dealer_free(struct dealer *dealer)
{
    if (!dealer)
        return;
    dealer_stop(dealer);
    for (size_t i = 0; i < dealer->n; i++) {
        int fd;

        while ((fd = dealer_take(dealer->hands[i].take)) >= 0)
            close(fd);
        close(dealer->hands[i].take);
        close(dealer->hands[i].give);
    }
    free(dealer);
}
