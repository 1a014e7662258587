#include "net/unix_balancer.h"

#include "net/acceptor.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

/* A thread that connections are passed on to. */
struct target {
    int pipe[2];                            /* the end that it reads, and the one that is written */
    uint64_t passed_on;                     /* connections so far */
    const struct stream_counters *counters; /* NULL until it is watched */
};

struct unix_balancer {
    struct acceptor acceptor;
    pthread_mutex_t lock; /* held while a connection is accepted and passed on */
    bool closed;
    size_t connections_max; /* of each thread */
    size_t n;
    struct target targets[];
};

DEFINE_CLEANUP(struct unix_balancer *, unix_balancer_free)

int unix_balancer_new(size_t n, size_t connections_max, struct unix_balancer **out)
{
    CLEANUP(unix_balancer_free_pointer)
    struct unix_balancer *balancer = calloc(1, sizeof(*balancer) + n * sizeof(struct target));

    if (!balancer)
        return -ENOMEM;
    pthread_mutex_init(&balancer->lock, NULL);
    balancer->connections_max = connections_max;
    for (; balancer->n < n; balancer->n++)
        if (pipe2(balancer->targets[balancer->n].pipe, O_NONBLOCK | O_CLOEXEC) < 0)
            return -errno;
    *out = balancer;
    balancer = NULL;
    return 0;
}

int unix_balancer_descriptor(const struct unix_balancer *balancer, size_t thread)
{
    return balancer->targets[thread].pipe[0];
}

int unix_balancer_take(int descriptor)
{
    int fd;
    ssize_t n = read(descriptor, &fd, sizeof(fd));

    /* So few bytes are read whole or not at all (pipe(7)). */
    return n == sizeof(fd) ? fd : -1;
}

void unix_balancer_watch(struct unix_balancer *balancer, size_t thread,
                         const struct stream_counters *counters)
{
    balancer->targets[thread].counters = counters;
}

static uint64_t count_connections(const struct target *target)
{
    return target->passed_on - (target->counters ? counter_read(&target->counters->closed) : 0);
}

static struct target *find_fewest(struct unix_balancer *balancer)
{
    struct target *fewest = &balancer->targets[0];

    for (size_t i = 1; i < balancer->n; i++)
        if (count_connections(&balancer->targets[i]) < count_connections(fewest))
            fewest = &balancer->targets[i];
    return fewest;
}

static bool has_place(const struct unix_balancer *balancer, const struct target *target)
{
    return count_connections(target) < balancer->connections_max;
}

static bool pass_on(struct target *target, int fd)
{
    if (write(target->pipe[1], &fd, sizeof(fd)) != sizeof(fd)) {
        close(fd);
        return false;
    }
    target->passed_on++;
    return true;
}

bool unix_balancer_add(struct unix_balancer *balancer, int fd)
{
    struct target *target = find_fewest(balancer);

    if (has_place(balancer, target))
        return pass_on(target, fd);
    close(fd);
    return false;
}

static enum acceptance accept_and_pass_on(struct unix_balancer *balancer, int listening)
{
    struct target *target = find_fewest(balancer);
    int fd;

    if (balancer->closed || !has_place(balancer, target))
        return ACCEPTANCE_PAUSE;
    fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return acceptor_classify(errno);
    pass_on(target, fd);
    return ACCEPTANCE_NEXT;
}

static enum acceptance accept_one(int listening, void *context)
{
    struct unix_balancer *balancer = context;
    enum acceptance result;

    pthread_mutex_lock(&balancer->lock);
    result = accept_and_pass_on(balancer, listening);
    pthread_mutex_unlock(&balancer->lock);
    return result;
}

int unix_balancer_start(struct unix_balancer *balancer, struct event_base *base, int listening)
{
    return acceptor_init(&balancer->acceptor, base, listening, accept_one, balancer);
}

void unix_balancer_close(struct unix_balancer *balancer)
{
    pthread_mutex_lock(&balancer->lock);
    balancer->closed = true;
    pthread_mutex_unlock(&balancer->lock);
}

void unix_balancer_stop(struct unix_balancer *balancer)
{
    acceptor_deinit(&balancer->acceptor);
}

void unix_balancer_free(struct unix_balancer *balancer)
{
    if (!balancer)
        return;
    unix_balancer_stop(balancer);
    for (size_t i = 0; i < balancer->n; i++) {
        int fd;

        while ((fd = unix_balancer_take(balancer->targets[i].pipe[0])) >= 0)
            close(fd);
        close(balancer->targets[i].pipe[0]);
        close(balancer->targets[i].pipe[1]);
    }
    pthread_mutex_destroy(&balancer->lock);
    free(balancer);
}
