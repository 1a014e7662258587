#include "net/http_parse.h"

#include <assert.h>
#include <http_parser.h>

static_assert(sizeof(http_parser) <= HTTP_PARSE_LIBRARY_SIZE, "there is room for the library");

static const struct text host_name = {"Host", 4};

static http_parser *parser_of(struct http_parse *parse)
{
    return (http_parser *)parse->library;
}

/* The library's callbacks follow: a result other than 0 stops it. */

static int on_message_begin(http_parser *parser)
{
    struct http_parse *parse = parser->data;

    buffer_clear(&parse->target);
    buffer_clear(&parse->host);
    buffer_clear(&parse->body);
    parse->n_hosts = 0;
    parse->name_length = 0;
    parse->in_value = parse->is_trailer = false;
    return 0;
}

static int on_url(http_parser *parser, const char *at, size_t length)
{
    struct http_parse *parse = parser->data;

    buffer_add(&parse->target, at, length);
    return 0;
}

static int on_header_field(http_parser *parser, const char *at, size_t length)
{
    struct http_parse *parse = parser->data;

    if (parse->in_value)
        parse->name_length = 0;
    parse->in_value = false;
    if (length > sizeof(parse->name) - parse->name_length)
        length = sizeof(parse->name) - parse->name_length;
    memcpy(parse->name + parse->name_length, at, length);
    parse->name_length += length;
    return 0;
}

/* A value comes in the pieces that were read. One that goes on elsewhere than where the piece
 * before ended is folded over lines, which is refused (RFC 9112 5.2): the library would join what
 * was apart. */
static int on_header_value(http_parser *parser, const char *at, size_t length)
{
    struct http_parse *parse = parser->data;
    uint64_t start = parse->n_before + (uint64_t)(at - parse->bytes);
    bool begins = !parse->in_value;

    if (!begins && start != parse->value_end)
        return -1;
    parse->in_value = true;
    parse->value_end = start + length;
    if (parse->is_trailer || parse->name_length != host_name.length ||
        strncasecmp(parse->name, host_name.data, host_name.length) != 0)
        return 0;
    parse->n_hosts += begins;
    buffer_add(&parse->host, at, length);
    return 0;
}

static enum http_verb verb_from(unsigned int method)
{
    switch (method) {
    case HTTP_GET:
        return HTTP_VERB_GET;
    case HTTP_HEAD:
        return HTTP_VERB_HEAD;
    case HTTP_POST:
        return HTTP_VERB_POST;
    case HTTP_PUT:
        return HTTP_VERB_PUT;
    case HTTP_PATCH:
        return HTTP_VERB_PATCH;
    case HTTP_DELETE:
        return HTTP_VERB_DELETE;
    default:
        return HTTP_VERB_OTHER;
    }
}

static int on_headers_complete(http_parser *parser)
{
    struct http_parse *parse = parser->data;
    struct http_request *request = &parse->request;

    parse->is_trailer = true;
    request->verb = verb_from(parser->method);
    request->verb_name = http_method_str((enum http_method)parser->method);
    request->is_1_0 =
        parser->http_major < 1 || (parser->http_major == 1 && parser->http_minor == 0);
    if (parser->content_length != UINT64_MAX && parser->content_length > HTTP_BODY_MAX)
        parse->fault = HTTP_PARSED_BODY_TOO_LARGE;
    else if (parse->n_hosts > 1)
        parse->fault = HTTP_PARSED_SEVERAL_HOSTS;
    else if (parse->n_hosts == 0 && !request->is_1_0)
        parse->fault = HTTP_PARSED_NO_HOST;
    /* An offer of another protocol is not taken up (RFC 9110 7.8): what follows is HTTP. */
    parser->upgrade = 0;
    return parse->fault ? -1 : 0;
}

static int on_body(http_parser *parser, const char *at, size_t length)
{
    struct http_parse *parse = parser->data;

    if (length > HTTP_BODY_MAX - parse->body.length) {
        parse->fault = HTTP_PARSED_BODY_TOO_LARGE;
        return -1;
    }
    buffer_add(&parse->body, at, length);
    return 0;
}

static int on_message_complete(http_parser *parser)
{
    struct http_parse *parse = parser->data;

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

static struct text without_blanks(struct text value)
{
    while (value.length && strchr(" \t", value.data[value.length - 1]))
        value.length--;
    while (value.length && strchr(" \t", *value.data))
        value = text_after(value, 1);
    return value;
}

/* The length of "http://" or "https://", which compare without case, at the front of a text; 0 if
 * there is neither. */
static size_t scheme_length(struct text text)
{
    static const struct text schemes[] = {{"http://", 7}, {"https://", 8}};

    for (size_t i = 0; i < ARRAY_LENGTH(schemes); i++)
        if (text.length >= schemes[i].length &&
            strncasecmp(text.data, schemes[i].data, schemes[i].length) == 0)
            return schemes[i].length;
    return 0;
}

/* Takes scheme and authority, which count more than the Host field, off an absolute target
 * (RFC 9112 3.2.2). The scheme is that of the client, so "https" where a proxy in front terminates
 * TLS. */
static void split_target(struct http_request *request)
{
    size_t scheme = scheme_length(request->target), length = 0;
    struct text rest = text_after(request->target, scheme);

    if (scheme == 0)
        return;
    while (length < rest.length && !strchr("/?", rest.data[length]))
        length++;
    request->host = text_of(rest.data, length);
    request->target = length < rest.length ? text_after(rest, length) : TEXT("/");
}

static enum http_parsed complete(struct http_parse *parse)
{
    struct http_request *request = &parse->request;

    if (parse->target.failed || parse->host.failed || parse->body.failed)
        return HTTP_PARSED_NO_MEMORY;
    request->target = buffer_text(&parse->target);
    request->host = without_blanks(buffer_text(&parse->host));
    request->body = buffer_text(&parse->body);
    split_target(request);
    return HTTP_PARSED_COMPLETE;
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
    buffer_deinit(&parse->host);
    buffer_deinit(&parse->body);
}

enum http_parsed http_parse_read(struct http_parse *parse, struct text bytes, size_t *n_read)
{
    http_parser *parser = parser_of(parse);

    if (HTTP_PARSER_ERRNO(parser) == HPE_PAUSED) {
        parse->request = (struct http_request){0};
        http_parser_pause(parser, 0);
    }
    parse->bytes = bytes.data;
    *n_read = http_parser_execute(parser, &callbacks, bytes.data, bytes.length);
    parse->n_before += *n_read;
    switch (HTTP_PARSER_ERRNO(parser)) {
    case HPE_OK:
        return HTTP_PARSED_INCOMPLETE;
    case HPE_PAUSED:
        return complete(parse);
    case HPE_HEADER_OVERFLOW:
        return HTTP_PARSED_HEADER_TOO_LARGE;
    default:
        return parse->fault ? parse->fault : HTTP_PARSED_MALFORMED;
    }
}

void http_init(void)
{
    http_parser_set_max_header_size(HTTP_HEADER_MAX);
}
