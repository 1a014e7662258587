#include "net/http_head.h"

#include "base/number.h"

enum {
    CHUNK_SIZE_DIGITS_MAX = 15, /* with more, one library counts and the other refuses */
};

/* The fields that matter here. */
enum field {
    FIELD_HOST,
    FIELD_EXPECT,
    FIELD_CONTENT_LENGTH,
    FIELD_TRANSFER_ENCODING,
    FIELD_CONNECTION,
    FIELD_IF_NONE_MATCH,
    FIELD_COUNT, /* all others */
};

static const struct text field_names[FIELD_COUNT] = {
    [FIELD_HOST] = {"Host", 4},
    [FIELD_EXPECT] = {"Expect", 6},
    [FIELD_CONTENT_LENGTH] = {"Content-Length", 14},
    [FIELD_TRANSFER_ENCODING] = {"Transfer-Encoding", 17},
    [FIELD_CONNECTION] = {"Connection", 10},
    [FIELD_IF_NONE_MATCH] = {"If-None-Match", 13},
};

static const struct text verb_names[] = {
    [HTTP_VERB_GET] = {"GET", 3},     [HTTP_VERB_HEAD] = {"HEAD", 4},
    [HTTP_VERB_POST] = {"POST", 4},   [HTTP_VERB_PUT] = {"PUT", 3},
    [HTTP_VERB_PATCH] = {"PATCH", 5}, [HTTP_VERB_DELETE] = {"DELETE", 6},
};

/* The fields of a head. */
struct fields {
    struct {
        size_t lines;
        struct text value; /* of the last line */
    } of[FIELD_COUNT];
    bool close, keep_alive; /* options that Connection fields name */
};

/* As text_take. Returns whether there was a separator. */
static bool take_until(struct text *from, char separator, struct text *out)
{
    size_t n = from->length;

    *out = text_take(from, separator);
    return out->length < n;
}

/* Takes a line. It ends in CRLF and has no other CR or LF, as others could end it there. */
static bool take_line(struct text *rest, struct text *line)
{
    if (!take_until(rest, '\n', line) || line->length == 0)
        return false;
    line->length--;
    return line->data[line->length] == '\r' && !memchr(line->data, '\r', line->length);
}

/* RFC 9110 5.6.2. */
static bool is_token(struct text text)
{
    return text.length && text_span(text, "!#$%&'*+-.^_`|~") == text.length;
}

/* Whether there are no control characters but tabs (RFC 9110 5.5). */
static bool is_field_value(struct text text)
{
    bool good = true;

    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.data[i];

        good &= (c >= ' ' && c != 127) | (c == '\t');
    }
    return good;
}

/* Whether there is something, and nothing but visible ASCII (RFC 3986 2). http_parser refuses a
 * scheme alone. */
static bool is_target(struct text text)
{
    bool good = text.length;

    for (size_t i = 0; i < text.length; i++)
        good &= text.data[i] > ' ' && text.data[i] < 127;
    return good && (text.data[0] == '/' || text.length < 3 ||
                    memcmp(text.data + text.length - 3, "://", 3) != 0);
}

static enum http_verb verb_from(struct text method)
{
    enum http_verb verb = ARRAY_LENGTH(verb_names) - 1;

    while (verb != HTTP_VERB_OTHER && !text_equals(method, verb_names[verb]))
        verb--;
    return verb;
}

/* Reads the request line (RFC 9112 3), without lenience. Libraries know other protocols, too. */
static bool read_request_line(struct text line, struct http_head *head)
{
    if (!take_until(&line, ' ', &head->method) || !take_until(&line, ' ', &head->target))
        return false;
    head->verb = verb_from(head->method);
    head->is_1_0 = text_equals(line, TEXT("HTTP/1.0"));
    return is_target(head->target) && (head->is_1_0 || text_equals(line, TEXT("HTTP/1.1")));
}

/* Reads a field line (RFC 9112 5). A line that goes on with the value of the one before begins with
 * a blank, so it has no name. */
static bool read_field(struct text line, enum field *field, struct text *value)
{
    struct text name;

    if (!take_until(&line, ':', &name) || !is_token(name) || !is_field_value(line))
        return false;
    *value = text_trim(line, TEXT(" \t"));
    for (*field = 0; *field < FIELD_COUNT; ++*field)
        if (text_equals_any_case(name, field_names[*field]))
            break;
    /* http_parser takes a longer name for this one. */
    return *field != FIELD_COUNT || !text_take_prefix(&name, field_names[FIELD_TRANSFER_ENCODING]);
}

static void read_connection(struct text value, struct fields *fields)
{
    while (value.length) {
        struct text option = text_trim(text_take(&value, ','), TEXT(" \t"));

        fields->close |= text_equals_any_case(option, TEXT("close"));
        fields->keep_alive |= text_equals_any_case(option, TEXT("keep-alive"));
    }
}

/* Reads field lines up to the empty one, with which the text ends. */
static bool read_fields(struct text text, struct fields *fields)
{
    struct text line, value;
    enum field field;

    for (;;) {
        if (!take_line(&text, &line))
            return false;
        if (line.length == 0)
            return text.length == 0;
        if (!read_field(line, &field, &value))
            return false;
        if (field == FIELD_COUNT)
            continue;
        fields->of[field].lines++;
        fields->of[field].value = value;
        if (field == FIELD_CONNECTION)
            read_connection(value, fields);
    }
}

/* Reads how long the body is, if one field alone says so, in a way that all versions and all
 * parsers understand (RFC 9112 6). */
static bool read_body_length(const struct fields *fields, struct http_head *head)
{
    size_t lengths = fields->of[FIELD_CONTENT_LENGTH].lines;
    size_t encodings = fields->of[FIELD_TRANSFER_ENCODING].lines;

    if (encodings) {
        head->is_chunked = true;
        return encodings == 1 && lengths == 0 && !head->is_1_0 &&
               text_equals_any_case(fields->of[FIELD_TRANSFER_ENCODING].value, TEXT("chunked"));
    }
    return lengths == 0 || (lengths == 1 && number_read(fields->of[FIELD_CONTENT_LENGTH].value,
                                                        INT64_MAX, &head->body_length));
}

bool http_head_read(struct text text, struct http_head *out)
{
    struct http_head head = {0};
    struct fields fields = {0};
    struct text line;

    while (text_starts_with(text, TEXT("\r\n")))
        text = text_after(text, 2);
    if (!take_line(&text, &line) || !read_request_line(line, &head) ||
        !read_fields(text, &fields) || !read_body_length(&fields, &head))
        return false;
    head.host = fields.of[FIELD_HOST].value;
    head.n_hosts = fields.of[FIELD_HOST].lines;
    head.if_none_match = fields.of[FIELD_IF_NONE_MATCH].value;
    head.keepalive = !fields.close && (fields.keep_alive || !head.is_1_0);
    head.expects_continue =
        (head.is_chunked || head.body_length) && !head.is_1_0 &&
        text_equals_any_case(fields.of[FIELD_EXPECT].value, TEXT("100-continue"));
    *out = head;
    return true;
}

/* A quoted string (RFC 9110 5.6.4) that escapes nothing. */
static bool is_quoted(struct text text)
{
    if (text.length < 2 || text.data[0] != '"' || text.data[text.length - 1] != '"')
        return false;
    text = text_of(text.data + 1, text.length - 2);
    return is_field_value(text) && !memchr(text.data, '"', text.length) &&
           !memchr(text.data, '\\', text.length);
}

/* The line before the data of a chunk (RFC 9112 7.1): its size, and extensions, which do not count.
 * Blanks around their parts are refused, as llhttp does, and so are semicolons in quotes. */
static bool is_chunk_line(struct text line)
{
    struct text size, extension, name;
    bool more = take_until(&line, ';', &size);

    if (size.length == 0 || size.length > CHUNK_SIZE_DIGITS_MAX)
        return false;
    for (size_t i = 0; i < size.length; i++)
        if (hex_digit_value(size.data[i]) < 0)
            return false;
    while (more) {
        bool has_value;

        more = take_until(&line, ';', &extension);
        has_value = take_until(&extension, '=', &name);
        if (!is_token(name) || (has_value && !is_token(extension) && !is_quoted(extension)))
            return false;
    }
    return true;
}

/* Trailers, up to the empty line that ends them. What counts in a head must not be among them
 * (RFC 9110 6.5.1). */
static bool are_trailers(struct text text)
{
    struct fields fields = {0};

    if (!read_fields(text, &fields))
        return false;
    for (enum field field = 0; field < FIELD_COUNT; field++)
        if (fields.of[field].lines)
            return false;
    return true;
}

bool http_chunk_is_sound(struct text text, bool is_first, bool is_last)
{
    struct text line;

    if (!is_first && !(take_line(&text, &line) && line.length == 0))
        return false;
    if (!take_line(&text, &line) || !is_chunk_line(line))
        return false;
    return is_last ? are_trailers(text) : text.length == 0;
}
