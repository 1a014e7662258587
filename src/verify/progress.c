#include "verify/progress.h"

#include "os/clock.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>

struct progress {
    const size_t *done, *total;
    int64_t started;
    struct event *timer;
};

static void show(evutil_socket_t fd, short what, void *context)
{
    const struct progress *progress = context;
    int64_t elapsed = clock_monotonic_ms() - progress->started;
    size_t done = *progress->done, left = *progress->total - done;
    double rate = elapsed > 0 ? (double)done * 1000 / (double)elapsed : 0;

    (void)fd;
    (void)what;
    fprintf(stderr, "\r\033[K%zu of %zu domains, %.0f/s", done, *progress->total, rate);
    if (rate > 0)
        fprintf(stderr, ", %.0f s left", (double)left / rate);
}

int progress_new(struct event_base *base, const size_t *done, const size_t *total,
                 struct progress **out)
{
    static const struct timeval half_second = {.tv_usec = 500000};
    struct progress *progress = calloc(1, sizeof(*progress));

    if (!progress)
        return -ENOMEM;
    *progress = (struct progress){.done = done, .total = total, .started = clock_monotonic_ms()};
    progress->timer = event_new(base, -1, EV_PERSIST, show, progress);
    if (!progress->timer || event_add(progress->timer, &half_second) < 0) {
        progress_free(progress);
        return -ENOMEM;
    }
    *out = progress;
    return 0;
}

void progress_free(struct progress *progress)
{
    if (!progress)
        return;
    if (progress->timer)
        event_free(progress->timer);
    fprintf(stderr, "\r\033[K");
    free(progress);
}
