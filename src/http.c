#include "http.h"

/* What is kept of a connection. */
struct state {
    struct http_service *service;
    http_parser parser;
    struct buffer target;
    struct buffer body;
    unsigned int refused;   /* the status, once a callback has refused the request */
    struct buffer *replies; /* while reading */
    struct stream_verdict verdict;
};

void http_init(void)
{
    http_parser_set_max_header_size(HTTP_HEADER_MAX);
}

void http_service_init(struct http_service *service, const struct http_handler *handler,
                       bool keepalive)
{
    *service = (struct http_service){.handler = *handler, .keepalive = keepalive};
}

void http_service_deinit(struct http_service *service)
{
    buffer_deinit(&service->reply.body);
}

static const char *reason_phrase(unsigned int status)
{
    static const struct {
        unsigned int status;
        const char *phrase;
    } phrases[] = {
#define ROW(NUMBER, NAME, PHRASE) {NUMBER, #PHRASE},
        HTTP_STATUS_MAP(ROW)
#undef ROW
    };

    for (size_t i = 0; i < ARRAY_LENGTH(phrases); i++)
        if (phrases[i].status == status)
            return phrases[i].phrase;
    return "Status";
}

static struct http_reply *begin_reply(struct http_service *service, unsigned int status)
{
    struct http_reply *reply = &service->reply;

    buffer_clear(&reply->body);
    reply->status = status;
    reply->content_type = "application/json";
    reply->allow = NULL;
    return reply;
}

/* Appends the service's current reply to what is sent. */
static void add_reply(struct state *state, bool with_body)
{
    struct http_reply *reply = &state->service->reply;
    struct buffer *out = state->replies;

    if (reply->body.failed) {
        buffer_clear(&reply->body);
        reply->status = HTTP_STATUS_INTERNAL_SERVER_ERROR;
    }
    buffer_printf(out, "HTTP/1.1 %u %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n",
                  reply->status, reason_phrase(reply->status), reply->content_type,
                  reply->body.length);
    if (reply->allow)
        buffer_printf(out, "Allow: %s\r\n", reply->allow);
    buffer_add_string(out, state->verdict.close ? "Connection: close\r\n\r\n" : "\r\n");
    if (with_body)
        buffer_add(out, reply->body.data, reply->body.length);
}

/* The parser's callbacks: a result other than 0 stops it. */

static int on_message_begin(http_parser *parser)
{
    struct state *state = parser->data;

    buffer_clear(&state->target);
    buffer_clear(&state->body);
    return 0;
}

static int on_url(http_parser *parser, const char *at, size_t length)
{
    struct state *state = parser->data;

    buffer_add(&state->target, at, length);
    return 0;
}

static int on_headers_complete(http_parser *parser)
{
    struct state *state = parser->data;

    if (parser->content_length != UINT64_MAX && parser->content_length > HTTP_BODY_MAX)
        state->refused = HTTP_STATUS_PAYLOAD_TOO_LARGE;
    /* An offer of another protocol is not taken up (RFC 9110 7.8): what follows is HTTP. */
    parser->upgrade = 0;
    return state->refused ? -1 : 0;
}

static int on_body(http_parser *parser, const char *at, size_t length)
{
    struct state *state = parser->data;

    if (length > HTTP_BODY_MAX - state->body.length) {
        state->refused = HTTP_STATUS_PAYLOAD_TOO_LARGE;
        return -1;
    }
    buffer_add(&state->body, at, length);
    return 0;
}

static int on_message_complete(http_parser *parser)
{
    struct state *state = parser->data;
    struct http_service *service = state->service;
    struct http_reply *reply = begin_reply(service, HTTP_STATUS_OK);
    struct http_request request = {
        .verb = parser->method,
        .target = {.data = state->target.data, .length = state->target.length},
        .body = {.data = state->body.data, .length = state->body.length},
    };

    state->verdict.renew = true;
    state->verdict.close = !service->keepalive || !http_should_keep_alive(parser);
    if (state->target.failed || state->body.failed)
        reply->body.failed = true;
    else
        service->handler.answer(service->handler.context, &request, reply);
    /* The reply to HEAD is the head alone (RFC 9110 9.3.2). */
    add_reply(state, parser->method != HTTP_HEAD);
    if (state->verdict.close)
        http_parser_pause(parser, 1);
    return 0;
}

static const http_parser_settings parser_settings = {
    .on_message_begin = on_message_begin,
    .on_url = on_url,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

/* Tells a peer why the parser or a callback has stopped at its request. */
static void refuse(struct state *state)
{
    struct http_service *service = state->service;
    unsigned int status = HTTP_STATUS_BAD_REQUEST;
    const char *fault = "found what is not HTTP, expected an HTTP/1.1 request";

    if (state->refused == HTTP_STATUS_PAYLOAD_TOO_LARGE) {
        status = state->refused;
        fault = "found a larger body, expected at most 65536 bytes";
    } else if (HTTP_PARSER_ERRNO(&state->parser) == HPE_HEADER_OVERFLOW) {
        status = HTTP_STATUS_REQUEST_HEADER_FIELDS_TOO_LARGE;
        fault = "found larger headers, expected at most 16384 bytes";
    }
    state->verdict.close = true;
    state->verdict.unread = true;
    service->handler.refuse(service->handler.context, fault, begin_reply(service, status));
    add_reply(state, true);
}

static void begin(void *connection, void *context)
{
    struct state *state = connection;

    state->service = context;
    http_parser_init(&state->parser, HTTP_REQUEST);
    state->parser.data = state;
}

static struct stream_verdict read_bytes(void *connection, struct text bytes, struct buffer *replies)
{
    struct state *state = connection;
    size_t parsed;

    state->verdict = (struct stream_verdict){0};
    state->replies = replies;
    parsed = http_parser_execute(&state->parser, &parser_settings, bytes.data, bytes.length);
    if (HTTP_PARSER_ERRNO(&state->parser) == HPE_PAUSED)
        state->verdict.unread = parsed < bytes.length;
    else if (HTTP_PARSER_ERRNO(&state->parser) != HPE_OK)
        refuse(state);
    return state->verdict;
}

static void end(void *connection)
{
    struct state *state = connection;

    buffer_deinit(&state->target);
    buffer_deinit(&state->body);
}

const struct stream_protocol http_protocol = {
    .state_size = sizeof(struct state),
    .begin = begin,
    .read = read_bytes,
    .end = end,
};
