/* File descriptors. */
#pragma once

#include <unistd.h>

/* For CLEANUP: closes a descriptor unless it is negative. */
static inline void fd_close(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}
