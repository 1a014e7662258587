#include "net/http_host.h"

#include "base/number.h"

/* Whether a text has letters, digits and the given signs alone. */
static bool consists_of(struct text text, const char *signs)
{
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

        if (!letter && !is_digit(c) && (c == '\0' || !strchr(signs, c)))
            return false;
    }
    return true;
}

/* Takes ":" and digits, of which there may be none, off the end. */
static struct text without_port(struct text field)
{
    size_t length = field.length;

    while (length && is_digit(field.data[length - 1]))
        length--;
    if (length && field.data[length - 1] == ':')
        field.length = length - 1;
    return field;
}

/* Whether a text looks like an address in brackets. No address is a name, so it does not matter
 * which it is. */
static bool is_bracketed(struct text host)
{
    return host.length > 2 && host.data[0] == '[' && host.data[host.length - 1] == ']' &&
           consists_of((struct text){host.data + 1, host.length - 2}, ":.-_~!$&'()*+,;=");
}

int http_host_read(struct text field, struct name *out)
{
    struct text host = without_port(field);
    int r;

    if (is_bracketed(host))
        return HTTP_HOST_NO_NAME;
    if (!consists_of(host, "-._~!$&'()*+,;=%"))
        return HTTP_HOST_MALFORMED;
    r = name_from_host(host, out);
    return r > 0 ? HTTP_HOST_NO_NAME : r;
}
