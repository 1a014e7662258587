#include "base/utf8.h"

size_t utf8_read(struct text text, uint32_t *character)
{
    static const struct {
        unsigned char mask, lead;
        uint32_t smallest;
    } forms[] = {{0x80, 0, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    unsigned char first = (unsigned char)text.data[0];

    for (size_t n = 1; n <= ARRAY_LENGTH(forms); n++) {
        uint32_t value = (uint32_t)(first & ~forms[n - 1].mask);

        if ((first & forms[n - 1].mask) != forms[n - 1].lead)
            continue;
        if (text.length < n)
            return 0;
        for (size_t i = 1; i < n; i++) {
            if ((text.data[i] & 0xc0) != 0x80)
                return 0;
            value = value << 6 | (text.data[i] & 0x3f);
        }
        if (value < forms[n - 1].smallest || value > 0x10ffff || (value >> 11) == 0xd800 >> 11)
            return 0;
        *character = value;
        return n;
    }
    return 0;
}

bool utf8_is_valid(struct text text)
{
    uint32_t character;

    while (text.length) {
        size_t n = utf8_read(text, &character);

        if (n == 0)
            return false;
        text = text_after(text, n);
    }
    return true;
}

/* All octets but those that continue a sequence begin a character. */
size_t utf8_count(struct text text)
{
    size_t n = 0;

    for (size_t i = 0; i < text.length; i++)
        n += (text.data[i] & 0xc0) != 0x80;
    return n;
}

bool utf8_is_space(uint32_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || c == 0x85 || c == 0xa0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
           c == 0x205f || c == 0x3000;
}

size_t utf8_find_space(struct text text, uint32_t *character)
{
    size_t offset = 0, n;
    uint32_t c = 0;

    for (; offset < text.length; offset += n ? n : 1) {
        n = utf8_read(text_after(text, offset), &c);
        if (n && utf8_is_space(c)) {
            *character = c;
            break;
        }
    }
    return offset;
}
