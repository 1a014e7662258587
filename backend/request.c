#include "request.h"

#include "json_memory.h"
#include "method.h"
#include "plain_json.h"

#include <ctype.h>
#include <errno.h>

/* What is expected where a request is malformed. */
static const char EXPECTED_METHOD[] = "a method after the path prefix";
static const char EXPECTED_ESCAPE[] = "two hexadecimal digits after %";
static const char EXPECTED_JSON[] = "a JSON object";
static const char EXPECTED_JSON_METHOD[] = "a string 'method'";
static const char EXPECTED_JSON_PARAMETERS[] = "an object 'parameters'";

static const struct {
    const char *name;
    const char *expected;
} parameters[] = {
    [PARAMETER_QNAME] = {"qname", "a name as qname"},
    [PARAMETER_QTYPE] = {"qtype", "a record type as qtype"},
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

/* Whether the method's parameters are all there. */
static int check_parameters(struct request *request)
{
    const enum parameter *component;

    if (!request->method)
        return 0;
    for (component = request->method->components; *component != PARAMETER_COUNT; component++)
        if (request->parameters[*component].length == 0)
            return malformed(request, parameters[*component].expected);
    return 0;
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

static int decode_components(struct request *request, struct text path)
{
    const enum parameter *component = request->method->components;
    char *to = request->decoded;

    for (; *component != PARAMETER_COUNT; component++) {
        struct text encoded = take_until(&path, '/');
        bool by_hand = !memchr(encoded.data, '%', encoded.length);

        if (path.length == 0 && !(by_hand && *component == PARAMETER_QNAME))
            encoded = without_suffix(encoded);
        if (!percent_decode(encoded, false, to, &request->parameters[*component]))
            return malformed(request, EXPECTED_ESCAPE);
        to += encoded.length;
    }
    return check_parameters(request);
}

int request_decode_path(struct request *request, struct text path)
{
    int r;

    path = without_query(path);
    r = take_method(request, &path);
    if (r || !request->method)
        return r;
    request->decoded = malloc(path.length + 1);
    if (!request->decoded)
        return -ENOMEM;
    return decode_components(request, path);
}

/* Parses a JSON object, which the request then owns. */
static int parse_object(struct request *request, struct text text)
{
    json_memory_begin();
    request->json = json_loadb(text.data, text.length, JSON_REJECT_DUPLICATES, NULL);
    if (json_memory_failed())
        return -ENOMEM;
    return json_is_object(request->json) ? 0 : malformed(request, EXPECTED_JSON);
}

static int read_parameters(struct request *request, const json_t *object)
{
    const enum parameter *component;

    if (!request->method)
        return 0;
    for (component = request->method->components; *component != PARAMETER_COUNT; component++) {
        const json_t *value = json_object_get(object, parameters[*component].name);

        if (json_is_string(value))
            request->parameters[*component] = (struct text){
                .data = json_string_value(value),
                .length = json_string_length(value),
            };
    }
    return check_parameters(request);
}

/* Finds the field "parameters" of a form (the URL-encoded kind) and decodes its value. */
static int decode_form_field(struct request *request, struct text body, struct text *out)
{
    while (body.length) {
        struct text value = take_until(&body, '&');
        struct text name = take_until(&value, '=');

        if (!text_equals(name, TEXT("parameters")))
            continue;
        request->decoded = malloc(value.length + 1);
        if (!request->decoded)
            return -ENOMEM;
        return percent_decode(value, true, request->decoded, out)
                   ? 0
                   : malformed(request, EXPECTED_ESCAPE);
    }
    return 0;
}

int request_decode_form(struct request *request, struct text path, struct text body)
{
    struct text json = {0};
    int r;

    path = without_query(path);
    r = take_method(request, &path);
    if (r)
        return r;
    r = decode_form_field(request, body, &json);
    if (r)
        return r;
    if (json.length) {
        r = parse_object(request, json);
        if (r)
            return r;
    }
    return read_parameters(request, request->json);
}

static int use_plain(struct request *request, const struct plain_request *plain)
{
    const enum parameter *component;

    request->method = method_find(plain->method);
    if (!request->method)
        return 0;
    for (component = request->method->components; *component != PARAMETER_COUNT; component++)
        for (size_t i = 0; i < plain->n_members; i++)
            if (text_equals(plain->members[i].key, text_from(parameters[*component].name)))
                request->parameters[*component] = plain->members[i].value;
    return check_parameters(request);
}

int request_decode_json(struct request *request, struct text body)
{
    struct plain_request plain;

    if (plain_json_read(body, &plain))
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
