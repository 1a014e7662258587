#include "base/json_write.h"

/* How many octets at the start of a text need no escape in a JSON string (RFC 8259 7). */
static size_t plain_run(struct text text)
{
    size_t n = 0;

    while (n < text.length && (unsigned char)text.data[n] >= 0x20 && text.data[n] != '"' &&
           text.data[n] != '\\')
        n++;
    return n;
}

void json_write_string(struct buffer *out, struct text text)
{
    buffer_add_string(out, "\"");
    for (;;) {
        size_t n = plain_run(text);

        buffer_add(out, text.data, n);
        text = text_after(text, n);
        if (text.length == 0)
            break;
        if (*text.data == '"' || *text.data == '\\')
            buffer_printf(out, "\\%c", *text.data);
        else
            buffer_printf(out, "\\u%04x", (unsigned char)*text.data);
        text = text_after(text, 1);
    }
    buffer_add_string(out, "\"");
}

void json_write_separator(struct buffer *out, bool *any)
{
    if (*any)
        buffer_add_string(out, ",");
    *any = true;
}
