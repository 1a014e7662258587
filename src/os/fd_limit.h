/* The limit of open files, and how the listeners share it: the peers of one listener must leave
 * descriptors for the others and for a reload. */
#pragma once

#include <stddef.h>

enum { FD_LIMIT_SHARE_MAX = 1024 };

/* Raises the limit as far as the process may: the usual 1,024 are fewer than the connections of one
 * listener. */
void fd_limit_raise(void);

/* How many files the process may have open at most. */
size_t fd_limit_hard(void);

/* How many files N_THREADS threads need open so that each can have a connection of each of
 * N_LISTENERS. */
size_t fd_limit_needed(size_t n_listeners, size_t n_threads);

/* How many connections each of N_LISTENERS may have, so that all of them leave what N_THREADS
 * threads and the reading of files need; at least one for each thread, and at most
 * FD_LIMIT_SHARE_MAX. For a moment a listener may have more: so many that each thread has its part
 * of them, though another one has them all. */
size_t fd_limit_share(size_t n_listeners, size_t n_threads);
