#include "protocol/request.h"

#include "base/number.h"
#include "protocol/jansson_alloc.h"
#include "protocol/request_json.h"
#include "protocol/url.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>

enum kind { KIND_TEXT, KIND_NAME, KIND_NUMBER, KIND_ANY };

static const struct {
    const char *name;
    const char *expected;
    enum kind kind;
} parameters[] = {
    [PARAMETER_QNAME] = {"qname", "a name as qname", KIND_NAME},
    [PARAMETER_QTYPE] = {"qtype", "a record type as qtype", KIND_TEXT},
    [PARAMETER_ID] = {"id", "a number as id", KIND_NUMBER},
    /* Of any kind, as it is not used: zones are found by their names. */
    [PARAMETER_DOMAIN_ID] = {"domain_id", "a number as domain_id", KIND_ANY},
    [PARAMETER_ZONENAME] = {"zonename", "a name as zonename", KIND_NAME},
    [PARAMETER_NAME] = {"name", "a name as name", KIND_NAME},
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
    struct text whole = text_take(&text, '.');
    uint64_t number;

    while (text.length && *text.data == '0')
        text = text_after(text, 1);
    if (text.length || !number_read(whole, UINT32_MAX, &number))
        return false;
    *out = (uint32_t)number;
    return true;
}

/* Checks that all parameters of the method are there, and reads the numbers among them. */
static int require_arguments(struct request *request)
{
    for (const enum parameter *p = request->method->parameters; *p; p++) {
        struct argument *argument = &request->arguments[*p];

        if (argument->text.length == 0 ||
            (parameters[*p].kind == KIND_NUMBER && !read_number(argument->text, &argument->number)))
            return malformed(request, parameters[*p].expected);
    }
    return 0;
}

/* Drops a url-suffix: what PowerDNS encodes is letters, digits and escapes; '-' and '_' are let
 * through for components typed by hand. */
static struct text without_suffix(struct text component)
{
    return text_of(component.data, text_span(component, "%-_"));
}

/* Takes the method off the front of a path; it may be one that the table does not have. */
static int take_method(struct request *request, struct text *path)
{
    struct text name = text_take(path, '/');

    if (path->length == 0)
        name = without_suffix(name);
    if (name.length == 0)
        return malformed(request, "a method after the path prefix");
    request->method = method_find(name);
    return 0;
}

/* Decodes a text to the end of what was decoded, which has room for it. */
static int decode_text(struct request *request, struct text encoded, bool is_form, struct text *out)
{
    if (!url_decode(encoded, is_form, request->decoded + request->n_decoded, out))
        return malformed(request, "two hexadecimal digits after %");
    request->n_decoded += out->length;
    return 0;
}

static int decode_component(struct request *request, enum parameter parameter, struct text *path)
{
    struct text encoded = text_take(path, '/');
    /* PowerDNS's own names have a final dot at least, which it encodes. */
    bool is_typed_name =
        parameters[parameter].kind == KIND_NAME && !memchr(encoded.data, '%', encoded.length);

    if (path->length == 0 && !is_typed_name)
        encoded = without_suffix(encoded);
    return decode_text(request, encoded, false, &request->arguments[parameter].text);
}

/* Decodes the parameters that are fields of a form. */
static int decode_fields(struct request *request, struct text form)
{
    const struct method *method = request->method;

    for (const enum parameter *p = method->parameters + method->n_in_path; *p; p++) {
        struct text encoded;
        int r;

        if (!url_find_field(form, text_from(parameters[*p].name), &encoded))
            continue;
        r = decode_text(request, encoded, true, &request->arguments[*p].text);
        if (r)
            return r;
    }
    return require_arguments(request);
}

int request_decode_path(struct request *request, struct text path, struct text body)
{
    struct text query = path;
    int r;

    path = text_take(&query, '?');
    r = take_method(request, &path);
    if (r || !request->method)
        return r;
    request->decoded = malloc(path.length + body.length + query.length + 1);
    if (!request->decoded)
        return -ENOMEM;
    for (size_t i = 0; i < request->method->n_in_path; i++) {
        r = decode_component(request, request->method->parameters[i], &path);
        if (r)
            return r;
    }
    return decode_fields(request, body.length ? body : query);
}

/* Parses a JSON object, which the request then owns. */
static int parse_object(struct request *request, struct text text)
{
    jansson_alloc_begin();
    request->json = json_loadb(text.data, text.length, JSON_REJECT_DUPLICATES, NULL);
    if (jansson_alloc_failed())
        return -ENOMEM;
    return json_is_object(request->json) ? 0 : malformed(request, "a JSON object");
}

/* Takes a value of JSON for a parameter. A value of the wrong kind is as good as none. */
static void take_json_argument(struct request *request, enum parameter parameter, bool is_number,
                               struct text value)
{
    if (parameters[parameter].kind == KIND_ANY ||
        (parameters[parameter].kind == KIND_NUMBER) == is_number)
        request->arguments[parameter].text = value;
}

/* Takes the parameters from the members of a JSON object, or of none. */
static int take_json_arguments(struct request *request, const json_t *object)
{
    for (size_t i = 0; request->method->parameters[i]; i++) {
        enum parameter parameter = request->method->parameters[i];
        const json_t *value = json_object_get(object, parameters[parameter].name);
        char *text = request->number_texts[i];
        int length;

        if (json_is_string(value)) {
            take_json_argument(request, parameter, false,
                               text_of(json_string_value(value), json_string_length(value)));
        } else if (json_is_number(value)) {
            /* As numbers come in the other encodings. */
            length = snprintf(text, REQUEST_NUMBER_SIZE, "%.6f", json_number_value(value));
            if (length < REQUEST_NUMBER_SIZE)
                take_json_argument(request, parameter, true, text_of(text, (size_t)length));
        }
    }
    return require_arguments(request);
}

int request_decode_form(struct request *request, struct text path, struct text body)
{
    struct text encoded, json;
    bool is_json = url_find_field(body, TEXT("parameters"), &encoded);
    int r;

    path = text_take(&path, '?');
    r = take_method(request, &path);
    if (r)
        return r;
    request->decoded = malloc(body.length + 1);
    if (!request->decoded)
        return -ENOMEM;
    if (!is_json)
        return request->method ? decode_fields(request, body) : 0;
    r = decode_text(request, encoded, true, &json);
    if (r)
        return r;
    if (json.length) {
        r = parse_object(request, json);
        if (r)
            return r;
    }
    return request->method ? take_json_arguments(request, request->json) : 0;
}

int request_decode_json(struct request *request, struct text body)
{
    struct plain_request plain;

    if (!request_json_read(body, &plain))
        return request_decode_any_json(request, body);
    request->method = method_find(plain.method);
    if (!request->method)
        return 0;
    for (const enum parameter *p = request->method->parameters; *p; p++) {
        const struct plain_member *member =
            request_json_find(&plain, text_from(parameters[*p].name));

        if (member)
            take_json_argument(request, *p, member->number, member->value);
    }
    return require_arguments(request);
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
        return malformed(request, "a string 'method'");
    object = json_object_get(request->json, "parameters");
    if (object && !json_is_object(object))
        return malformed(request, "an object 'parameters'");
    request->method = method_find(text_of(json_string_value(method), json_string_length(method)));
    return request->method ? take_json_arguments(request, object) : 0;
}
