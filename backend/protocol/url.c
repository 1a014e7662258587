#include "protocol/url.h"

#include "base/number.h"

struct text url_take(struct text *from, char separator)
{
    const char *end = from->length ? memchr(from->data, separator, from->length) : NULL;
    struct text taken = *from;

    if (end)
        taken.length = (size_t)(end - from->data);
    *from = text_after(*from, taken.length + (end ? 1 : 0));
    return taken;
}

bool url_decode(struct text text, bool is_form, char *to, struct text *out)
{
    size_t n = 0;

    for (size_t i = 0; i < text.length; i++) {
        int high, low;

        if (text.data[i] != '%') {
            to[n++] = (char)(is_form && text.data[i] == '+' ? ' ' : text.data[i]);
            continue;
        }
        if (text.length - i < 3)
            return false;
        high = hex_digit_value(text.data[i + 1]);
        low = hex_digit_value(text.data[i + 2]);
        if (high < 0 || low < 0)
            return false;
        to[n++] = (char)(high << 4 | low);
        i += 2;
    }
    *out = text_of(to, n);
    return true;
}

bool url_find_field(struct text form, struct text name, struct text *out)
{
    while (form.length) {
        struct text value = url_take(&form, '&');

        if (text_equals(url_take(&value, '='), name)) {
            *out = value;
            return true;
        }
    }
    return false;
}
