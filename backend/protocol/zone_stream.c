#include "protocol/zone_stream.h"

#include <assert.h>

/* How much one piece takes, while others wait for their answers. */
enum {
    PIECE_SIZE = 32 << 10, /* octets, and a zone more */
    PIECE_STEPS = 1024,
};

static bool zone_stream_more(struct producer *producer, struct buffer *out)
{
    struct zone_stream *stream = (struct zone_stream *)producer;
    size_t end = out->length + PIECE_SIZE;

    for (size_t i = 0; i < PIECE_STEPS && out->length < end && !out->failed; i++)
        if (!stream->step(stream, out)) {
            buffer_add_string(out, "]}");
            return false;
        }
    return true;
}

static void zone_stream_free(struct producer *producer)
{
    struct zone_stream *stream = (struct zone_stream *)producer;

    snapshot_unref(stream->snapshot);
    free(stream);
}

void *zone_stream_begin(struct method_call *call, size_t size, struct snapshot *snapshot,
                        bool (*step)(struct zone_stream *stream, struct buffer *out))
{
    struct zone_stream *stream = calloc(1, size);

    assert(size >= sizeof(*stream));
    if (!stream) {
        snapshot_unref(snapshot);
        return NULL;
    }
    stream->producer = (struct producer){.more = zone_stream_more, .free = zone_stream_free};
    stream->snapshot = snapshot;
    stream->step = step;
    call->rest = &stream->producer;
    buffer_add_string(call->reply, "[");
    return stream;
}

bool zone_stream_next(struct zone_stream *stream, struct zone *out)
{
    if (stream->next == snapshot_n_zones(stream->snapshot))
        return false;
    snapshot_zone(stream->snapshot, stream->next++, out);
    return true;
}
