#include "service/remote.h"

#include "os/log.h"

/* The rest of a long reply, and a newline. */
struct rest {
    struct producer producer; /* what the connection is given; it must be the first member */
    struct producer *inner;
};

/* What is kept of a connection. */
struct state {
    const struct remote *remote;
    struct buffer begun; /* a request whose end has not come yet */
    struct rest rest;    /* of a long reply */
};

static bool rest_more(struct producer *producer, struct buffer *out)
{
    struct rest *rest = (struct rest *)producer;

    if (rest->inner->more(rest->inner, out))
        return true;
    buffer_add_string(out, "\n");
    return false;
}

static void rest_free(struct producer *producer)
{
    producer_free(((struct rest *)producer)->inner);
}

/* Ends a reply by a newline, now or after its rest. */
static struct producer *end_reply(struct state *state, struct producer *inner,
                                  struct buffer *replies)
{
    if (!inner) {
        buffer_add_string(replies, "\n");
        return NULL;
    }
    state->rest = (struct rest){
        .producer = {.more = rest_more, .free = rest_free},
        .inner = inner,
    };
    return &state->rest.producer;
}

static void begin(void *connection, void *context)
{
    struct state *state = connection;

    state->remote = context;
}

/* The faults are texts of this program, so they need no escapes. */
static void refuse_request(const struct remote *remote, const struct request *request,
                           struct buffer *replies)
{
    buffer_printf(replies, "{\"error\":\"expected %s\"}", request->fault);
    remote_count(remote, request->method, OUTCOME_MALFORMED);
    log_limited(LOG_LEVEL_WARNING, "unix: malformed request, expected %s", request->fault);
}

/* Answers one request. Returns what makes the rest of the reply, or NULL. */
static struct producer *answer(struct state *state, struct text line, struct buffer *replies)
{
    CLEANUP(request_deinit) struct request request = REQUEST_INIT;
    struct producer *rest = NULL;
    size_t begin = replies->length;
    int r = request_decode_json(&request, line);

    if (r == REQUEST_MALFORMED)
        refuse_request(state->remote, &request, replies);
    else if (r < 0)
        buffer_add_string(replies, "{\"error\":\"out of memory\"}");
    else
        remote_answer(state->remote, &request, replies, &rest);
    log_debug("unix: %.*s -> %.*s", (int)line.length, line.data, (int)(replies->length - begin),
              replies->data + begin);
    return end_reply(state, rest, replies);
}

/* Tells a peer that its request is too long; without its end there is no next one. */
static void refuse_length(const struct remote *remote, struct buffer *replies)
{
    remote_count(remote, NULL, OUTCOME_MALFORMED);
    log_limited(LOG_LEVEL_WARNING, "unix: request too long, expected at most %d bytes",
                REMOTE_UNIX_REQUEST_MAX);
    buffer_printf(replies, "{\"error\":\"expected at most %d bytes\"}\n", REMOTE_UNIX_REQUEST_MAX);
}

/* Reads up to the end of a line. A request mostly comes whole, and is then read where it lies. */
static struct stream_result read_request(void *connection, struct text bytes,
                                         struct buffer *replies)
{
    struct state *state = connection;
    const char *end = memchr(bytes.data, '\n', bytes.length);
    struct text line = text_of(bytes.data, end ? (size_t)(end - bytes.data) : bytes.length);
    struct stream_result result = {.n_read = line.length + (end != NULL)};

    if (line.length > REMOTE_UNIX_REQUEST_MAX - state->begun.length) {
        refuse_length(state->remote, replies);
        result.outcome = STREAM_CLOSE_UNREAD;
        return result;
    }
    if (!end || state->begun.length) {
        buffer_add_text(&state->begun, line);
        line = buffer_text(&state->begun);
        replies->failed |= state->begun.failed;
    }
    if (end) {
        result.outcome = STREAM_ANSWERED;
        result.producer = answer(state, line, replies);
        buffer_deinit(&state->begun);
    }
    return result;
}

static void end(void *connection)
{
    struct state *state = connection;

    buffer_deinit(&state->begun);
}

const struct stream_protocol remote_unix_protocol = {
    .state_size = sizeof(struct state),
    .begin = begin,
    .read = read_request,
    .end = end,
};
