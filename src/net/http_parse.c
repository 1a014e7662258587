#include "net/http_parse.h"

#include "net/http_library.h"

#include <assert.h>

static_assert(sizeof(http_library) <= HTTP_PARSE_LIBRARY_SIZE, "there is room for the library");

static http_library *library_of(struct http_parse *parse)
{
    return (http_library *)parse->library;
}

/* Takes bytes outside of the data of bodies, up to END. Returns 0, or why the request is refused.
 */
static enum http_parsed take_framing(struct http_parse *parse, const char *end)
{
    struct buffer *buffer = parse->has_head ? &parse->around : &parse->head_text;
    size_t n = (size_t)(end - parse->taken);

    if (n > HTTP_HEADER_MAX - buffer->length)
        return HTTP_PARSED_HEADER_TOO_LARGE;
    buffer_add(buffer, parse->taken, n);
    parse->taken = end;
    return buffer->failed ? HTTP_PARSED_NO_MEMORY : HTTP_PARSED_INCOMPLETE;
}

/* Whether what is around the data of a body is sound: nothing, unless it is chunked. */
static bool is_around_sound(const struct http_parse *parse, bool is_last)
{
    struct text text = buffer_text(&parse->around);

    if (!parse->head.is_chunked)
        return text.length == 0;
    if (text.length == 0) /* the same chunk goes on */
        return !is_last;
    return http_chunk_is_sound(text, parse->body.length == 0, is_last);
}

/* The library's callbacks follow: a result other than 0 stops it. */

static int on_headers_complete(http_library *library)
{
    struct http_parse *parse = library->data;

    parse->at_head_end = true;
    /* An offer of another protocol is not taken up (RFC 9110 7.8): what follows is HTTP. */
    library->upgrade = 0;
    return http_library_pause(library);
}

static int on_body(http_library *library, const char *at, size_t length)
{
    struct http_parse *parse = library->data;

    parse->fault = take_framing(parse, at);
    if (!parse->fault && !is_around_sound(parse, false))
        parse->fault = HTTP_PARSED_MALFORMED;
    if (!parse->fault && length > HTTP_BODY_MAX - parse->body.length)
        parse->fault = HTTP_PARSED_BODY_TOO_LARGE;
    if (parse->fault)
        return -1;
    buffer_clear(&parse->around);
    buffer_add(&parse->body, at, length);
    parse->fault = parse->body.failed ? HTTP_PARSED_NO_MEMORY : HTTP_PARSED_INCOMPLETE;
    parse->taken = at + length;
    return parse->fault ? -1 : 0;
}

static int on_message_complete(http_library *library)
{
    struct http_parse *parse = library->data;

    parse->complete = true;
    return -1;
}

static const http_library_callbacks callbacks = {
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

/* Judges the head, which is complete. Returns 0, or why the request is refused. A method that one
 * library alone knows is refused, as the other does. */
static enum http_parsed judge_head(struct http_parse *parse)
{
    struct http_head *head = &parse->head;

    if (!http_head_read(buffer_text(&parse->head_text), head) ||
        library_of(parse)->method > HTTP_SOURCE)
        return HTTP_PARSED_MALFORMED;
    parse->has_head = true;
    parse->request.verb = head->verb;
    if (head->body_length > HTTP_BODY_MAX)
        return HTTP_PARSED_BODY_TOO_LARGE;
    if (head->n_hosts > 1)
        return HTTP_PARSED_SEVERAL_HOSTS;
    if (head->n_hosts == 0 && !head->is_1_0)
        return HTTP_PARSED_NO_HOST;
    return HTTP_PARSED_INCOMPLETE;
}

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

static void begin_request(struct http_parse *parse)
{
    *parse = (struct http_parse){
        .head_text = parse->head_text, .around = parse->around, .body = parse->body};
    buffer_clear(&parse->head_text);
    buffer_clear(&parse->around);
    buffer_clear(&parse->body);
    http_library_init(library_of(parse), &callbacks, parse);
}

static enum http_parsed end_request(struct http_parse *parse)
{
    const struct http_head *head = &parse->head;

    if (!is_around_sound(parse, true))
        return HTTP_PARSED_MALFORMED;
    parse->request = (struct http_request){
        .verb = head->verb,
        .method = head->method,
        .target = head->target,
        .host = head->host,
        .if_none_match = head->if_none_match,
        .body = buffer_text(&parse->body),
        .is_1_0 = head->is_1_0,
        .keepalive = head->keepalive,
    };
    split_target(&parse->request);
    return HTTP_PARSED_COMPLETE;
}

void http_parse_init(struct http_parse *parse)
{
    *parse = (struct http_parse){0};
    begin_request(parse);
}

void http_parse_deinit(struct http_parse *parse)
{
    buffer_deinit(&parse->head_text);
    buffer_deinit(&parse->around);
    buffer_deinit(&parse->body);
}

enum http_parsed http_parse_read(struct http_parse *parse, struct text bytes, size_t *n_read)
{
    http_library *library = library_of(parse);
    enum http_parsed fault;

    if (parse->complete)
        begin_request(parse);
    *n_read = 0;
    do {
        parse->at_head_end = false;
        parse->taken = bytes.data + *n_read;
        *n_read += http_library_read(library, &callbacks, text_after(bytes, *n_read));
        fault = parse->fault ? parse->fault : take_framing(parse, bytes.data + *n_read);
        if (!fault && parse->at_head_end)
            fault = judge_head(parse);
        if (fault)
            return fault;
    } while (parse->at_head_end && !parse->head.expects_continue);
    if (parse->at_head_end)
        return HTTP_PARSED_CONTINUE;
    if (parse->complete)
        return end_request(parse);
    return http_library_has_refused(library) ? HTTP_PARSED_MALFORMED : HTTP_PARSED_INCOMPLETE;
}
