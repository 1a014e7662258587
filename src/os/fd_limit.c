#include "os/fd_limit.h"

#include <sys/resource.h>

enum {
    COMMON = 32,                 /* the log, the unix socket, the admin thread, files being read */
    EACH_THREAD = TCP_COUNT + 4, /* its listening sockets, event base, letter box and pipe */
};

void descriptors_raise_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static size_t count_listeners(const struct settings *settings)
{
    size_t n = settings->unix_socket.enabled;

    for (enum tcp_listener listener = 0; listener < TCP_COUNT; listener++)
        n += settings->tcp[listener].enabled;
    return n;
}

size_t descriptors_share(const struct settings *settings)
{
    size_t own = COMMON + (size_t)settings->threads * EACH_THREAD;
    size_t n_listeners = count_listeners(settings), share;
    struct rlimit limit;

    if (n_listeners == 0 || getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return DESCRIPTORS_SHARE_MAX;
    share = limit.rlim_cur > own ? (limit.rlim_cur - own) / n_listeners : 0;
    if (share < settings->threads)
        return settings->threads;
    return share < DESCRIPTORS_SHARE_MAX ? share : DESCRIPTORS_SHARE_MAX;
}
