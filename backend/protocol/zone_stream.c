#include "protocol/zone_stream.h"

#include <assert.h>

static bool zone_stream_more(struct producer *producer, struct buffer *out)
{
    struct zone_stream *stream = (struct zone_stream *)producer;
    size_t end = out->length + ZONE_STREAM_SIZE;

    stream->work = ZONE_STREAM_WORK;
    while (stream->work && out->length < end && !out->failed) {
        stream->work -= stream->work < ZONE_STREAM_STEP ? stream->work : ZONE_STREAM_STEP;
        if (!stream->step(stream, out)) {
            buffer_add_string(out, "]}");
            return false;
        }
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
