#include "service/signals.h"

#include <unistd.h>

static sigset_t all_signals(void)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGNALS_RELOAD);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    return signals;
}

void signals_block(void)
{
    sigset_t signals = all_signals();

    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
}

int signals_wait(int64_t milliseconds)
{
    const struct timespec timeout = {
        .tv_sec = milliseconds / 1000,
        .tv_nsec = milliseconds % 1000 * 1000000,
    };
    sigset_t signals = all_signals();

    return sigtimedwait(&signals, NULL, &timeout);
}

void signals_order_reload(void)
{
    kill(getpid(), SIGNALS_RELOAD);
}
