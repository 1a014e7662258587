#include "protocol/request.h"

#include "protocol/jansson_alloc.h"
#include "protocol/method.h"
#include "protocol/request_json.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>

/* What is expected where a request is malformed. */
static const char EXPECTED_METHOD[] = "a method after the path prefix";
static const char EXPECTED_ESCAPE[] = "two hexadecimal digits after %";
static const char EXPECTED_JSON[] = "a JSON object";
static const char EXPECTED_JSON_METHOD[] = "a string 'method'";
static const char EXPECTED_JSON_PARAMETERS[] = "an object 'parameters'";

enum kind { KIND_TEXT, KIND_NUMBER, KIND_ANY };

static const struct {
    const char *name;
    const char *expected;
    enum kind kind;
} parameters[] = {
    [PARAMETER_QNAME] = {"qname", "a name as qname", KIND_TEXT},
    [PARAMETER_QTYPE] = {"qtype", "a record type as qtype", KIND_TEXT},
    [PARAMETER_ID] = {"id", "a number as id", KIND_NUMBER},
    /* Zones are found by their names; this one only stands before. */
    [PARAMETER_DOMAIN_ID] = {"domain_id", "a number as domain_id", KIND_ANY},
    [PARAMETER_ZONENAME] = {"zonename", "a name as zonename", KIND_TEXT},
    [PARAMETER_NAME] = {"name", "a name as name", KIND_TEXT},
    [PARAMETER_SERIAL] = {"serial", "a number as serial", KIND_NUMBER},
    [PARAMETER_QUERY] = {"query", "a command as query", KIND_TEXT},
    [PARAMETER_PATTERN] = {"pattern", "a pattern as pattern", KIND_TEXT},
    [PARAMETER_MAX_RESULTS] = {"maxResults", "a number as maxResults", KIND_NUMBER},
};

void request_deinit(struct request *request)
{
    json_decref(request->json);
    free(request->decoded);
    *request = REQUEST_INIT;
}

static int malformed(struct request *request, const char *expected)
{
    request->fault = expected;
    return REQUEST_MALFORMED;
}

/* Reads a number of 32 bits. PowerDNS 4.7 sends serials as floating-point numbers, "8.000000". */
static bool read_number(struct text text, uint32_t *out)
{
    uint64_t number = 0;
    size_t i = 0;

    for (; i < text.length && text.data[i] >= '0' && text.data[i] <= '9'; i++) {
        number = number * 10 + (uint64_t)(text.data[i] - '0');
        if (number > UINT32_MAX)
            return false;
    }
    if (i == 0 || (i < text.length && text.data[i] != '.'))
        return false;
    while (++i < text.length)
        if (text.data[i] != '0')
            return false;
    *out = (uint32_t)number;
    return true;
}

static int check_parameter(struct request *request, enum parameter parameter)
{
    struct text text = request->parameters[parameter];

    if (text.length == 0 || (parameters[parameter].kind == KIND_NUMBER &&
                             !read_number(text, &request->numbers[parameter])))
        return malformed(request, parameters[parameter].expected);
    return 0;
}

/* The parameters of a method by number: the components, then the fields; PARAMETER_COUNT behind
 * them. */
static enum parameter method_parameter(const struct method *method, size_t number)
{
    size_t n = 0;

    while (method->components[n] != PARAMETER_COUNT)
        n++;
    return number < n ? method->components[number] : method->fields[number - n];
}

/* Whether the method's parameters are all there. */
static int check_parameters(struct request *request)
{
    enum parameter parameter;
    int r = 0;

    if (!request->method)
        return 0;
    for (size_t i = 0; r == 0; i++) {
        parameter = method_parameter(request->method, i);
        if (parameter == PARAMETER_COUNT)
            break;
        r = check_parameter(request, parameter);
    }
    return r;
}

/* Takes what stands before a separator off the front of a text, and the separator. */
static struct text take_until(struct text *rest, char separator)
{
    const char *end = memchr(rest->data, separator, rest->length);
    struct text taken = *rest;

    if (end)
        taken.length = (size_t)(end - rest->data);
    *rest = text_after(*rest, taken.length + (end ? 1 : 0));
    return taken;
}

static int hexadecimal_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Decodes "%xx" (RFC 3986 2.1), and in a form "+" for a space, to TO, which has room for the whole
 * text. Returns whether all escapes are right. */
static bool percent_decode(struct text text, bool form, char *to, struct text *out)
{
    size_t n = 0;

    for (size_t i = 0; i < text.length; i++) {
        int high, low;

        if (text.data[i] != '%') {
            to[n++] = text.data[i];
            if (form && text.data[i] == '+')
                to[n - 1] = ' ';
            continue;
        }
        if (text.length - i < 3)
            return false;
        high = hexadecimal_value(text.data[i + 1]);
        low = hexadecimal_value(text.data[i + 2]);
        if (high < 0 || low < 0)
            return false;
        to[n++] = (char)(high << 4 | low);
        i += 2;
    }
    *out = (struct text){.data = to, .length = n};
    return true;
}

/* Drops a url-suffix: what PowerDNS encodes is letters, digits and escapes; '-' and '_' are let
 * through for components typed by hand. */
static struct text without_suffix(struct text component)
{
    size_t n = 0;

    while (n < component.length) {
        unsigned char c = (unsigned char)component.data[n];

        if (!isalnum(c) && c != '%' && c != '-' && c != '_')
            break;
        n++;
    }
    component.length = n;
    return component;
}

/* Takes the method off the front of a path. */
static int take_method(struct request *request, struct text *path)
{
    struct text name = take_until(path, '/');

    if (path->length == 0)
        name = without_suffix(name);
    if (name.length == 0)
        return malformed(request, EXPECTED_METHOD);
    request->method = method_find(name);
    return 0;
}

/* Where the query string begins, nothing is left that this service needs. */
static struct text without_query(struct text path)
{
    return take_until(&path, '?');
}

/* Takes the value of a field out of a form (the URL-encoded kind). Returns whether it is there. */
static bool find_field(struct text form, struct text name, struct text *out)
{
    while (form.length) {
        struct text value = take_until(&form, '&');

        if (!text_equals(take_until(&value, '='), name))
            continue;
        *out = value;
        return true;
    }
    return false;
}

static int decode_fields(struct request *request, struct text body, char *to)
{
    const enum parameter *field = request->method->fields;
    struct text encoded;

    for (; *field != PARAMETER_COUNT; field++) {
        if (!find_field(body, text_from(parameters[*field].name), &encoded))
            continue;
        if (!percent_decode(encoded, true, to, &request->parameters[*field]))
            return malformed(request, EXPECTED_ESCAPE);
        to += encoded.length;
    }
    return check_parameters(request);
}

/* Whether a component is a name that was typed by hand, dots and all: PowerDNS's own names have at
 * least a final dot, which it encodes. */
static bool is_typed_name(enum parameter parameter, struct text encoded)
{
    return (parameter == PARAMETER_QNAME || parameter == PARAMETER_NAME ||
            parameter == PARAMETER_ZONENAME) &&
           !memchr(encoded.data, '%', encoded.length);
}

static int decode_components(struct request *request, struct text path, struct text body)
{
    const enum parameter *component = request->method->components;
    char *to = request->decoded;

    for (; *component != PARAMETER_COUNT; component++) {
        struct text encoded = take_until(&path, '/');

        if (path.length == 0 && !is_typed_name(*component, encoded))
            encoded = without_suffix(encoded);
        if (!percent_decode(encoded, false, to, &request->parameters[*component]))
            return malformed(request, EXPECTED_ESCAPE);
        to += encoded.length;
    }
    return decode_fields(request, body, to);
}

int request_decode_path(struct request *request, struct text path, struct text body)
{
    struct text target = path, form;
    int r;

    path = take_until(&target, '?');
    form = body.length ? body : target;
    r = take_method(request, &path);
    if (r || !request->method)
        return r;
    request->decoded = malloc(path.length + form.length + 1);
    if (!request->decoded)
        return -ENOMEM;
    return decode_components(request, path, form);
}

/* Parses a JSON object, which the request then owns. */
static int parse_object(struct request *request, struct text text)
{
    jansson_alloc_begin();
    request->json = json_loadb(text.data, text.length, JSON_REJECT_DUPLICATES, NULL);
    if (jansson_alloc_failed())
        return -ENOMEM;
    return json_is_object(request->json) ? 0 : malformed(request, EXPECTED_JSON);
}

/* A number of JSON as text, as numbers come in other encodings. */
static struct text number_text(struct request *request, double number)
{
    char *text = request->number_texts[request->n_number_texts++];
    int length = snprintf(text, REQUEST_NUMBER_SIZE, "%.6f", number);

    if (length >= REQUEST_NUMBER_SIZE)
        length = 0;
    return (struct text){.data = text, .length = (size_t)length};
}

static void read_json_parameter(struct request *request, enum parameter parameter,
                                const json_t *value)
{
    if (json_is_string(value) && parameters[parameter].kind != KIND_NUMBER)
        request->parameters[parameter] = (struct text){
            .data = json_string_value(value),
            .length = json_string_length(value),
        };
    else if (json_is_number(value) && parameters[parameter].kind != KIND_TEXT)
        request->parameters[parameter] = number_text(request, json_number_value(value));
}

static int read_parameters(struct request *request, const json_t *object)
{
    if (!request->method)
        return 0;
    for (size_t i = 0;; i++) {
        enum parameter parameter = method_parameter(request->method, i);

        if (parameter == PARAMETER_COUNT)
            break;
        read_json_parameter(request, parameter,
                            json_object_get(object, parameters[parameter].name));
    }
    return check_parameters(request);
}

/* Finds the field "parameters" of a form and decodes its value. */
static int decode_form_field(struct request *request, struct text body, struct text *out)
{
    struct text value;

    if (!find_field(body, TEXT("parameters"), &value))
        return 0;
    request->decoded = malloc(value.length + 1);
    if (!request->decoded)
        return -ENOMEM;
    return percent_decode(value, true, request->decoded, out) ? 0
                                                              : malformed(request, EXPECTED_ESCAPE);
}

/* Takes the method's fields from those of the body. */
static int decode_bare_form(struct request *request, struct text body)
{
    if (!request->method)
        return 0;
    request->decoded = malloc(body.length + 1);
    if (!request->decoded)
        return -ENOMEM;
    return decode_fields(request, body, request->decoded);
}

int request_decode_form(struct request *request, struct text path, struct text body)
{
    struct text json = {0};
    int r;

    path = without_query(path);
    r = take_method(request, &path);
    r = r ? r : decode_form_field(request, body, &json);
    if (r)
        return r;
    if (!request->decoded)
        return decode_bare_form(request, body);
    if (json.length) {
        r = parse_object(request, json);
        if (r)
            return r;
    }
    return read_parameters(request, request->json);
}

static void take_plain_parameter(struct request *request, enum parameter parameter,
                                 const struct plain_request *plain)
{
    enum kind kind = parameters[parameter].kind;

    for (size_t i = 0; i < plain->n_members; i++) {
        const struct plain_member *member = &plain->members[i];

        if (member->number ? kind == KIND_TEXT : kind == KIND_NUMBER)
            continue;
        if (text_equals(member->key, text_from(parameters[parameter].name)))
            request->parameters[parameter] = member->value;
    }
}

static int use_plain(struct request *request, const struct plain_request *plain)
{
    request->method = method_find(plain->method);
    if (!request->method)
        return 0;
    for (size_t i = 0;; i++) {
        enum parameter parameter = method_parameter(request->method, i);

        if (parameter == PARAMETER_COUNT)
            break;
        take_plain_parameter(request, parameter, plain);
    }
    return check_parameters(request);
}

int request_decode_json(struct request *request, struct text body)
{
    struct plain_request plain;

    if (request_json_read(body, &plain))
        return use_plain(request, &plain);
    return request_decode_any_json(request, body);
}

int request_decode_any_json(struct request *request, struct text body)
{
    const json_t *method, *object;
    int r;

    r = parse_object(request, body);
    if (r)
        return r;
    method = json_object_get(request->json, "method");
    if (!json_is_string(method))
        return malformed(request, EXPECTED_JSON_METHOD);
    object = json_object_get(request->json, "parameters");
    if (object && !json_is_object(object))
        return malformed(request, EXPECTED_JSON_PARAMETERS);
    request->method = method_find((struct text){
        .data = json_string_value(method),
        .length = json_string_length(method),
    });
    return read_parameters(request, object);
}
