#include "net/http_parse.h"

#include <assert.h>
#include <http_parser.h>

/* In place of the byte before: the data of a chunk has just ended. */
enum { CHUNK_END = 256 };

static_assert(sizeof(http_parser) <= HTTP_PARSE_LIBRARY_SIZE, "there is room for the library");

static const struct text header_names[HTTP_HEADER_COUNT] = {
    [HTTP_HEADER_HOST] = {"Host", 4},
    [HTTP_HEADER_EXPECT] = {"Expect", 6},
    [HTTP_HEADER_CONTENT_LENGTH] = {"Content-Length", 14},
    [HTTP_HEADER_TRANSFER_ENCODING] = {"Transfer-Encoding", 17},
};

static http_parser *parser_of(struct http_parse *parse)
{
    return (http_parser *)parse->library;
}

static struct text header_value(const struct http_parse *parse, enum http_header header)
{
    return text_trim(buffer_text(&parse->headers[header].value), " \t");
}

/* Whether a byte of framing must not follow another one: CR is followed by LF, and no line begins
 * with a blank, which would continue the one before (RFC 9112 2.2, 5.2). Without branches, so that
 * the compiler can take many at a time. */
static bool is_bad_pair(char first, char second)
{
    return ((first == '\r') & (second != '\n')) |
           ((first == '\n') & ((second == ' ') | (second == '\t')));
}

/* Whether bytes of framing, of which there is at least one, are as they must be after BEFORE. The
 * data of a chunk is followed by CRLF (RFC 9112 7.1). */
static bool is_framing_sound(int before, const char *bytes, size_t n)
{
    bool bad = before == CHUNK_END ? bytes[0] != '\r' : is_bad_pair((char)before, bytes[0]);

    for (size_t i = 1; i < n; i++)
        bad |= is_bad_pair(bytes[i - 1], bytes[i]);
    return !bad;
}

/* Checks the bytes of framing up to END. Returns 0, or why the request is refused. */
static enum http_parsed check_framing(struct http_parse *parse, const char *end)
{
    size_t n = (size_t)(end - parse->unchecked), left = HTTP_HEADER_MAX - parse->n_framing;
    size_t checked = n < left ? n : left;

    if (checked && !is_framing_sound(parse->before, parse->unchecked, checked))
        return HTTP_PARSED_MALFORMED;
    if (n > left)
        return HTTP_PARSED_HEADER_TOO_LARGE;
    if (n)
        parse->before = (unsigned char)end[-1];
    parse->unchecked = end;
    parse->n_framing += n;
    return HTTP_PARSED_INCOMPLETE;
}

/* The library's callbacks follow: a result other than 0 stops it. */

static int on_message_begin(http_parser *parser)
{
    struct http_parse *parse = parser->data;

    buffer_clear(&parse->target);
    buffer_clear(&parse->body);
    for (enum http_header header = 0; header < HTTP_HEADER_COUNT; header++) {
        buffer_clear(&parse->headers[header].value);
        parse->headers[header].lines = 0;
    }
    parse->name_length = 0;
    parse->in_value = parse->head_complete = false;
    return 0;
}

static int on_url(http_parser *parser, const char *at, size_t length)
{
    struct http_parse *parse = parser->data;

    buffer_add(&parse->target, at, length);
    return 0;
}

/* A header's name is a token (RFC 9110 5.6.2). */
static int on_header_field(http_parser *parser, const char *at, size_t length)
{
    struct http_parse *parse = parser->data;
    size_t token = text_span(text_of(at, length), "!#$%&'*+-.^_`|~");

    if (parse->in_value)
        parse->name_length = 0;
    parse->in_value = false;
    if (token < length) {
        parse->fault = HTTP_PARSED_MALFORMED;
        parse->fault_at = at + token;
        return -1;
    }
    for (size_t i = 0; i < length && parse->name_length < sizeof(parse->name); i++)
        parse->name[parse->name_length++] = at[i];
    return 0;
}

/* A value comes in the pieces that were read. */
static int on_header_value(http_parser *parser, const char *at, size_t length)
{
    struct http_parse *parse = parser->data;
    struct text name = text_of(parse->name, parse->name_length);

    if (parse->head_complete)
        return 0;
    if (!parse->in_value) {
        parse->in_value = true;
        parse->header = 0;
        while (parse->header < HTTP_HEADER_COUNT &&
               !text_equals_any_case(name, header_names[parse->header]))
            parse->header++;
        if (parse->header < HTTP_HEADER_COUNT)
            parse->headers[parse->header].lines++;
    }
    if (parse->header < HTTP_HEADER_COUNT)
        buffer_add(&parse->headers[parse->header].value, at, length);
    return 0;
}

static enum http_verb verb_from(unsigned int method)
{
    static const enum http_verb verbs[] = {
        [HTTP_GET] = HTTP_VERB_GET,   [HTTP_HEAD] = HTTP_VERB_HEAD,
        [HTTP_POST] = HTTP_VERB_POST, [HTTP_PATCH] = HTTP_VERB_PATCH,
        [HTTP_PUT] = HTTP_VERB_PUT,   [HTTP_DELETE] = HTTP_VERB_DELETE,
    };

    return method < ARRAY_LENGTH(verbs) ? verbs[method] : HTTP_VERB_OTHER;
}

/* Whether one header alone says how long the body is, in a way that all versions and all parsers
 * understand (RFC 9112 6). */
static bool is_length_clear(const struct http_parse *parse)
{
    size_t lengths = parse->headers[HTTP_HEADER_CONTENT_LENGTH].lines;
    size_t encodings = parse->headers[HTTP_HEADER_TRANSFER_ENCODING].lines;

    if (encodings == 0)
        return lengths <= 1;
    return encodings == 1 && lengths == 0 && !parse->request.is_1_0 &&
           text_equals_any_case(header_value(parse, HTTP_HEADER_TRANSFER_ENCODING),
                                TEXT("chunked"));
}

static enum http_parsed judge_head(const struct http_parse *parse, uint64_t body_length)
{
    size_t hosts = parse->headers[HTTP_HEADER_HOST].lines;

    if (!is_length_clear(parse))
        return HTTP_PARSED_MALFORMED;
    if (body_length != UINT64_MAX && body_length > HTTP_BODY_MAX)
        return HTTP_PARSED_BODY_TOO_LARGE;
    if (hosts > 1)
        return HTTP_PARSED_SEVERAL_HOSTS;
    if (hosts == 0 && !parse->request.is_1_0)
        return HTTP_PARSED_NO_HOST;
    return HTTP_PARSED_INCOMPLETE;
}

static int on_headers_complete(http_parser *parser)
{
    struct http_parse *parse = parser->data;
    struct http_request *request = &parse->request;
    bool has_body = parse->headers[HTTP_HEADER_TRANSFER_ENCODING].lines ||
                    (parser->content_length && parser->content_length != UINT64_MAX);

    parse->head_complete = true;
    request->verb = verb_from(parser->method);
    request->verb_name = http_method_str((enum http_method)parser->method);
    request->is_1_0 =
        parser->http_major < 1 || (parser->http_major == 1 && parser->http_minor == 0);
    parse->fault = judge_head(parse, parser->content_length);
    /* An offer of another protocol is not taken up (RFC 9110 7.8): what follows is HTTP. */
    parser->upgrade = 0;
    if (has_body && !request->is_1_0 &&
        text_equals_any_case(header_value(parse, HTTP_HEADER_EXPECT), TEXT("100-continue")))
        http_parser_pause(parser, 1);
    return parse->fault ? -1 : 0;
}

static int on_body(http_parser *parser, const char *at, size_t length)
{
    struct http_parse *parse = parser->data;
    bool chunked = parse->headers[HTTP_HEADER_TRANSFER_ENCODING].lines > 0;

    parse->fault = check_framing(parse, at);
    if (!parse->fault && length > HTTP_BODY_MAX - parse->body.length)
        parse->fault = HTTP_PARSED_BODY_TOO_LARGE;
    if (parse->fault) {
        parse->fault_at = at;
        return -1;
    }
    buffer_add(&parse->body, at, length);
    parse->unchecked = at + length;
    parse->before = chunked && parser->content_length == 0 ? CHUNK_END : 0;
    parse->n_framing = 0;
    return 0;
}

static int on_message_complete(http_parser *parser)
{
    struct http_parse *parse = parser->data;

    parse->complete = true;
    parse->request.keepalive = http_should_keep_alive(parser);
    http_parser_pause(parser, 1);
    return 0;
}

static const http_parser_settings callbacks = {
    .on_message_begin = on_message_begin,
    .on_url = on_url,
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

/* Takes scheme and authority, which count more than the Host field, off an absolute target
 * (RFC 9112 3.2.2). The scheme is that of the client, so "https" where a proxy in front terminates
 * TLS. */
static void split_target(struct http_request *request)
{
    struct text rest = request->target;
    size_t length = 0;

    if (!text_take_prefix(&rest, TEXT("http://")) && !text_take_prefix(&rest, TEXT("https://")))
        return;
    while (length < rest.length && !strchr("/?", rest.data[length]))
        length++;
    request->host = text_of(rest.data, length);
    request->target = length < rest.length ? text_after(rest, length) : TEXT("/");
}

static enum http_parsed end_request(struct http_parse *parse)
{
    struct http_request *request = &parse->request;

    parse->n_framing = 0;
    parse->before = 0;
    if (parse->target.failed || parse->headers[HTTP_HEADER_HOST].value.failed || parse->body.failed)
        return HTTP_PARSED_NO_MEMORY;
    request->target = buffer_text(&parse->target);
    request->host = header_value(parse, HTTP_HEADER_HOST);
    request->body = buffer_text(&parse->body);
    split_target(request);
    return HTTP_PARSED_COMPLETE;
}

const char *http_parse_phrase(unsigned int status)
{
    return http_status_str((enum http_status)status);
}

void http_parse_init(struct http_parse *parse)
{
    *parse = (struct http_parse){0};
    http_parser_init(parser_of(parse), HTTP_REQUEST);
    parser_of(parse)->data = parse;
}

void http_parse_deinit(struct http_parse *parse)
{
    buffer_deinit(&parse->target);
    buffer_deinit(&parse->body);
    for (enum http_header header = 0; header < HTTP_HEADER_COUNT; header++)
        buffer_deinit(&parse->headers[header].value);
}

enum http_parsed http_parse_read(struct http_parse *parse, struct text bytes, size_t *n_read)
{
    http_parser *parser = parser_of(parse);
    enum http_parsed fault;

    if (parse->complete) {
        parse->complete = false;
        parse->request = (struct http_request){0};
    }
    if (HTTP_PARSER_ERRNO(parser) == HPE_PAUSED)
        http_parser_pause(parser, 0);
    parse->unchecked = bytes.data;
    *n_read = http_parser_execute(parser, &callbacks, bytes.data, bytes.length);
    fault = check_framing(parse, parse->fault_at ? parse->fault_at : bytes.data + *n_read);
    if (fault)
        return fault;
    if (HTTP_PARSER_ERRNO(parser) == HPE_OK)
        return HTTP_PARSED_INCOMPLETE;
    if (HTTP_PARSER_ERRNO(parser) != HPE_PAUSED)
        return parse->fault ? parse->fault : HTTP_PARSED_MALFORMED;
    return parse->complete ? end_request(parse) : HTTP_PARSED_CONTINUE;
}
