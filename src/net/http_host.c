#include "net/http_host.h"

#include "base/number.h"
#include "dns/address.h"

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
    return host.length > 2 && host.data[0] == '[' &&
           text_span(text_after(host, 1), ":.-_~!$&'()*+,;=") == host.length - 2 &&
           host.data[host.length - 1] == ']';
}

int http_host_read(struct text field, struct name *out)
{
    struct text host = without_port(field);
    int r;

    if (is_bracketed(host))
        return HTTP_HOST_NO_NAME;
    if (text_span(host, "-._~!$&'()*+,;=%") < host.length)
        return HTTP_HOST_MALFORMED;
    r = name_from_host(host, out);
    return r > 0 ? HTTP_HOST_NO_NAME : r;
}

bool http_host_is_address(struct text field)
{
    struct text host = without_port(field);
    bool bracketed = is_bracketed(host);
    struct address address;

    if (bracketed)
        host = text_of(host.data + 1, host.length - 2);
    return address_from_text(host, &address) && address.family == (bracketed ? AF_INET6 : AF_INET);
}
