#include "os/progress.h"

#include "os/clock.h"

#include <stdio.h>
#include <unistd.h>

enum { INTERVAL_MILLISECONDS = 400 };

void progress_begin(struct progress *progress)
{
    int64_t now = clock_monotonic_ms();

    *progress = (struct progress){
        .on = isatty(STDERR_FILENO), .started = now, .next = now + INTERVAL_MILLISECONDS};
}

void progress_show(struct progress *progress, size_t done, size_t total, const char *what)
{
    int64_t now = progress->on ? clock_monotonic_ms() : 0;
    double rate;

    if (!progress->on || now < progress->next)
        return;
    progress->next = now + INTERVAL_MILLISECONDS;
    rate = (double)done * 1000 / (double)(now - progress->started);
    fprintf(stderr, "\r\033[K%zu of %zu %s, %.0f/s", done, total, what, rate);
    if (rate > 0)
        fprintf(stderr, ", %.0f s left", (double)(total - done) / rate);
}

void progress_end(struct progress *progress)
{
    if (progress->on)
        fprintf(stderr, "\r\033[K");
    progress->on = false;
}
