#include "feed.h"

#include "fuzz.h"

static void produce(struct producer *rest, struct buffer *replies)
{
    while (rest->more(rest, replies))
        MUST(!replies->failed);
    producer_free(rest);
}

/* Reads a piece. While the rest of a reply is produced nothing is read; then comes what has waited.
 */
static bool read_piece(const struct stream_protocol *protocol, void *state, struct text piece,
                       struct buffer *replies)
{
    struct stream_result verdict = protocol->read(state, piece, replies);

    while (verdict.rest) {
        produce(verdict.rest, replies);
        if (verdict.close)
            break;
        verdict = protocol->read(state, (struct text){0}, replies);
    }
    MUST(!replies->failed);
    return verdict.close;
}

bool feed(const struct stream_protocol *protocol, void *context, struct text stream,
          struct text lengths, struct buffer *replies)
{
    void *state = calloc(1, protocol->state_size);
    bool closed = false;

    MUST(state);
    protocol->begin(state, context);
    while (stream.length && !closed)
        closed = read_piece(protocol, state, take_piece(&stream, &lengths), replies);
    protocol->end(state);
    free(state);
    return closed;
}
