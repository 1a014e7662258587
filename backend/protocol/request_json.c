#include "protocol/request_json.h"

#include "base/number.h"

enum { DIGITS_MAX = 18 }; /* more could overflow what a JSON reader makes of them */

static void skip_json_space(struct text *from)
{
    while (from->length && (*from->data == ' ' || *from->data == '\t' || *from->data == '\n' ||
                            *from->data == '\r'))
        *from = text_after(*from, 1);
}

/* Takes a punctuation character, which space may precede. Returns whether it is there. */
static bool take_character(struct text *from, char c)
{
    skip_json_space(from);
    if (from->length == 0 || *from->data != c)
        return false;
    *from = text_after(*from, 1);
    return true;
}

/* Takes a string of printable ASCII without escapes. */
static bool take_string(struct text *from, struct text *out)
{
    size_t n = 0;

    if (!take_character(from, '"'))
        return false;
    while (n < from->length && from->data[n] >= 0x20 && from->data[n] < 0x7f &&
           from->data[n] != '"' && from->data[n] != '\\')
        n++;
    if (n == from->length || from->data[n] != '"')
        return false;
    *out = text_of(from->data, n);
    *from = text_after(*from, n + 1);
    return true;
}

/* Takes a whole number, without the leading zeros that JSON forbids. */
static bool take_number(struct text *from, struct text *out)
{
    const char *begin = from->data;
    size_t n = 0;

    if (from->length && *from->data == '-')
        *from = text_after(*from, 1);
    while (n < from->length && is_digit(from->data[n]))
        n++;
    if (n == 0 || n > DIGITS_MAX || (n > 1 && *from->data == '0'))
        return false;
    *from = text_after(*from, n);
    *out = text_of(begin, (size_t)(from->data - begin));
    /* A fraction or an exponent would follow at once. */
    return from->length == 0 || (*from->data != '.' && *from->data != 'e' && *from->data != 'E');
}

static bool take_member(struct text *from, struct plain_request *out)
{
    struct plain_member member;

    if (out->n_members == PLAIN_JSON_MEMBERS_MAX)
        return false;
    if (!take_string(from, &member.key) || !take_character(from, ':'))
        return false;
    skip_json_space(from);
    member.number = from->length && *from->data != '"';
    if (member.number ? !take_number(from, &member.value) : !take_string(from, &member.value))
        return false;
    if (request_json_find(out, member.key))
        return false;
    out->members[out->n_members++] = member;
    return true;
}

static bool take_members(struct text *from, struct plain_request *out)
{
    if (!take_character(from, '{'))
        return false;
    if (take_character(from, '}'))
        return true;
    do {
        if (!take_member(from, out))
            return false;
    } while (take_character(from, ','));
    return take_character(from, '}');
}

/* Takes "method" or "parameters", each at most once. */
static bool take_part(struct text *from, struct plain_request *out, bool *has_parameters)
{
    struct text key;

    if (!take_string(from, &key) || !take_character(from, ':'))
        return false;
    if (text_equals(key, TEXT("method")))
        return !out->method.data && take_string(from, &out->method);
    if (*has_parameters || !text_equals(key, TEXT("parameters")))
        return false;
    *has_parameters = true;
    return take_members(from, out);
}

bool request_json_read(struct text text, struct plain_request *out)
{
    bool has_parameters = false;

    out->method = (struct text){0};
    out->n_members = 0;
    if (!take_character(&text, '{') || !take_part(&text, out, &has_parameters))
        return false;
    if (take_character(&text, ',') && !take_part(&text, out, &has_parameters))
        return false;
    if (!take_character(&text, '}'))
        return false;
    skip_json_space(&text);
    return text.length == 0 && out->method.data;
}

const struct plain_member *request_json_find(const struct plain_request *request, struct text key)
{
    for (size_t i = 0; i < request->n_members; i++)
        if (text_equals(request->members[i].key, key))
            return &request->members[i];
    return NULL;
}
