/* Connections of one listening socket on one event base: accepting, reading, replying, ending. What
 * the bytes mean is the business of a protocol.
 *
 * If connections have an idle time, each must bring a whole request within it, however slowly it
 * drips, and when all places are taken the connection that has waited longest is evicted: idle
 * peers can never lock others out. If they have none, they may stay for ever without asking, and
 * new ones wait while all places are taken.
 *
 * A peer that has asked must read: after STREAM_STALL_SECONDS without taking anything, or when one
 * reply has taken STREAM_REPLY_SECONDS and STREAM_STALL_SECONDS more, its connection ends. So what
 * a long reply needs, such as a snapshot, is not held for ever.
 *
 * What waits for a peer to read is bounded, too. Requests that are in hand are answered only while
 * there is room, and a long reply is made in pieces, each when the socket has taken the one before;
 * other connections have their turn in between.
 *
 * A connection that is to end after a reply ends with it: over TCP the reply and the FIN leave in
 * one segment. PowerDNS polls a connection before it uses it again, and must find either nothing or
 * the end of the connection, never a FIN that is still on its way.
 */
#pragma once

#include "base/producer.h"

#include <event2/event.h>
#include <stdatomic.h>

enum {
    STREAM_STALL_SECONDS = 30,
    STREAM_REPLY_SECONDS = 300,
};

/* How the reading of a request ended. */
enum stream_outcome {
    STREAM_INCOMPLETE,   /* the request goes on */
    STREAM_ANSWERED,     /* its reply is made, or begun */
    STREAM_CLOSE,        /* the same, and the connection ends with this reply */
    STREAM_CLOSE_UNREAD, /* the same, though the peer may still be sending the request */
};

struct stream_result {
    enum stream_outcome outcome;
    /* Bytes: all of them if the request is incomplete, at least one if it is answered. */
    size_t n_read;
    /* What makes the rest of the reply, or NULL; the connection frees it. */
    struct producer *producer;
};

struct stream_protocol {
    size_t state_size; /* bytes of what the protocol keeps of each connection */

    /* Prepares the state of a new connection, which is zeroed. The descriptor is for what the
     * protocol may want to know of it. */
    void (*begin)(void *state, void *context, int descriptor);

    /* Reads one request, or a part of it, from bytes, of which there is at least one, and appends
     * its reply to REPLIES. If these fail, the connection ends without them. Called again with the
     * bytes that it did not read once the reply, if it is long, is sent. */
    struct stream_result (*read)(void *state, struct text bytes, struct buffer *replies);

    /* Releases what the state holds. */
    void (*end)(void *state);
};

struct stream_counters;

/* How many connections a listener has, over all threads that serve it. */
struct stream_places {
    size_t max;
    size_t share; /* so many each thread may have even if others have taken all places; these give
                     way within a second */
    atomic_size_t taken;
};

struct stream_setup {
    const struct stream_protocol *protocol;
    void *context; /* handed to begin */
    struct stream_places *places;
    unsigned int idle_seconds; /* from accepting, or from a reply, to the next one; 0: no limit */
    struct stream_counters *counters; /* written by the thread of the event base alone */
    bool keep; /* idle connections outlive the server: see stream_server_release */
    /* Takes the next connection from the descriptor, as accept4 does; NULL: it is accept4. */
    int (*take)(int descriptor);
};

struct stream_server;

/* Makes an event base for one thread: as only that one touches it, it has no locks. Returns NULL if
 * memory runs out. */
struct event_base *stream_base_new(void);

/* Makes a server on a descriptor that connections come from, which stays the caller's and may be
 * shared by servers of several threads. It accepts when the event base runs. Returns 0 or -ENOMEM.
 */
int stream_server_new(struct event_base *base, int descriptor, const struct stream_setup *setup,
                      struct stream_server **out);

/* Ends the server in good order: it accepts nothing more, but what it was passed on already, and
 * closes connections after their next reply. If it is to keep them, it reads nothing more from
 * those that are between two requests, and from others after their reply. */
void stream_server_drain(struct stream_server *server);

/* Takes a connection from a server that was drained and is to keep its connections: one between two
 * requests, whose next one has not been read. Returns its descriptor, which is now the caller's, or
 * -1 if there is none. */
int stream_server_release(struct stream_server *server);

/* How many connections a server has. */
size_t stream_server_connections(const struct stream_server *server);

/* Whether any peer waits for an answer, or for the rest of one, or has not asked yet. */
bool stream_server_is_busy(const struct stream_server *server);

/* Closes all connections and frees the server; NULL is allowed. */
void stream_server_free(struct stream_server *server);
