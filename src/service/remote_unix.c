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
    struct buffer begun; /* a request whose end has not come yet, or while a long reply is sent what
                            has come behind its request */
    struct rest rest;    /* of that reply */
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

/* Takes the text before the next newline off the front of what was read. Returns whether there is
 * one. */
static bool take_line(struct text *bytes, struct text *line)
{
    const char *end = bytes->length ? memchr(bytes->data, '\n', bytes->length) : NULL;

    if (!end)
        return false;
    *line = (struct text){.data = bytes->data, .length = (size_t)(end - bytes->data)};
    *bytes = text_after(*bytes, line->length + 1);
    return true;
}

/* Keeps a further part of a request. Returns false if the request is too long, or memory has run
 * out. */
static bool keep_part(struct state *state, struct text part)
{
    if (part.length > REMOTE_UNIX_REQUEST_MAX - state->begun.length)
        return false;
    buffer_add_text(&state->begun, part);
    return !state->begun.failed;
}

static struct stream_result refuse(const struct remote *remote, struct buffer *replies)
{
    remote_count(remote, NULL, OUTCOME_MALFORMED);
    log_limited(LOG_LEVEL_WARNING, "unix: request too long, expected at most %d bytes",
                REMOTE_UNIX_REQUEST_MAX);
    buffer_printf(replies, "{\"error\":\"expected at most %d bytes\"}\n", REMOTE_UNIX_REQUEST_MAX);
    return (struct stream_result){.close = true, .unread = true};
}

/* Answers the request that a line ends. */
static struct stream_result end_request(struct state *state, struct text line,
                                        struct buffer *replies)
{
    struct stream_result verdict = {.renew = true};

    if (state->begun.length == 0) {
        verdict.rest = answer(state, line, replies);
        return verdict;
    }
    if (!keep_part(state, line))
        return refuse(state->remote, replies);
    verdict.rest = answer(state, buffer_text(&state->begun), replies);
    buffer_deinit(&state->begun);
    return verdict;
}

/* A request mostly comes whole, and is then read where it lies. */
static struct stream_result read_requests(struct state *state, struct text bytes,
                                          struct buffer *replies)
{
    struct stream_result verdict = {.renew = true};
    struct text line;

    while (!verdict.rest && !verdict.close && take_line(&bytes, &line))
        verdict = end_request(state, line, replies);
    if (verdict.close)
        return verdict;
    if (verdict.rest) {
        buffer_add_text(&state->begun, bytes);
        replies->failed |= state->begun.failed;
    } else if (bytes.length && !keep_part(state, bytes)) {
        return refuse(state->remote, replies);
    }
    return verdict;
}

/* Without bytes a long reply has ended, and what came behind its request is read now. */
static struct stream_result read_bytes(void *connection, struct text bytes, struct buffer *replies)
{
    CLEANUP(buffer_deinit) struct buffer kept = BUFFER_INIT;
    struct state *state = connection;

    if (bytes.length)
        return read_requests(state, bytes, replies);
    kept = state->begun;
    state->begun = BUFFER_INIT;
    return read_requests(state, buffer_text(&kept), replies);
}

static void end(void *connection)
{
    struct state *state = connection;

    buffer_deinit(&state->begun);
}

const struct stream_protocol remote_unix_protocol = {
    .state_size = sizeof(struct state),
    .begin = begin,
    .read = read_bytes,
    .end = end,
};
