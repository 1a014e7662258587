#include "base/quote.h"

#include "base/utf8.h"

#include <stdio.h>

/* Whether a character may be printed as it is: no control, no space that does not look like one
 * (U+00AD is the soft hyphen), and nothing invisible that turns the direction of writing (U+061C is
 * the Arabic letter mark). */
static bool is_printable(uint32_t c)
{
    if (utf8_is_space(c))
        return c == ' ';
    return c >= 0x20 && !(c >= 0x7f && c < 0xa0) && c != 0x00ad && c != 0x061c && c != 0xfeff &&
           !(c >= 0x200b && c <= 0x200f) && !(c >= 0x202a && c <= 0x202e) &&
           !(c >= 0x2060 && c <= 0x206f) && c != 0xfffe && c != 0xffff;
}

void quote_escape(struct text text, const char *special, char *out, size_t size)
{
    static const char cut[] = "…";
    char *end = out + size - sizeof(cut);

    while (text.length) {
        uint32_t c = 0;
        size_t n = utf8_read(text, &c);
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
