#include "net/http.h"

#include "os/log.h"

/* The request headers that have a meaning here. */
enum header { HEADER_HOST, HEADER_COUNT };

static const struct text header_names[] = {
    [HEADER_HOST] = {"Host", 4},
};

enum { HEADER_NAME_SIZE = 16 }; /* bytes: more than any of them has */

/* The header lines of a request. */
struct headers {
    struct buffer values[HEADER_COUNT]; /* those of several lines joined (RFC 9110 5.3) */
    size_t lines[HEADER_COUNT];         /* how many there are of each */
    char name[HEADER_NAME_SIZE];        /* of the current line; cut if it is longer */
    size_t name_length;
    bool in_value;       /* of the current line */
    uint64_t value_end;  /* where in what was read the value has come to */
    enum header current; /* which the line is; HEADER_COUNT: none of these */
    bool complete;       /* what comes now is trailers, which do not count */
};

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
    http_parser parser;
    struct buffer target;
    struct headers headers;
    struct buffer body;
    struct rest rest;       /* of a long reply */
    unsigned int refused;   /* the status, once a callback has refused the request */
    const char *fault;      /* why */
    struct buffer *replies; /* while reading */
    const char *bytes;      /* while reading: what is read */
    uint64_t n_before;      /* bytes read before these */
    struct stream_result result;
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
    reply->etag = (struct text){0};
    reply->rest = NULL;
    return reply;
}

static void drop_rest(struct http_reply *reply)
{
    producer_free(reply->rest);
    reply->rest = NULL;
}

/* Makes the first piece of a long body, which then may turn out to be the only one, and a 500 of
 * what could not be made. */
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

/* Whether the current request is of a version before HTTP/1.1. */
static bool is_http_1_0(const struct state *state)
{
    return state->parser.http_major < 1 ||
           (state->parser.http_major == 1 && state->parser.http_minor == 0);
}

/* A chunk without bytes would be the last one. */
static void add_chunk(struct buffer *out, const struct buffer *piece)
{
    if (piece->length == 0)
        return;
    buffer_printf(out, "%zx\r\n", piece->length);
    buffer_add(out, piece->data, piece->length);
    buffer_add_string(out, "\r\n");
}

static void add_piece(struct buffer *out, const struct buffer *piece, bool chunked)
{
    if (chunked)
        add_chunk(out, piece);
    else
        buffer_add(out, piece->data, piece->length);
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

/* Appends the body of the current reply; the rest of a long one is the connection's from now on. */
static void add_body(struct state *state)
{
    struct http_reply *reply = &state->service->reply;
    bool chunked = !is_http_1_0(state);

    add_piece(state->replies, &reply->body, reply->rest && chunked);
    if (!reply->rest)
        return;
    state->rest = (struct rest){
        .producer = {.more = rest_more, .free = rest_free},
        .body = reply->rest,
        .chunked = chunked,
    };
    state->result.producer = &state->rest.producer;
    reply->rest = NULL;
}

static void add_content_headers(const struct http_reply *reply, struct buffer *out, bool chunked)
{
    buffer_printf(out, "Content-Type: %s\r\n", reply->content_type);
    if (!reply->rest)
        buffer_printf(out, "Content-Length: %zu\r\n", reply->body.length);
    else if (chunked)
        buffer_add_string(out, "Transfer-Encoding: chunked\r\n");
}

/* Appends the service's current reply to what is sent. Before HTTP/1.1 a long body ends with the
 * connection (RFC 9112 6.3). */
static void add_reply(struct state *state, bool with_body)
{
    struct http_reply *reply = &state->service->reply;
    struct buffer *out = state->replies;

    settle_body(reply);
    if (state->result.outcome == STREAM_ANSWERED && reply->rest && is_http_1_0(state))
        state->result.outcome = STREAM_CLOSE;
    buffer_printf(out, "HTTP/1.1 %u %s\r\n", reply->status, reason_phrase(reply->status));
    add_content_headers(reply, out, !is_http_1_0(state));
    if (reply->etag.length)
        buffer_printf(out, "ETag: \"%.*s\"\r\n", (int)reply->etag.length, reply->etag.data);
    if (reply->allow)
        buffer_printf(out, "Allow: %s\r\n", reply->allow);
    if (state->result.outcome != STREAM_ANSWERED)
        buffer_add_string(out, "Connection: close\r\n");
    buffer_add_string(out, "\r\n");
    if (with_body)
        add_body(state);
    drop_rest(reply);
}

static void headers_clear(struct headers *headers)
{
    for (size_t i = 0; i < HEADER_COUNT; i++) {
        buffer_clear(&headers->values[i]);
        headers->lines[i] = 0;
    }
    headers->name_length = 0;
    headers->in_value = false;
    headers->complete = false;
}

static void headers_deinit(struct headers *headers)
{
    for (size_t i = 0; i < HEADER_COUNT; i++)
        buffer_deinit(&headers->values[i]);
}

static bool headers_failed(const struct headers *headers)
{
    for (size_t i = 0; i < HEADER_COUNT; i++)
        if (headers->values[i].failed)
            return true;
    return false;
}

/* The value of a header without the white space around it; empty if the request has none. */
static struct text headers_value(const struct headers *headers, enum header header)
{
    const struct buffer *buffer = &headers->values[header];
    struct text value = {buffer->data, buffer->length};

    while (value.length && strchr(" \t", value.data[value.length - 1]))
        value.length--;
    while (value.length && strchr(" \t", *value.data))
        value = text_after(value, 1);
    return value;
}

/* Begins the value of the header whose name is complete. */
static void headers_begin_value(struct headers *headers)
{
    headers->in_value = true;
    headers->current = 0;
    while (headers->current < HEADER_COUNT &&
           (header_names[headers->current].length != headers->name_length ||
            strncasecmp(header_names[headers->current].data, headers->name, headers->name_length) !=
                0))
        headers->current++;
    if (headers->current < HEADER_COUNT && headers->lines[headers->current]++ > 0)
        buffer_add_string(&headers->values[headers->current], ", ");
}

/* The parser's callbacks: a result other than 0 stops it. */

static const char body_too_large[] = "found a larger body, expected at most 65536 bytes";

static int on_message_begin(http_parser *parser)
{
    struct state *state = parser->data;

    buffer_clear(&state->target);
    buffer_clear(&state->body);
    headers_clear(&state->headers);
    return 0;
}

static int on_url(http_parser *parser, const char *at, size_t length)
{
    struct state *state = parser->data;

    buffer_add(&state->target, at, length);
    return 0;
}

static int on_header_field(http_parser *parser, const char *at, size_t length)
{
    struct headers *headers = &((struct state *)parser->data)->headers;

    if (headers->in_value)
        headers->name_length = 0;
    headers->in_value = false;
    if (length > HEADER_NAME_SIZE - headers->name_length)
        length = HEADER_NAME_SIZE - headers->name_length;
    memcpy(headers->name + headers->name_length, at, length);
    headers->name_length += length;
    return 0;
}

/* A value comes in the pieces that were read. One that goes on elsewhere than it came to is folded
 * over lines, which is to be refused as what is not HTTP (RFC 9112 5.2): the parser would join what
 * was apart. */
static int on_header_value(http_parser *parser, const char *at, size_t length)
{
    struct state *state = parser->data;
    struct headers *headers = &state->headers;
    uint64_t start = state->n_before + (uint64_t)(at - state->bytes);

    if (headers->in_value && start != headers->value_end)
        return -1;
    headers->value_end = start + length;
    if (headers->complete)
        return 0;
    if (!headers->in_value)
        headers_begin_value(headers);
    if (headers->current < HEADER_COUNT)
        buffer_add(&headers->values[headers->current], at, length);
    return 0;
}

static void refuse_with(struct state *state, unsigned int status, const char *fault)
{
    state->refused = status;
    state->fault = fault;
}

/* Checks that there is one Host field; before HTTP/1.1 there may be none (RFC 9112 3.2). */
static void check_host(struct state *state)
{
    size_t lines = state->headers.lines[HEADER_HOST];

    if (lines > 1)
        refuse_with(state, HTTP_STATUS_BAD_REQUEST, "found several Host fields, expected one");
    else if (lines == 0 && !is_http_1_0(state))
        refuse_with(state, HTTP_STATUS_BAD_REQUEST, "found no Host field, expected one");
}

static int on_headers_complete(http_parser *parser)
{
    struct state *state = parser->data;

    state->headers.complete = true;
    check_host(state);
    if (parser->content_length != UINT64_MAX && parser->content_length > HTTP_BODY_MAX)
        refuse_with(state, HTTP_STATUS_PAYLOAD_TOO_LARGE, body_too_large);
    /* An offer of another protocol is not taken up (RFC 9110 7.8): what follows is HTTP. */
    parser->upgrade = 0;
    return state->refused ? -1 : 0;
}

static int on_body(http_parser *parser, const char *at, size_t length)
{
    struct state *state = parser->data;

    if (length > HTTP_BODY_MAX - state->body.length) {
        refuse_with(state, HTTP_STATUS_PAYLOAD_TOO_LARGE, body_too_large);
        return -1;
    }
    buffer_add(&state->body, at, length);
    return 0;
}

/* Takes scheme and authority, which count more than the Host field, off an absolute target
 * (RFC 9112 3.2.2). */
static void split_target(struct http_request *request)
{
    struct text rest = request->target;
    size_t length = 0;

    if (rest.length < 7 || strncasecmp(rest.data, "http://", 7) != 0)
        return;
    rest = text_after(rest, 7);
    while (length < rest.length && !strchr("/?", rest.data[length]))
        length++;
    request->host = (struct text){rest.data, length};
    request->target = length < rest.length ? text_after(rest, length) : TEXT("/");
}

/* Lets the handler answer a request. */
static void answer(struct state *state, struct http_reply *reply)
{
    const struct http_service *service = state->service;
    struct http_request request = {
        .verb = state->parser.method,
        .target = {.data = state->target.data, .length = state->target.length},
        .host = headers_value(&state->headers, HEADER_HOST),
        .body = {.data = state->body.data, .length = state->body.length},
    };

    split_target(&request);
    service->handler.answer(service->handler.context, &request, reply);
    log_debug("http: %s %.*s %.*s -> %u %.*s", http_method_str(request.verb),
              (int)state->target.length, state->target.data, (int)request.body.length,
              request.body.data, reply->status, (int)reply->body.length, reply->body.data);
}

static int on_message_complete(http_parser *parser)
{
    struct state *state = parser->data;
    struct http_service *service = state->service;
    struct http_reply *reply = begin_reply(service, HTTP_STATUS_OK);

    state->result.outcome = STREAM_CLOSE;
    if (service->keepalive && http_should_keep_alive(parser))
        state->result.outcome = STREAM_ANSWERED;
    if (state->target.failed || state->body.failed || headers_failed(&state->headers))
        reply->body.failed = true;
    else
        answer(state, reply);
    /* The reply to HEAD is the head alone (RFC 9110 9.3.2). */
    add_reply(state, parser->method != HTTP_HEAD);
    http_parser_pause(parser, 1);
    return 0;
}

static const http_parser_settings parser_settings = {
    .on_message_begin = on_message_begin,
    .on_url = on_url,
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
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

    if (state->refused) {
        status = state->refused;
        fault = state->fault;
    } else if (HTTP_PARSER_ERRNO(&state->parser) == HPE_HEADER_OVERFLOW) {
        status = HTTP_STATUS_REQUEST_HEADER_FIELDS_TOO_LARGE;
        fault = "found larger headers, expected at most 16384 bytes";
    }
    state->result.outcome = STREAM_CLOSE_UNREAD;
    service->handler.refuse(service->handler.context, fault, begin_reply(service, status));
    add_reply(state, !state->refused || state->parser.method != HTTP_HEAD);
}

static void begin(void *connection, void *context)
{
    struct state *state = connection;

    state->service = context;
    http_parser_init(&state->parser, HTTP_REQUEST);
    state->parser.data = state;
}

static struct stream_result read_request(void *connection, struct text bytes,
                                         struct buffer *replies)
{
    struct state *state = connection;
    size_t parsed;

    state->result = (struct stream_result){0};
    state->replies = replies;
    state->bytes = bytes.data;
    http_parser_pause(&state->parser, 0);
    parsed = http_parser_execute(&state->parser, &parser_settings, bytes.data, bytes.length);
    state->n_before += parsed;
    state->result.n_read = parsed;
    if (HTTP_PARSER_ERRNO(&state->parser) != HPE_OK &&
        HTTP_PARSER_ERRNO(&state->parser) != HPE_PAUSED)
        refuse(state);
    return state->result;
}

static void end(void *connection)
{
    struct state *state = connection;

    buffer_deinit(&state->target);
    headers_deinit(&state->headers);
    buffer_deinit(&state->body);
}

const struct stream_protocol http_protocol = {
    .state_size = sizeof(struct state),
    .begin = begin,
    .read = read_request,
    .end = end,
};
