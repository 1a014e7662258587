#include "base/number.h"

#include <stdio.h>

bool number_read(struct text text, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;

    if (text.length == 0)
        return false;
    for (size_t i = 0; i < text.length; i++) {
        unsigned int digit = (unsigned int)(text.data[i] - '0');

        if (!is_digit(text.data[i]) || value > max / 10 || (value == max / 10 && digit > max % 10))
            return false;
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

struct number_of number_of(size_t n, const char *one, const char *several)
{
    struct number_of out;

    snprintf(out.text, sizeof(out.text), "%zu %s", n, n == 1 ? one : several);
    return out;
}

int hex_digit_value(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

void hex_write(const uint8_t *octets, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        *out++ = digits[octets[i] >> 4];
        *out++ = digits[octets[i] & 15];
    }
    *out = '\0';
}
