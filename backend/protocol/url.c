#include "protocol/url.h"

#include "base/number.h"

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
        struct text value = text_take(&form, '&');

        if (text_equals(text_take(&value, '='), name)) {
            *out = value;
            return true;
        }
    }
    return false;
}
