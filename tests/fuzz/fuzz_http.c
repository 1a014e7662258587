/* Streams of HTTP requests to the remote backend. The first line of the input says in which pieces
 * the rest comes (take_piece). Every reply is HTTP with one JSON object, a connection without
 * keep-alive ends with the first, and the pieces make no difference. */
#include "fixture.h"
#include "fuzz.h"
#include "remote_http.h"

#include <jansson.h>

static struct snapshot *snapshot;

/* Which replies have a body. A refusal has one unless it answers HEAD, and is the last reply. */
enum body { BODY_NONE, BODY_PRESENT, BODY_REFUSAL };

/* The handler under test, and what its replies have. */
struct recorder {
    struct http_handler handler;
    struct text stream;   /* what is sent */
    struct buffer bodies; /* an octet a reply: an enum body */
};

static void record(struct recorder *recorder, enum body body)
{
    char octet = (char)body;

    buffer_add(&recorder->bodies, &octet, 1);
}

static void record_answer(void *context, const struct http_request *request,
                          struct http_reply *reply)
{
    struct recorder *recorder = context;
    struct text stream = recorder->stream, target = request->target, host = request->host;

    /* Both are one run of the stream, with nothing of another request in it. */
    MUST(memmem(stream.data, stream.length, target.data, target.length));
    MUST(!host.length || memmem(stream.data, stream.length, host.data, host.length));
    record(recorder, request->verb == HTTP_HEAD ? BODY_NONE : BODY_PRESENT);
    recorder->handler.answer(recorder->handler.context, request, reply);
}

static void record_refuse(void *context, const char *fault, struct http_reply *reply)
{
    struct recorder *recorder = context;

    record(recorder, BODY_REFUSAL);
    recorder->handler.refuse(recorder->handler.context, fault, reply);
}

static void check_body(struct text body)
{
    json_t *parsed = json_loadb(body.data, body.length, JSON_REJECT_DUPLICATES, NULL);

    MUST(json_is_object(parsed));
    MUST(!json_object_get(parsed, "result") != !json_object_get(parsed, "error"));
    json_decref(parsed);
}

/* Takes a line that ends in CRLF. */
static struct text take_header(struct text *replies)
{
    struct text line;

    MUST(replies->length && memchr(replies->data, '\n', replies->length));
    line = take_line(replies);
    MUST(line.length && line.data[line.length - 1] == '\r');
    line.length--;
    MUST(line.length < 100 && !memchr(line.data, '\r', line.length));
    return line;
}

/* Takes one reply. Returns whether it says that the connection ends. */
static bool take_reply(struct text *replies, enum body body)
{
    char line[100] = "";
    struct text header = take_header(replies);
    size_t length = SIZE_MAX;
    unsigned int status = 0;
    bool close = false;

    memcpy(line, header.data, header.length);
    MUST(sscanf(line, "HTTP/1.1 %3u ", &status) == 1);
    MUST(status == 200 || (status >= 400 && status < 500));
    while ((header = take_header(replies)).length) {
        memset(line, 0, sizeof(line));
        memcpy(line, header.data, header.length);
        MUST(strstr(line, ": "));
        sscanf(line, "Content-Length: %zu", &length);
        close = close || strcmp(line, "Connection: close") == 0;
    }
    MUST(length != SIZE_MAX);
    if (body == BODY_PRESENT || (body == BODY_REFUSAL && replies->length)) {
        MUST(length <= replies->length);
        check_body((struct text){replies->data, length});
        *replies = text_after(*replies, length);
    }
    return close;
}

static void check_replies(struct text replies, struct text bodies, bool closed)
{
    bool close = false;

    for (size_t i = 0; i < bodies.length; i++) {
        MUST(!close);
        close = take_reply(&replies, (enum body)bodies.data[i]);
    }
    MUST(replies.length == 0 && close == closed);
}

/* Feeds a connection until it ends. Returns whether it did. */
static bool feed(struct http_service *service, struct text stream, struct text lengths,
                 struct buffer *replies)
{
    struct stream_verdict verdict = {0};
    void *state = calloc(1, http_protocol.state_size);

    MUST(state);
    http_protocol.begin(state, service);
    while (stream.length && !verdict.close) {
        verdict = http_protocol.read(state, take_piece(&stream, &lengths), replies);
        MUST(!replies->failed);
    }
    http_protocol.end(state);
    free(state);
    return verdict.close;
}

static void converse(struct text stream, struct text lengths, bool keepalive,
                     struct buffer *replies)
{
    struct remote_http remote = {.path = "/dns", .snapshot = &snapshot};
    struct recorder recorder = {.handler = remote_http_handler(&remote), .stream = stream};
    struct http_handler handler = {record_answer, record_refuse, &recorder};
    struct http_service service;
    bool closed;

    http_service_init(&service, &handler, keepalive);
    closed = feed(&service, stream, lengths, replies);
    MUST(keepalive || recorder.bodies.length <= 1);
    check_replies((struct text){replies->data, replies->length},
                  (struct text){recorder.bodies.data, recorder.bodies.length}, closed);
    http_service_deinit(&service);
    buffer_deinit(&recorder.bodies);
}

static void check_stream(struct text stream, struct text lengths, bool keepalive)
{
    CLEANUP(buffer_deinit) struct buffer whole = BUFFER_INIT, pieces = BUFFER_INIT;

    converse(stream, (struct text){0}, keepalive, &whole);
    converse(stream, lengths, keepalive, &pieces);
    MUST(text_equals((struct text){whole.data, whole.length},
                     (struct text){pieces.data, pieces.length}));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text stream = {(const char *)data, size};
    struct text lengths = take_line(&stream);

    if (!snapshot) {
        http_init();
        MUST(fixture_build(&snapshot) == 0);
    }
    check_stream(stream, lengths, false);
    check_stream(stream, lengths, true);
    return 0;
}
