/* How connections to the unix socket outlive the process, so that a restart loses no query.
 *
 * PowerDNS keeps these connections for as long as it runs, and a query on one that has ended is
 * SERVFAIL. So a service that stops does not end them: once nothing is under way on a connection,
 * it reads no more from it, and leaves it to the service manager. The next process gets it, and
 * with it what PowerDNS has asked meanwhile. Nothing else belongs to a connection: the protocol has
 * no state from one request to the next.
 *
 * They are left at the end and not when they are accepted, though then they would outlive a crash,
 * too. As long as the manager has a connection it stays open, whatever happens here: after a crash
 * PowerDNS would wait for the answer to what the process had read, until its timeout, and so it
 * would on a connection that this process closes. When these end PowerDNS connects again at once.
 * For the same reason the manager is told to forget them as soon as they are taken.
 */
#pragma once

#include "net/socket_activation.h"

enum { HANDOVER_MAX = SOCKET_ACTIVATION_CONNECTIONS_MAX };

/* Connections between two processes. */
struct handover {
    size_t n;
    int fds[HANDOVER_MAX];
};

/* Takes the connections that the process before has left, which the caller closes, and has the
 * manager forget them. What is no connection to a unix socket is closed, which is logged; and all
 * of them if none is WANTED. */
void handover_take(struct socket_activation *activation, bool wanted, struct handover *out);

/* Leaves connections to the manager for the next process; here they are closed. */
void handover_leave(struct handover *handover);
