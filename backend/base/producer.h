/* A producer makes a reply that is too long to be made at once: a piece at a time, when the peer
 * has taken the one before. */
#pragma once

#include "base/buffer.h"

struct producer {
    /* Appends the next piece, some tens of kilobytes at most; fails the buffer if it cannot.
     * Returns whether there are more. */
    bool (*more)(struct producer *producer, struct buffer *out);
    /* Frees the producer and all it holds. */
    void (*free)(struct producer *producer);
};

/* Frees a producer; NULL is allowed. */
static inline void producer_free(struct producer *producer)
{
    if (producer)
        producer->free(producer);
}
