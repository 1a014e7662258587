/* Conversations over the unix socket. The first line of the input says in which pieces the rest
 * comes (take_piece). Every line gets one reply, and the pieces make no difference. Each is held
 * with an overlay and with own zones, or with many of them (take_many). */
#include "feed.h"
#include "fixture.h"
#include "fuzz.h"
#include "service/remote.h"

#include <jansson.h>

enum { MORE_MEMBERS = 120 /* enough for lists of two pieces and more */ };

/* Answers a stream on a connection of its own, as if nothing was notified before. */
static void converse(struct snapshot *snapshot, struct text stream, struct text lengths,
                     struct buffer *replies)
{
    struct notify *notify = fixture_notify(snapshot);
    struct remote remote = {.listener = LISTENER_UNIX, .snapshot = &snapshot, .notify = notify};

    MUST(!feed(&remote_unix_protocol, &remote, stream, lengths, replies));
    notify_free(notify);
}

static size_t count_lines(struct text text)
{
    size_t n = 0;

    for (size_t i = 0; i < text.length; i++)
        n += text.data[i] == '\n';
    return n;
}

/* Each reply is an object with either a result or an error. */
static void check_replies(struct text replies)
{
    while (replies.length) {
        struct text line = take_line(&replies);
        json_t *reply = json_loadb(line.data, line.length, JSON_REJECT_DUPLICATES, NULL);

        MUST(json_is_object(reply));
        MUST(!json_object_get(reply, "result") != !json_object_get(reply, "error"));
        json_decref(reply);
    }
}

static void check_stream(struct snapshot *snapshot, struct text stream, struct text lengths)
{
    CLEANUP(buffer_deinit) struct buffer whole = BUFFER_INIT, pieces = BUFFER_INIT;
    struct text replies;

    converse(snapshot, stream, (struct text){0}, &whole);
    converse(snapshot, stream, lengths, &pieces);
    replies = buffer_text(&whole);
    MUST(text_equals(replies, buffer_text(&pieces)));
    MUST(count_lines(replies) == count_lines(stream));
    check_replies(replies);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct snapshot *overlay, *zones, *many_zones;
    struct text stream = {(const char *)data, size};
    struct text lengths = take_line(&stream);

    /* Beyond this a request may be too long, and the connection ends. */
    if (stream.length > REMOTE_UNIX_REQUEST_MAX)
        return 0;
    if (!overlay)
        MUST(fixture_build(&overlay) == 0 && fixture_build_zones(0, &zones) == 0 &&
             fixture_build_zones(MORE_MEMBERS, &many_zones) == 0);
    if (take_many(&lengths)) {
        if (size <= MANY_INPUT_MAX)
            check_stream(many_zones, stream, lengths);
    } else {
        check_stream(overlay, stream, lengths);
        check_stream(zones, stream, lengths);
    }
    return 0;
}
