#include "verify/progress_timer.h"

#include "os/progress.h"

#include <errno.h>
#include <event2/event.h>

struct progress_timer {
    struct progress progress;
    const size_t *done, *total;
    struct event *event;
};

static void show(evutil_socket_t fd, short what, void *context)
{
    struct progress_timer *timer = context;

    (void)fd;
    (void)what;
    progress_show(&timer->progress, *timer->done, *timer->total, "domains");
}

int progress_timer_new(struct event_base *base, const size_t *done, const size_t *total,
                       struct progress_timer **out)
{
    static const struct timeval half_second = {.tv_usec = 500000};
    struct progress_timer *timer = calloc(1, sizeof(*timer));

    if (!timer)
        return -ENOMEM;
    *timer = (struct progress_timer){.done = done, .total = total};
    progress_begin(&timer->progress);
    timer->event = event_new(base, -1, EV_PERSIST, show, timer);
    if (!timer->event || event_add(timer->event, &half_second) < 0) {
        progress_timer_free(timer);
        return -ENOMEM;
    }
    *out = timer;
    return 0;
}

void progress_timer_free(struct progress_timer *timer)
{
    if (!timer)
        return;
    if (timer->event)
        event_free(timer->event);
    progress_end(&timer->progress);
    free(timer);
}
