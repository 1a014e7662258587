/* A result that is an array of something about every zone of a snapshot. There may be a million of
 * them, so it is made in pieces, zone by zone. */
#pragma once

#include "base/producer.h"
#include "snapshot/snapshot.h"

/* What such an array has got to. A method's own struct begins with it, and adds what else its steps
 * need. */
struct zone_stream {
    struct producer producer;
    struct snapshot *snapshot; /* a reference */
    size_t next;               /* the number of the zone that is next */
    bool any;                  /* an element stands before */
    /* Goes on to the next zone, which may add elements or not. Returns false, and adds nothing,
     * behind the last. */
    bool (*step)(struct zone_stream *array, struct buffer *out);
};

/* Makes an array over a snapshot, of which it takes over the reference, and begins it in REPLY.
 * Returns an object of SIZE bytes that begins with the struct and is else zeroed; its producer
 * makes the rest of the array, and frees the object. If memory runs out, returns NULL and fails
 * REPLY. */
void *zone_stream_new(size_t size, struct snapshot *snapshot,
                      bool (*step)(struct zone_stream *array, struct buffer *out),
                      struct buffer *reply);

/* Takes the next zone. Returns whether there is one. */
bool zone_stream_next(struct zone_stream *array, struct zone *out);

/* Writes what stands between the last element and the next; to be called before each. */
void zone_stream_separate(struct zone_stream *array, struct buffer *out);
