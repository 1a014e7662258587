#include "protocol/zone_stream.h"

#include <assert.h>

/* How long it may take to make a piece, while others wait for their answers. */
enum {
    PIECE_SIZE = 32 << 10, /* bytes, and a zone more */
    STEPS_AT_ONCE = 1024,  /* some of which may add nothing */
};

static bool array_more(struct producer *producer, struct buffer *out)
{
    struct zone_stream *array = (struct zone_stream *)producer;
    size_t end = out->length + PIECE_SIZE;

    for (size_t i = 0; i < STEPS_AT_ONCE && out->length < end && !out->failed; i++)
        if (!array->step(array, out)) {
            buffer_add_string(out, "]}");
            return false;
        }
    return true;
}

static void array_free(struct producer *producer)
{
    struct zone_stream *array = (struct zone_stream *)producer;

    snapshot_unref(array->snapshot);
    free(array);
}

void *zone_stream_new(size_t size, struct snapshot *snapshot,
                      bool (*step)(struct zone_stream *array, struct buffer *out),
                      struct buffer *reply)
{
    struct zone_stream *array = calloc(1, size);

    assert(size >= sizeof(*array));
    if (!array) {
        snapshot_unref(snapshot);
        reply->failed = true;
        return NULL;
    }
    array->producer = (struct producer){array_more, array_free};
    array->snapshot = snapshot;
    array->step = step;
    buffer_add_string(reply, "[");
    return array;
}

bool zone_stream_next(struct zone_stream *array, struct zone *out)
{
    if (array->next == snapshot_n_zones(array->snapshot))
        return false;
    snapshot_zone(array->snapshot, array->next++, out);
    return true;
}

void zone_stream_separate(struct zone_stream *array, struct buffer *out)
{
    if (array->any)
        buffer_add_string(out, ",");
    array->any = true;
}
