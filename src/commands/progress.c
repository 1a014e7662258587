#include "commands/progress.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define ERASE_LINE "\r\033[K"

/* Writes the line anew each second, until the end. */
static void *show(void *argument)
{
    struct progress *progress = argument;
    struct timespec next;

    clock_gettime(CLOCK_MONOTONIC, &next);
    pthread_mutex_lock(&progress->lock);
    fprintf(stderr, ERASE_LINE "%s", progress->what);
    for (unsigned int seconds = 1; !progress->ending; seconds++) {
        next.tv_sec++;
        while (!progress->ending &&
               pthread_cond_timedwait(&progress->ended, &progress->lock, &next) != ETIMEDOUT)
            ;
        if (!progress->ending)
            fprintf(stderr, ERASE_LINE "%s: %u s", progress->what, seconds);
    }
    fputs(ERASE_LINE, stderr);
    pthread_mutex_unlock(&progress->lock);
    return NULL;
}

void progress_begin(struct progress *progress, const char *what)
{
    pthread_condattr_t attributes;

    *progress = (struct progress){.what = what};
    if (!isatty(STDERR_FILENO))
        return;
    pthread_mutex_init(&progress->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&progress->ended, &attributes);
    pthread_condattr_destroy(&attributes);
    progress->shown = pthread_create(&progress->thread, NULL, show, progress) == 0;
}

void progress_end(struct progress *progress)
{
    if (!progress->shown)
        return;
    pthread_mutex_lock(&progress->lock);
    progress->ending = true;
    pthread_cond_signal(&progress->ended);
    pthread_mutex_unlock(&progress->lock);
    pthread_join(progress->thread, NULL);
    pthread_cond_destroy(&progress->ended);
    pthread_mutex_destroy(&progress->lock);
}
