#include "protocol/request_json.h"

enum { DIGITS_MAX = 18 }; /* more could overflow what a JSON reader makes of them */

static void skip_space(struct text *rest)
{
    while (rest->length && (*rest->data == ' ' || *rest->data == '\t' || *rest->data == '\n' ||
                            *rest->data == '\r'))
        *rest = text_after(*rest, 1);
}

/* Takes a punctuation mark, which space may precede. Returns whether it is there. */
static bool take(struct text *rest, char mark)
{
    skip_space(rest);
    if (rest->length == 0 || *rest->data != mark)
        return false;
    *rest = text_after(*rest, 1);
    return true;
}

/* Takes a string of printable ASCII without escapes. */
static bool take_string(struct text *rest, struct text *out)
{
    size_t n = 0;

    if (!take(rest, '"'))
        return false;
    while (n < rest->length && rest->data[n] >= 0x20 && rest->data[n] < 0x7f &&
           rest->data[n] != '"' && rest->data[n] != '\\')
        n++;
    if (n == rest->length || rest->data[n] != '"')
        return false;
    *out = (struct text){.data = rest->data, .length = n};
    *rest = text_after(*rest, n + 1);
    return true;
}

/* Takes a whole number, without the leading zeros that JSON forbids. */
static bool take_number(struct text *rest, struct text *out)
{
    const char *begin = rest->data;
    size_t n = 0;

    if (rest->length && *rest->data == '-')
        *rest = text_after(*rest, 1);
    while (n < rest->length && rest->data[n] >= '0' && rest->data[n] <= '9')
        n++;
    if (n == 0 || n > DIGITS_MAX || (n > 1 && *rest->data == '0'))
        return false;
    *rest = text_after(*rest, n);
    *out = (struct text){.data = begin, .length = (size_t)(rest->data - begin)};
    /* A fraction or an exponent would follow at once. */
    return rest->length == 0 || (*rest->data != '.' && *rest->data != 'e' && *rest->data != 'E');
}

static bool take_value(struct text *rest, struct plain_member *out)
{
    skip_space(rest);
    out->number = rest->length && *rest->data != '"';
    return out->number ? take_number(rest, &out->value) : take_string(rest, &out->value);
}

static bool is_known(const struct plain_request *request, struct text key)
{
    for (size_t i = 0; i < request->n_members; i++)
        if (text_equals(request->members[i].key, key))
            return true;
    return false;
}

static bool take_parameter(struct text *rest, struct plain_request *out)
{
    struct plain_member member;

    if (out->n_members == PLAIN_JSON_MEMBERS_MAX)
        return false;
    if (!take_string(rest, &member.key) || !take(rest, ':') || !take_value(rest, &member))
        return false;
    if (is_known(out, member.key))
        return false;
    out->members[out->n_members++] = member;
    return true;
}

static bool take_parameters(struct text *rest, struct plain_request *out)
{
    if (!take(rest, '{'))
        return false;
    if (take(rest, '}'))
        return true;
    do {
        if (!take_parameter(rest, out))
            return false;
    } while (take(rest, ','));
    return take(rest, '}');
}

/* Takes "method" or "parameters", each at most once. */
static bool take_part(struct text *rest, struct plain_request *out, bool *parameters)
{
    struct text key;

    if (!take_string(rest, &key) || !take(rest, ':'))
        return false;
    if (text_equals(key, TEXT("method")))
        return !out->method.data && take_string(rest, &out->method);
    if (*parameters || !text_equals(key, TEXT("parameters")))
        return false;
    *parameters = true;
    return take_parameters(rest, out);
}

bool request_json_read(struct text text, struct plain_request *out)
{
    bool parameters = false;

    out->method = (struct text){0};
    out->n_members = 0;
    if (!take(&text, '{') || !take_part(&text, out, &parameters))
        return false;
    if (take(&text, ',') && !take_part(&text, out, &parameters))
        return false;
    if (!take(&text, '}'))
        return false;
    skip_space(&text);
    return text.length == 0 && out->method.data;
}
