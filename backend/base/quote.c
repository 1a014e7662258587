#include "base/quote.h"

#include <stdio.h>

/* Reads the UTF-8 sequence at the start of a text (RFC 3629). Returns its length, or 0 if it is not
 * valid. */
static size_t read_character(struct text text, uint32_t *character)
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

/* Whether a character may be printed as it is: no control, no line or paragraph separator, and
 * nothing invisible that turns the direction of writing (U+061C is the Arabic letter mark). */
static bool is_printable(uint32_t c)
{
    return c >= 0x20 && !(c >= 0x7f && c < 0xa0) && c != 0x061c && c != 0xfeff &&
           !(c >= 0x200b && c <= 0x200f) && !(c >= 0x2028 && c <= 0x202e) &&
           !(c >= 0x2060 && c <= 0x206f) && c != 0xfffe && c != 0xffff;
}

void quote_escape(struct text text, const char *special, char *out, size_t size)
{
    static const char cut[] = "…";
    char *end = out + size - sizeof(cut);

    while (text.length) {
        uint32_t c = 0;
        size_t n = read_character(text, &c);
        bool plain = n && is_printable(c);
        bool slash = plain && c < 0x80 && strchr(special, (int)c);
        size_t needed = plain ? n + slash : 4;

        if (needed > (size_t)(end - out)) {
            memcpy(out, cut, sizeof(cut));
            return;
        }
        if (slash)
            *out++ = '\\';
        if (plain)
            out = mempcpy(out, text.data, n);
        else
            out += sprintf(out, "\\x%02x", (unsigned int)(unsigned char)text.data[0]);
        text = text_after(text, plain ? n : 1);
    }
    *out = '\0';
}

struct quoted quote_text(struct text input)
{
    struct quoted quoted = {.text = "\""};
    size_t length;

    quote_escape(input, "\"\\", quoted.text + 1, sizeof(quoted.text) - 2);
    length = strlen(quoted.text);
    memcpy(quoted.text + length, "\"", 2);
    return quoted;
}
