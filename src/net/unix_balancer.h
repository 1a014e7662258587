/* Deals the connections of one listening unix socket to the threads, to each the same number.
 *
 * The kernel divides the connections to a TCP port among sockets of several threads, but a unix
 * socket has one queue: whoever wakes up first would take all of PowerDNS's connections, which then
 * stay for as long as PowerDNS runs. So one thread accepts them, and sends each through the pipe of
 * the thread that has the fewest.
 */
#pragma once

#include "net/stream_counters.h"

#include <event2/event.h>

struct unix_balancer;

/* Makes a dealer for N threads, each of which has places for so many connections; others wait until
 * some have ended. Returns 0 or -errno. */
int unix_balancer_new(size_t n, size_t places, struct unix_balancer **out);

/* What a thread's stream server reads its connections from, with unix_balancer_take. */
int unix_balancer_descriptor(const struct unix_balancer *dealer, size_t thread);

/* Takes the next connection from such a descriptor, for struct stream_setup. Returns it, or -1 and
 * sets errno, EAGAIN where there is none. */
int unix_balancer_take(int descriptor);

/* Says where a thread counts the connections that have ended; before dealing starts. */
void unix_balancer_watch(struct unix_balancer *dealer, size_t thread,
                         const struct stream_counters *counters);

/* Starts dealing what comes to a listening socket, on the event base of one thread. Returns 0 or
 * -ENOMEM. */
int unix_balancer_start(struct unix_balancer *dealer, struct event_base *base, int listening);

/* Ends dealing, on the same thread or after its end; not started is allowed. */
void unix_balancer_stop(struct unix_balancer *dealer);

/* Closes the pipes and the connections that nobody has taken; NULL is allowed. All threads have
 * ended. */
void unix_balancer_free(struct unix_balancer *dealer);
