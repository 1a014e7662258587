/* Streams of HTTP requests, each to the remote backend, with an overlay and with own zones, and to
 * the policy listener, or to a remote backend with many own zones (take_many). The first line of
 * the input says in which pieces the rest comes (take_piece). Every reply is HTTP, from the former
 * with one JSON object, from the latter with a policy body or one line of text; a connection
 * without keep-alive ends with the first, and the pieces make no difference. Nor does the library
 * that finds the end of requests, where there are both. */
#include "feed.h"
#include "fixture.h"
#include "fuzz.h"
#include "service/policy_http.h"
#include "service/remote.h"

#include <jansson.h>

enum {
    MORE_MEMBERS = 120,         /* enough for lists of two pieces and more */
    CHUNK_MAX = (32 << 10) * 2, /* bytes: a piece, and what a zone may add */
};

static struct snapshot *snapshot, *zones, *many_zones;

/* What the policy listener says to /ask if a certificate is wanted. */
#define WANTED TEXT("a certificate is wanted\n")

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
    record(recorder, request->verb == HTTP_VERB_HEAD ? BODY_NONE : BODY_PRESENT);
    recorder->handler.answer(recorder->handler.context, request, reply);
}

static void record_refuse(void *context, const char *fault, struct http_reply *reply)
{
    struct recorder *recorder = context;

    record(recorder, BODY_REFUSAL);
    recorder->handler.refuse(recorder->handler.context, fault, reply);
}

/* A reply as the peer sees it. */
struct reply {
    unsigned int status;
    char etag[64]; /* without quotes; empty if it has none */
    bool has_body; /* not to HEAD */
    struct text body;
    struct buffer chunks; /* what a chunked body is joined in */
};

static void reply_deinit(struct reply *reply)
{
    buffer_deinit(&reply->chunks);
}

/* What is asked, and how its replies look. */
struct subject {
    struct http_handler handler;
    void (*check)(const struct reply *reply);
    struct remote *noting; /* what is to begin with notes of its own, or NULL */
};

static void check_json(const struct reply *reply)
{
    struct text body = reply->body;
    json_t *parsed;

    MUST(!reply->etag[0]);
    if (!reply->has_body)
        return;
    parsed = json_loadb(body.data, body.length, JSON_REJECT_DUPLICATES, NULL);

    MUST(json_is_object(parsed));
    MUST(!json_object_get(parsed, "result") != !json_object_get(parsed, "error"));
    json_decref(parsed);
}

/* The policy with a body, or NULL. */
static const struct policy *find_body(struct text body)
{
    for (size_t i = 0; i < snapshot_n_policies(snapshot); i++)
        if (body.length && text_equals(snapshot_policy(snapshot, i)->body, body))
            return snapshot_policy(snapshot, i);
    return NULL;
}

static void check_policy(const struct reply *reply)
{
    struct text body = reply->body;

    MUST(reply->status == 200 || !reply->etag[0]);
    if (!reply->has_body)
        return;
    if (reply->etag[0])
        MUST(find_body(body) && strcmp(find_body(body)->body_id.data, reply->etag) == 0);
    else
        MUST(body.length > 1 && (reply->status != 200 || text_equals(body, WANTED)) &&
             memchr(body.data, '\n', body.length) == &body.data[body.length - 1]);
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

/* Takes the chunks of a body, and the last one (RFC 9112 7.1). */
static void take_chunks(struct text *replies, struct reply *reply)
{
    unsigned int length;
    char line[100];

    do {
        struct text header = take_header(replies);

        snprintf(line, sizeof(line), "%.*s", (int)header.length, header.data);
        MUST(sscanf(line, "%x", &length) == 1 && length <= CHUNK_MAX);
        MUST(length <= replies->length);
        buffer_add(&reply->chunks, replies->data, length);
        *replies = text_after(*replies, length);
        MUST(take_header(replies).length == 0);
    } while (length);
    reply->body = buffer_text(&reply->chunks);
}

/* How the end of a body shows; before HTTP/1.1 that of a long one is the end of the connection. */
struct framing {
    size_t length; /* SIZE_MAX: it has none */
    bool chunked, close;
};

/* Takes the head of a reply but for its first line. */
static struct framing take_headers(struct text *replies, struct reply *reply)
{
    struct framing framing = {.length = SIZE_MAX};
    struct text header;

    while ((header = take_header(replies)).length) {
        char line[100];

        snprintf(line, sizeof(line), "%.*s", (int)header.length, header.data);
        MUST(strstr(line, ": "));
        sscanf(line, "Content-Length: %zu", &framing.length);
        sscanf(line, "ETag: \"%63[0-9a-f]\"", reply->etag);
        framing.chunked |= strcmp(line, "Transfer-Encoding: chunked") == 0;
        framing.close |= strcmp(line, "Connection: close") == 0;
    }
    return framing;
}

static void take_body(struct text *replies, const struct framing *framing, struct reply *reply)
{
    size_t length = framing->length == SIZE_MAX ? replies->length : framing->length;

    if (framing->chunked) {
        take_chunks(replies, reply);
        return;
    }
    MUST(length <= replies->length);
    reply->body = (struct text){replies->data, length};
    *replies = text_after(*replies, length);
}

static unsigned int take_status(struct text *replies)
{
    struct text header = take_header(replies);
    unsigned int status = 0;
    char line[100];

    snprintf(line, sizeof(line), "%.*s", (int)header.length, header.data);
    MUST(sscanf(line, "HTTP/1.1 %3u ", &status) == 1);
    return status;
}

/* Takes what a peer is told that waits before it sends a body. */
static void take_continue(struct text *replies)
{
    struct text rest = *replies;

    if (rest.length == 0 || take_status(&rest) != 100)
        return;
    MUST(take_header(&rest).length == 0);
    *replies = rest;
}

/* Takes one reply. Returns whether it says that the connection ends. */
static bool take_reply(struct text *replies, enum body body, const struct subject *subject)
{
    CLEANUP(reply_deinit) struct reply reply = {.has_body = body == BODY_PRESENT};
    struct framing framing;

    take_continue(replies);
    reply.status = take_status(replies);
    MUST(reply.status == 200 || (reply.status >= 400 && reply.status < 500));
    framing = take_headers(replies, &reply);
    MUST(!framing.chunked || framing.length == SIZE_MAX);
    MUST(framing.chunked || framing.length != SIZE_MAX || framing.close);
    reply.has_body |= body == BODY_REFUSAL && replies->length;
    if (reply.has_body)
        take_body(replies, &framing, &reply);
    subject->check(&reply);
    return framing.close;
}

static void check_replies(struct text replies, struct text bodies, bool closed,
                          const struct subject *subject)
{
    bool close = false;

    for (size_t i = 0; i < bodies.length; i++) {
        MUST(!close);
        close = take_reply(&replies, (enum body)bodies.data[i], subject);
    }
    take_continue(&replies);
    MUST(replies.length == 0 && close == closed);
}

static void converse(const struct subject *subject, struct text stream, struct text lengths,
                     bool keepalive, struct buffer *replies)
{
    struct recorder recorder = {.handler = subject->handler, .stream = stream};
    struct http_handler handler = {record_answer, record_refuse, &recorder};
    struct http_service service;
    bool closed;

    if (subject->noting)
        subject->noting->notify = fixture_notify(*subject->noting->snapshot);
    http_service_init(&service, &handler, keepalive);
    closed = feed(&http_protocol, &service, stream, lengths, replies);
    MUST(keepalive || recorder.bodies.length <= 1);
    check_replies(buffer_text(replies), buffer_text(&recorder.bodies), closed, subject);
    http_service_deinit(&service);
    buffer_deinit(&recorder.bodies);
    if (subject->noting)
        notify_free(subject->noting->notify);
}

static void compare(const struct subject *subject, struct text stream, struct text lengths,
                    bool keepalive)
{
    CLEANUP(buffer_deinit) struct buffer whole = BUFFER_INIT, pieces = BUFFER_INIT;

    converse(subject, stream, (struct text){0}, keepalive, &whole);
    converse(subject, stream, lengths, keepalive, &pieces);
    MUST(text_equals(buffer_text(&whole), buffer_text(&pieces)));
}

static void check_stream(const struct subject *subject, struct text stream, struct text lengths)
{
    compare(subject, stream, lengths, false);
    compare(subject, stream, lengths, true);
}

#ifdef HTTP_LIBRARIES

/* http_parse with the library that the program is not linked with. */
void other_http_parse_init(struct http_parse *parse);
void other_http_parse_deinit(struct http_parse *parse);
enum http_parsed other_http_parse_read(struct http_parse *parse, struct text bytes, size_t *n_read);

static void add_request(struct buffer *requests, const struct http_request *request, size_t n)
{
    buffer_printf(requests, "%zu %d %d %d", n, request->verb, request->is_1_0, request->keepalive);
    buffer_add_text(requests, request->method);
    buffer_add_text(requests, request->target);
    buffer_add_text(requests, request->host);
    buffer_add_text(requests, request->body);
}

/* Appends all requests of a stream. Returns what came of reading last. */
static enum http_parsed read_all(struct http_parse *parse, struct text stream,
                                 enum http_parsed (*read)(struct http_parse *parse,
                                                          struct text bytes, size_t *n_read),
                                 struct buffer *requests)
{
    enum http_parsed parsed;
    size_t n;

    do {
        parsed = read(parse, stream, &n);
        stream = text_after(stream, n);
        if (parsed == HTTP_PARSED_CONTINUE)
            buffer_add_string(requests, "100");
        if (parsed == HTTP_PARSED_COMPLETE)
            add_request(requests, &parse->request, n);
    } while ((parsed == HTTP_PARSED_CONTINUE || parsed == HTTP_PARSED_COMPLETE) && stream.length);
    return parsed;
}

/* Both libraries make the same requests of a stream, and if both refuse it, then for the same
 * reason, unless it has two; one may see sooner than the other that it is to be refused. */
static void compare_libraries(struct text stream)
{
    CLEANUP(buffer_deinit) struct buffer requests = BUFFER_INIT, other_requests = BUFFER_INIT;
    CLEANUP(http_parse_deinit) struct http_parse parse;
    CLEANUP(other_http_parse_deinit) struct http_parse other_parse;
    enum http_parsed parsed, other_parsed;

    http_parse_init(&parse);
    other_http_parse_init(&other_parse);
    parsed = read_all(&parse, stream, http_parse_read, &requests);
    other_parsed = read_all(&other_parse, stream, other_http_parse_read, &other_requests);
    MUST(text_equals(buffer_text(&requests), buffer_text(&other_requests)));
    MUST(parsed == other_parsed || parsed == HTTP_PARSED_INCOMPLETE ||
         other_parsed == HTTP_PARSED_INCOMPLETE || parsed == HTTP_PARSED_HEADER_TOO_LARGE ||
         other_parsed == HTTP_PARSED_HEADER_TOO_LARGE);
}

#else

static void compare_libraries(struct text stream)
{
    (void)stream;
}

#endif

static void prepare(void)
{
    MUST(fixture_build(&snapshot) == 0 && fixture_build_zones(0, &zones) == 0 &&
         fixture_build_zones(MORE_MEMBERS, &many_zones) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text stream = {(const char *)data, size};
    struct text lengths = take_line(&stream);
    struct remote overlay = {.path = "/dns", .snapshot = &snapshot};
    struct remote own = {.path = "/dns", .snapshot = &zones};
    struct remote many = {.path = "/dns", .snapshot = &many_zones};
    struct policy_http policy;
    const struct subject subjects[] = {
        {remote_http_handler(&overlay), check_json, NULL},
        {remote_http_handler(&own), check_json, &own},
        {policy_http_handler(&policy, &snapshot), check_policy, NULL},
    };
    const struct subject long_lists = {remote_http_handler(&many), check_json, &many};

    if (!snapshot)
        prepare();
    compare_libraries(stream);
    if (take_many(&lengths)) {
        if (size <= MANY_INPUT_MAX)
            check_stream(&long_lists, stream, lengths);
        return 0;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(subjects); i++)
        check_stream(&subjects[i], stream, lengths);
    return 0;
}
