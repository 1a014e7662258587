/* Divides the connections of one listening unix socket evenly among the threads.
 *
 * The kernel divides the connections to a TCP port among sockets of several threads, but a unix
 * socket has one queue: the thread that wakes first would take all of PowerDNS's connections, which
 * then stay for as long as PowerDNS runs. So one thread accepts them all and passes each on,
 * through a pipe, to the thread that has the fewest.
 */
#pragma once

#include "net/stream_counters.h"

#include <event2/event.h>

struct unix_balancer;

/* Makes a balancer for N threads, each of which takes so many connections at most; others wait in
 * the socket until some have ended. Returns 0 or -errno. */
int unix_balancer_new(size_t n, size_t connections_max, struct unix_balancer **out);

/* The descriptor from which a thread, by its number, takes its connections with unix_balancer_take;
 * it can be read when there is one. It stays the balancer's. */
int unix_balancer_descriptor(const struct unix_balancer *balancer, size_t thread);

/* Takes the next connection from such a descriptor, as struct stream_setup wants it. Returns it, or
 * -1 and sets errno, EAGAIN if there is none. */
int unix_balancer_take(int descriptor);

/* Says where a thread counts the connections that have ended; before the balancer starts. */
void unix_balancer_watch(struct unix_balancer *balancer, size_t thread,
                         const struct stream_counters *counters);

/* Passes on a connection that was not accepted here and does not block; before the balancer starts.
 * It is closed if all places are taken. Returns whether it was passed on. */
bool unix_balancer_add(struct unix_balancer *balancer, int fd);

/* Starts to accept from a listening socket, on the event base of one thread. Returns 0 or -ENOMEM.
 */
int unix_balancer_start(struct unix_balancer *balancer, struct event_base *base, int listening);

/* Ends the passing on of connections, from any thread: what comes from now on waits in the
 * listening socket, and what was accepted before is in the pipe of a thread, which must still take
 * it. */
void unix_balancer_close(struct unix_balancer *balancer);

/* Stops the balancer; on the thread that it runs on or after its end. One that was not started is
 * allowed. */
void unix_balancer_stop(struct unix_balancer *balancer);

/* Closes the pipes, and the connections that no thread has taken; after the end of all threads.
 * NULL is allowed. */
void unix_balancer_free(struct unix_balancer *balancer);
