/* File descriptors. */
#pragma once

#include <unistd.h>

/* For CLEANUP: closes a descriptor unless it is negative. */
static inline void fd_close(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

/* Gives a descriptor away: returns it, and leaves a negative one. */
static inline int fd_take(int *fd)
{
    int taken = *fd;

    *fd = -1;
    return taken;
}
