#include "net/acceptor.h"

#include "os/log.h"

#include <errno.h>

enum {
    /* Fewer than a listener has places: a peer that connects again and again is answered at once,
     * but that its connections before have ended is seen only in the break. */
    ACCEPTS_AT_ONCE = 16,
    PAUSE_MICROSECONDS = 50000,
};

/* If the timer cannot be armed, accepting goes on without a pause. */
static void begin_pause(struct acceptor *acceptor)
{
    const struct timeval delay = {.tv_usec = PAUSE_MICROSECONDS};

    if (event_add(acceptor->resume, &delay) == 0)
        event_del(acceptor->ready);
}

static void on_ready(evutil_socket_t descriptor, short what, void *argument)
{
    struct acceptor *acceptor = argument;
    enum acceptance result = ACCEPTANCE_NEXT;

    (void)what;
    for (size_t i = 0; i < ACCEPTS_AT_ONCE && result == ACCEPTANCE_NEXT; i++)
        result = acceptor->accept(descriptor, acceptor->context);
    if (result >= ACCEPTANCE_PAUSE)
        begin_pause(acceptor);
}

static void on_resume(evutil_socket_t fd, short what, void *argument)
{
    struct acceptor *acceptor = argument;

    (void)fd;
    (void)what;
    if (event_add(acceptor->ready, NULL) < 0)
        begin_pause(acceptor);
}

int acceptor_init(struct acceptor *acceptor, struct event_base *base, int descriptor,
                  enum acceptance (*accept)(int descriptor, void *context), void *context)
{
    acceptor->accept = accept;
    acceptor->context = context;
    acceptor->ready = event_new(base, descriptor, EV_READ | EV_PERSIST, on_ready, acceptor);
    acceptor->resume = evtimer_new(base, on_resume, acceptor);
    if (acceptor->ready && acceptor->resume && event_add(acceptor->ready, NULL) == 0)
        return 0;
    acceptor_deinit(acceptor);
    return -ENOMEM;
}

enum acceptance acceptor_classify(int error)
{
    switch (error) {
    case EAGAIN:
        return ACCEPTANCE_NONE;
    case ECONNABORTED: /* it is gone */
    case EINTR:
        return ACCEPTANCE_NEXT;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        return ACCEPTANCE_EXHAUSTED;
    default:
        log_limited(LOG_LEVEL_WARNING, "cannot accept a connection: %s", strerror(error));
        return ACCEPTANCE_PAUSE;
    }
}

void acceptor_deinit(struct acceptor *acceptor)
{
    if (acceptor->ready)
        event_free(acceptor->ready);
    if (acceptor->resume)
        event_free(acceptor->resume);
    acceptor->ready = acceptor->resume = NULL;
}
