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

struct dealer;

/* Makes a dealer for N threads, each of which has places for so many connections; others wait until
 * some have ended. Returns 0 or -errno. */
int dealer_new(size_t n, size_t places, struct dealer **out);

/* What a thread's stream server reads its connections from, with dealer_take. */
int dealer_descriptor(const struct dealer *dealer, size_t thread);

/* Takes the next connection from such a descriptor, for struct stream_setup. Returns it, or -1 and
 * sets errno, EAGAIN where there is none. */
int dealer_take(int descriptor);

/* Says where a thread counts the connections that have ended; before dealing starts. */
void dealer_watch(struct dealer *dealer, size_t thread, const struct stream_counters *counters);

/* Starts dealing what comes to a listening socket, on the event base of one thread. Returns 0 or
 * -ENOMEM. */
int dealer_start(struct dealer *dealer, struct event_base *base, int listening);

/* Ends dealing, on the same thread or after its end; not started is allowed. */
void dealer_stop(struct dealer *dealer);

/* Closes the pipes and the connections that nobody has taken; NULL is allowed. All threads have
 * ended. */
void dealer_free(struct dealer *dealer);
