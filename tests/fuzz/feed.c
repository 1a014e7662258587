#include "feed.h"

#include "fuzz.h"

static void produce(struct producer *rest, struct buffer *replies)
{
    while (rest->more(rest, replies))
        MUST(!replies->failed);
    producer_free(rest);
}

/* Has all requests in a piece read, one after the other; the rest of a reply is produced before the
 * next is read. Returns whether the conversation ends. */
static bool read_piece(const struct stream_protocol *protocol, void *state, struct text piece,
                       struct buffer *replies)
{
    struct stream_result result = {0};

    while (piece.length && result.outcome < STREAM_CLOSE) {
        result = protocol->read(state, piece, replies);
        MUST(result.n_read <= piece.length);
        MUST(result.n_read > 0 || result.outcome == STREAM_CLOSE_UNREAD);
        MUST(result.n_read == piece.length || result.outcome != STREAM_INCOMPLETE);
        piece = text_after(piece, result.n_read);
        if (result.producer)
            produce(result.producer, replies);
        MUST(!replies->failed);
    }
    return result.outcome >= STREAM_CLOSE;
}

bool feed(const struct stream_protocol *protocol, void *context, struct text stream,
          struct text lengths, struct buffer *replies)
{
    void *state = calloc(1, protocol->state_size);
    bool closed = false;

    MUST(state);
    protocol->begin(state, context, -1);
    while (stream.length && !closed)
        closed = read_piece(protocol, state, take_piece(&stream, &lengths), replies);
    protocol->end(state);
    free(state);
    return closed;
}
