#include "service/signals.h"

#include <stdbool.h>
#include <unistd.h>

/* SIGTERM and SIGINT, or all that are waited for. */
static sigset_t signal_set(bool all)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    if (all) {
        sigaddset(&signals, SIGHUP);
        sigaddset(&signals, SIGNALS_RELOAD);
        sigaddset(&signals, SIGNALS_LOADED);
    }
    return signals;
}

void signals_block(void)
{
    sigset_t signals = signal_set(true);

    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* The system hands out the signal of the lowest number first, and SIGHUP would be before SIGTERM.
 */
int signals_wait(int64_t milliseconds)
{
    const struct timespec timeout = {
        .tv_sec = milliseconds / 1000,
        .tv_nsec = milliseconds % 1000 * 1000000,
    };
    sigset_t ending = signal_set(false), all = signal_set(true);
    int number = sigtimedwait(&ending, NULL, &(struct timespec){0});

    return number > 0 ? number : sigtimedwait(&all, NULL, &timeout);
}

void signals_order_reload(void)
{
    kill(getpid(), SIGNALS_RELOAD);
}

void signals_tell_loaded(void)
{
    kill(getpid(), SIGNALS_LOADED);
}
