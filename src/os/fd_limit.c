#include "os/fd_limit.h"

#include <stdint.h>
#include <sys/resource.h>

enum {
    COMMON = 32,     /* the log, the unix socket, the admin thread, files being read */
    EACH_THREAD = 7, /* its listening sockets, event base, letter box and pipe */
};

void fd_limit_raise(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

size_t fd_limit_hard(void)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_max : SIZE_MAX;
}

size_t fd_limit_needed(size_t n_listeners, size_t n_threads)
{
    return COMMON + n_threads * EACH_THREAD + n_listeners * n_threads;
}

size_t fd_limit_share(size_t n_listeners, size_t n_threads)
{
    size_t own = fd_limit_needed(0, n_threads), share;
    struct rlimit limit;

    if (n_listeners == 0 || getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return FD_LIMIT_SHARE_MAX;
    share = limit.rlim_cur > own ? (limit.rlim_cur - own) / n_listeners : 0;
    if (share > (size_t)2 * FD_LIMIT_SHARE_MAX)
        share = (size_t)2 * FD_LIMIT_SHARE_MAX;
    /* What one thread may have, and the parts of the others. */
    share = share * n_threads / (2 * n_threads - 1);
    if (share < n_threads)
        return n_threads;
    return share < FD_LIMIT_SHARE_MAX ? share : FD_LIMIT_SHARE_MAX;
}
