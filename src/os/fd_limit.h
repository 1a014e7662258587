/* The limit of open files, which the listeners share: peers of one must not take what the others,
 * or a reload, need. */
#pragma once

#include <stddef.h>

enum { FD_LIMIT_SHARE_MAX = 1024 };

/* Raises the limit as far as it goes: the usual default of 1,024 would be less than the connections
 * that one listener may hold. */
void fd_limit_raise(void);

/* How many connections each of N_LISTENERS may hold, so that all of them together leave what
 * N_THREADS threads and the reading of files need; at least one a thread, and never more than
 * FD_LIMIT_SHARE_MAX. */
size_t fd_limit_share(size_t n_listeners, size_t n_threads);
