#include "service/remote.h"

#include "os/log.h"

/* Makes the rest of a long reply, and a newline. */
struct line_producer {
    struct producer producer; /* what the connection is given; it must be the first member */
    struct producer *inner;
};

/* What is kept of a connection. */
struct unix_peer {
    const struct remote *remote;
    struct buffer begun;            /* a request whose end has not come yet */
    struct line_producer long_line; /* of the current reply, if it is long */
};

static bool line_more(struct producer *producer, struct buffer *out)
{
    struct line_producer *line = (struct line_producer *)producer;

    if (line->inner->more(line->inner, out))
        return true;
    buffer_add_string(out, "\n");
    return false;
}

static void line_free(struct producer *producer)
{
    producer_free(((struct line_producer *)producer)->inner);
}

static void begin_peer(void *connection, void *context, int descriptor)
{
    struct unix_peer *peer = connection;

    (void)descriptor;
    peer->remote = context;
}

/* The faults are texts of this program, so they need no escapes. */
static void refuse_request(const struct remote *remote, const struct request *request,
                           struct buffer *replies)
{
    buffer_printf(replies, "{\"error\":\"expected %s\"}", request->fault);
    remote_count(remote, request->method, OUTCOME_MALFORMED);
    log_limited(LOG_LEVEL_WARNING, "unix: malformed request, expected %s", request->fault);
}

/* Answers one request by a line. Returns what makes the rest of a long one, or NULL. */
static struct producer *answer_line(struct unix_peer *peer, struct text line,
                                    struct buffer *replies)
{
    CLEANUP(request_deinit) struct request request = REQUEST_INIT;
    struct producer *rest = NULL;
    size_t begin = replies->length;
    int r = request_decode_json(&request, line);

    if (r == REQUEST_MALFORMED)
        refuse_request(peer->remote, &request, replies);
    else if (r < 0)
        buffer_add_string(replies, "{\"error\":\"out of memory\"}");
    else
        remote_answer(peer->remote, &request, replies, &rest);
    log_debug("unix: %.*s -> %.*s", (int)line.length, line.data, (int)(replies->length - begin),
              replies->data + begin);
    if (!rest) {
        buffer_add_string(replies, "\n");
        return NULL;
    }
    peer->long_line = (struct line_producer){{line_more, line_free}, rest};
    return &peer->long_line.producer;
}

/* Tells a peer that its request is too long. Where it ends, and the next begins, is unknown. */
static void refuse_length(const struct remote *remote, struct buffer *replies)
{
    remote_count(remote, NULL, OUTCOME_MALFORMED);
    log_limited(LOG_LEVEL_WARNING, "unix: request too long, expected at most %d bytes",
                REMOTE_UNIX_REQUEST_MAX);
    buffer_printf(replies, "{\"error\":\"expected at most %d bytes\"}\n", REMOTE_UNIX_REQUEST_MAX);
}

/* Reads up to the end of a line. A request that comes whole, as most do, is read without a copy. */
static struct stream_result read_line(void *connection, struct text bytes, struct buffer *replies)
{
    struct unix_peer *peer = connection;
    const char *end = memchr(bytes.data, '\n', bytes.length);
    struct text line = text_of(bytes.data, end ? (size_t)(end - bytes.data) : bytes.length);
    struct stream_result result = {.n_read = line.length + (end != NULL)};

    if (line.length > REMOTE_UNIX_REQUEST_MAX - peer->begun.length) {
        refuse_length(peer->remote, replies);
        result.outcome = STREAM_CLOSE_UNREAD;
        return result;
    }
    if (!end || peer->begun.length) {
        buffer_add_text(&peer->begun, line);
        line = buffer_text(&peer->begun);
        replies->failed |= peer->begun.failed;
    }
    if (end) {
        result.outcome = STREAM_ANSWERED;
        result.producer = answer_line(peer, line, replies);
        buffer_deinit(&peer->begun);
    }
    return result;
}

static void end_peer(void *connection)
{
    struct unix_peer *peer = connection;

    buffer_deinit(&peer->begun);
}

const struct stream_protocol remote_unix_protocol = {
    .state_size = sizeof(struct unix_peer),
    .begin = begin_peer,
    .read = read_line,
    .end = end_peer,
};
