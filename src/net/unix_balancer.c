#include "net/unix_balancer.h"

#include "net/acceptor.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

/* What is known of a thread's connections. */
struct hand {
    int take, give; /* the ends of its pipe */
    uint64_t dealt;
    const struct stream_counters *counters; /* NULL until it is watched */
};

struct unix_balancer {
    struct acceptor acceptor;
    size_t places; /* of each thread */
    size_t n;
    struct hand hands[];
};

int unix_balancer_new(size_t n, size_t places, struct unix_balancer **out)
{
    struct unix_balancer *dealer = calloc(1, sizeof(*dealer) + n * sizeof(dealer->hands[0]));

    if (!dealer)
        return -ENOMEM;
    dealer->places = places;
    for (; dealer->n < n; dealer->n++) {
        int ends[2];

        if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) < 0) {
            int r = -errno;

            unix_balancer_free(dealer);
            return r;
        }
        dealer->hands[dealer->n] = (struct hand){.take = ends[0], .give = ends[1]};
    }
    *out = dealer;
    return 0;
}

int unix_balancer_descriptor(const struct unix_balancer *dealer, size_t thread)
{
    return dealer->hands[thread].take;
}

int unix_balancer_take(int descriptor)
{
    int fd;
    ssize_t n = read(descriptor, &fd, sizeof(fd));

    /* So few octets come whole or not at all (pipe(7)). */
    return n == sizeof(fd) ? fd : -1;
}

void unix_balancer_watch(struct unix_balancer *dealer, size_t thread,
                         const struct stream_counters *counters)
{
    dealer->hands[thread].counters = counters;
}

static uint64_t connections(const struct hand *hand)
{
    return hand->dealt - (hand->counters ? counter_read(&hand->counters->closed) : 0);
}

static struct hand *find_fewest(struct unix_balancer *dealer)
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

static enum acceptance accept_one(int listening, void *context)
{
    struct unix_balancer *dealer = context;
    struct hand *hand = find_fewest(dealer);
    int fd;

    if (connections(hand) >= dealer->places)
        return ACCEPTANCE_REST;
    fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return acceptor_classify(errno);
    deal(hand, fd);
    return ACCEPTANCE_NEXT;
}

int unix_balancer_start(struct unix_balancer *dealer, struct event_base *base, int listening)
{
    return acceptor_init(&dealer->acceptor, base, listening, accept_one, dealer);
}

void unix_balancer_stop(struct unix_balancer *dealer)
{
    acceptor_deinit(&dealer->acceptor);
}

void unix_balancer_free(struct unix_balancer *dealer)
{
    if (!dealer)
        return;
    unix_balancer_stop(dealer);
    for (size_t i = 0; i < dealer->n; i++) {
        int fd;

        while ((fd = unix_balancer_take(dealer->hands[i].take)) >= 0)
            close(fd);
        close(dealer->hands[i].take);
        close(dealer->hands[i].give);
    }
    free(dealer);
}
