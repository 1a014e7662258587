#include "net/http.h"

#include "os/log.h"

#include <assert.h>

/* The rest of a long body, for HTTP/1.1 in chunks (RFC 9112 7.1), one a piece. */
struct rest {
    struct producer producer; /* what the connection is given; it must be the first member */
    struct producer *body;
    bool chunked;
    struct buffer piece;
};

/* What is kept of a connection. */
struct state {
    struct http_service *service;
    int descriptor;
    struct http_parse parse;
    struct rest rest;
};

static const struct refusal {
    enum http_status status;
    const char *fault;
} refusals[HTTP_PARSED_COUNT] = {
    [HTTP_PARSED_MALFORMED] = {HTTP_STATUS_BAD_REQUEST,
                               "found what is not HTTP, expected an HTTP/1.1 request"},
    [HTTP_PARSED_HEADER_TOO_LARGE] = {HTTP_STATUS_REQUEST_HEADER_FIELDS_TOO_LARGE,
                                      "found larger headers, expected at most 16384 bytes"},
    [HTTP_PARSED_BODY_TOO_LARGE] = {HTTP_STATUS_PAYLOAD_TOO_LARGE,
                                    "found a larger body, expected at most 65536 bytes"},
    [HTTP_PARSED_NO_HOST] = {HTTP_STATUS_BAD_REQUEST, "found no Host field, expected one"},
    [HTTP_PARSED_SEVERAL_HOSTS] = {HTTP_STATUS_BAD_REQUEST,
                                   "found several Host fields, expected one"},
};
static_assert(HTTP_HEADER_MAX == 16384 && HTTP_BODY_MAX == 65536, "as the texts say");

void http_service_init(struct http_service *service, const struct http_handler *handler,
                       bool keepalive)
{
    *service = (struct http_service){.handler = *handler, .keepalive = keepalive};
}

void http_service_deinit(struct http_service *service)
{
    buffer_deinit(&service->reply.body);
}

static const char *reason_phrase(enum http_status status)
{
    switch (status) {
    case HTTP_STATUS_OK:
        return "OK";
    case HTTP_STATUS_NOT_MODIFIED:
        return "Not Modified";
    case HTTP_STATUS_BAD_REQUEST:
        return "Bad Request";
    case HTTP_STATUS_NOT_FOUND:
        return "Not Found";
    case HTTP_STATUS_METHOD_NOT_ALLOWED:
        return "Method Not Allowed";
    case HTTP_STATUS_PAYLOAD_TOO_LARGE:
        return "Payload Too Large";
    case HTTP_STATUS_MISDIRECTED_REQUEST:
        return "Misdirected Request";
    case HTTP_STATUS_REQUEST_HEADER_FIELDS_TOO_LARGE:
        return "Request Header Fields Too Large";
    case HTTP_STATUS_INTERNAL_SERVER_ERROR:
        return "Internal Server Error";
    case HTTP_STATUS_SERVICE_UNAVAILABLE:
        return "Service Unavailable";
    }
    return "";
}

static struct http_reply *begin_reply(struct http_service *service, enum http_status status)
{
    struct http_reply *reply = &service->reply;
    struct buffer body = reply->body;

    buffer_clear(&body);
    *reply =
        (struct http_reply){.status = status, .content_type = "application/json", .body = body};
    return reply;
}

static void drop_rest(struct http_reply *reply)
{
    producer_free(reply->rest);
    reply->rest = NULL;
}

/* Makes the first piece of a long body, which then may turn out to be the only one, and a 500 of a
 * body that could not be made. */
static void settle_body(struct http_reply *reply)
{
    if (reply->rest && !reply->rest->more(reply->rest, &reply->body))
        drop_rest(reply);
    if (!reply->body.failed)
        return;
    drop_rest(reply);
    buffer_clear(&reply->body);
    reply->status = HTTP_STATUS_INTERNAL_SERVER_ERROR;
    reply->etag = (struct text){0};
}

/* Whether one of the entity-tags of an If-None-Match field is this one, by the weak comparison
 * (RFC 9110 8.8.3.2). This one has no comma. */
static bool names_etag(struct text field, struct text etag)
{
    bool found = text_equals(field, TEXT("*"));

    while (field.length && !found) {
        struct text tag = text_trim(text_take(&field, ','), TEXT(" \t"));

        if (text_starts_with(tag, TEXT("W/")))
            tag = text_after(tag, 2);
        found = tag.length == etag.length + 2 && tag.data[0] == '"' &&
                tag.data[tag.length - 1] == '"' &&
                text_equals(text_of(tag.data + 1, etag.length), etag);
    }
    return found;
}

/* Takes the body off a reply whose peer has it already (RFC 9110 15.4.5). */
static void spare_body(const struct http_request *request, struct http_reply *reply)
{
    if (!reply->conditional || reply->status != HTTP_STATUS_OK || reply->body.failed ||
        !names_etag(request->if_none_match, reply->etag))
        return;
    drop_rest(reply);
    buffer_clear(&reply->body);
    reply->status = HTTP_STATUS_NOT_MODIFIED;
}

static void add_piece(struct buffer *out, const struct buffer *piece, bool chunked)
{
    if (!chunked) {
        buffer_add(out, piece->data, piece->length);
    } else if (piece->length) { /* a chunk without bytes would be the last one */
        buffer_printf(out, "%zx\r\n", piece->length);
        buffer_add(out, piece->data, piece->length);
        buffer_add_string(out, "\r\n");
    }
}

static bool rest_more(struct producer *producer, struct buffer *out)
{
    struct rest *rest = (struct rest *)producer;
    bool more;

    buffer_clear(&rest->piece);
    more = rest->body->more(rest->body, &rest->piece);
    if (rest->piece.failed) {
        out->failed = true;
        return false;
    }
    add_piece(out, &rest->piece, rest->chunked);
    if (!more && rest->chunked)
        buffer_add_string(out, "0\r\n\r\n");
    return more;
}

static void rest_free(struct producer *producer)
{
    struct rest *rest = (struct rest *)producer;

    producer_free(rest->body);
    buffer_deinit(&rest->piece);
}

/* Hands the rest of a long body over to the connection. */
static struct producer *begin_rest(struct state *state, struct http_reply *reply, bool chunked)
{
    state->rest = (struct rest){
        .producer = {.more = rest_more, .free = rest_free},
        .body = reply->rest,
        .chunked = chunked,
    };
    reply->rest = NULL;
    return &state->rest.producer;
}

/* Adds the fields about a body: a 304 has none (RFC 9110 15.4.5, RFC 9112 6.3). */
static void add_representation(const struct http_reply *reply, struct buffer *out)
{
    buffer_printf(out, "Content-Type: %s\r\n", reply->content_type);
    if (!reply->rest)
        buffer_printf(out, "Content-Length: %zu\r\n", reply->body.length);
}

/* Appends the service's reply to what is sent. Before HTTP/1.1 a long body ends with the connection
 * (RFC 9112 6.3). The reply to HEAD is the head alone (RFC 9110 9.3.2). */
static void add_reply(struct state *state, struct buffer *out, struct stream_result *result)
{
    const struct http_request *request = &state->parse.request;
    struct http_reply *reply = &state->service->reply;
    bool chunked;

    spare_body(request, reply);
    settle_body(reply);
    chunked = reply->rest && !request->is_1_0;
    if (reply->rest && !chunked)
        result->outcome = STREAM_CLOSE;
    buffer_printf(out, "HTTP/1.1 %u %s\r\n", reply->status, reason_phrase(reply->status));
    if (reply->status != HTTP_STATUS_NOT_MODIFIED)
        add_representation(reply, out);
    if (reply->fields)
        buffer_add_string(out, reply->fields);
    if (chunked)
        buffer_add_string(out, "Transfer-Encoding: chunked\r\n");
    if (reply->etag.length)
        buffer_printf(out, "ETag: \"%.*s\"\r\n", (int)reply->etag.length, reply->etag.data);
    if (reply->allow)
        buffer_printf(out, "Allow: %s\r\n", reply->allow);
    if (result->outcome != STREAM_ANSWERED)
        buffer_add_string(out, "Connection: close\r\n");
    else if (request->is_1_0) /* whose default is to close (RFC 9112 9.3) */
        buffer_add_string(out, "Connection: keep-alive\r\n");
    buffer_add_string(out, "\r\n");
    if (request->verb != HTTP_VERB_HEAD) {
        add_piece(out, &reply->body, chunked);
        if (reply->rest)
            result->producer = begin_rest(state, reply, chunked);
    }
    drop_rest(reply);
}

static void answer_request(struct state *state, struct http_reply *reply)
{
    const struct http_handler *handler = &state->service->handler;
    struct http_request *request = &state->parse.request;

    request->connection = state->descriptor;
    handler->answer(handler->context, request, reply);
    log_debug("http: %.*s %.*s %.*s -> %u %.*s", (int)request->method.length, request->method.data,
              (int)request->target.length, request->target.data, (int)request->body.length,
              request->body.data, reply->status, (int)reply->body.length, reply->body.data);
}

/* Reads up to the end of a request; a peer that waits for a 100 before it sends the body gets it.
 */
static enum http_parsed parse_request(struct state *state, struct text bytes,
                                      struct buffer *replies, size_t *n_read)
{
    enum http_parsed parsed;
    size_t n;

    do {
        parsed = http_parse_read(&state->parse, bytes, &n);
        if (parsed == HTTP_PARSED_CONTINUE)
            buffer_add_string(replies, "HTTP/1.1 100 Continue\r\n\r\n");
        bytes = text_after(bytes, n);
        *n_read += n;
    } while (parsed == HTTP_PARSED_CONTINUE && bytes.length);
    return parsed;
}

static struct stream_result read_request(void *connection, struct text bytes,
                                         struct buffer *replies)
{
    struct state *state = connection;
    struct http_service *service = state->service;
    struct stream_result result = {0};
    enum http_parsed parsed = parse_request(state, bytes, replies, &result.n_read);
    const struct refusal *refusal = &refusals[parsed];

    if (parsed == HTTP_PARSED_INCOMPLETE || parsed == HTTP_PARSED_CONTINUE)
        return result;
    if (parsed == HTTP_PARSED_COMPLETE)
        answer_request(state, begin_reply(service, HTTP_STATUS_OK));
    else if (parsed == HTTP_PARSED_NO_MEMORY)
        begin_reply(service, HTTP_STATUS_OK)->body.failed = true;
    else
        service->handler.refuse(service->handler.context, refusal->fault,
                                begin_reply(service, refusal->status));
    if (parsed != HTTP_PARSED_COMPLETE)
        result.outcome = STREAM_CLOSE_UNREAD;
    else if (service->keepalive && state->parse.request.keepalive)
        result.outcome = STREAM_ANSWERED;
    else
        result.outcome = STREAM_CLOSE;
    add_reply(state, replies, &result);
    return result;
}

static void begin(void *connection, void *context, int descriptor)
{
    struct state *state = connection;

    state->service = context;
    state->descriptor = descriptor;
    http_parse_init(&state->parse);
}

static void end(void *connection)
{
    struct state *state = connection;

    http_parse_deinit(&state->parse);
}

const struct stream_protocol http_protocol = {
    .state_size = sizeof(struct state),
    .begin = begin,
    .read = read_request,
    .end = end,
};
