/* A result that is an array about every zone of a snapshot.
 *
 * There may be a million zones, so the array is made in pieces: the method begins it in the reply,
 * and a producer makes the next piece when the connection has sent the one before. The producer
 * calls a step function, for a zone or a part of one, until the piece is some tens of kilobytes
 * long or has taken work of a millisecond or two, as a step may add nothing. So one connection
 * holds a piece at a time, and others have their turn between two pieces. All pieces are made from
 * the one snapshot that the stream holds a reference of, even if a reload replaces it meanwhile. If
 * memory runs out, the piece fails and the connection ends, so that a peer never takes a part for
 * the whole.
 */
#pragma once

#include "protocol/method_call.h"

enum {
    ZONE_STREAM_SIZE = 32 << 10,  /* octets of one piece, and what a step adds more */
    ZONE_STREAM_WORK = 512 << 10, /* the most work of one piece, in octets compared */
    ZONE_STREAM_STEP = 512,       /* what a step takes at least: it finds a zone and its rows */
};

/* How far such an array has come. A method's own struct begins with it, and adds what else its
 * steps need. */
struct zone_stream {
    struct producer producer;
    struct snapshot *snapshot; /* a reference */
    size_t next;               /* the number of the zone that is next */
    bool any;                  /* an element has been written: json_write_separator */
    size_t work;               /* that this piece has left; a step that takes long takes some */
    /* Goes on to the next zone, which may add elements or not; it may stop half-way if no work is
     * left. Past the last zone it returns false and adds nothing. */
    bool (*step)(struct zone_stream *stream, struct buffer *out);
};

/* Begins an array over a snapshot, of which it takes the reference over, as the reply to a call;
 * the call's rest makes the elements. Returns an object of SIZE octets that begins with the struct
 * and is zero past it; the rest frees it. Returns NULL if memory runs out. */
void *zone_stream_begin(struct method_call *call, size_t size, struct snapshot *snapshot,
                        bool (*step)(struct zone_stream *stream, struct buffer *out));

/* Takes the next zone. Returns whether there is one. */
bool zone_stream_next(struct zone_stream *stream, struct zone *out);
