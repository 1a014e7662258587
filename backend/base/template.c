#include "base/template.h"

bool template_is_valid(struct text text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] != '%')
            continue;
        i++;
        if (i == text.length || (text.data[i] != 'd' && text.data[i] != '%'))
            return false;
    }
    return true;
}

/* Takes a piece off the front of a template: what precedes a percent sign, and what the sign and
 * the octet after it stand for. */
static struct text take_piece(struct text *template, struct text domain, struct text *stands_for)
{
    const char *sign = memchr(template->data, '%', template->length);
    struct text plain = *template;

    *stands_for = TEXT("");
    if (!sign) {
        *template = TEXT("");
        return plain;
    }
    plain.length = (size_t)(sign - plain.data);
    *stands_for = sign[1] == 'd' ? domain : TEXT("%");
    *template = text_after(*template, plain.length + 2);
    return plain;
}

bool template_has_domain(struct text template)
{
    const struct text one = {.data = NULL, .length = 1}, two = {.data = NULL, .length = 2};

    return template_fill(template, one, NULL) != template_fill(template, two, NULL);
}

size_t template_fill(struct text template, struct text domain, char *to)
{
    size_t length = 0;

    while (template.length) {
        struct text stands_for, plain = take_piece(&template, domain, &stands_for);

        if (to) {
            memcpy(to + length, plain.data, plain.length);
            memcpy(to + length + plain.length, stands_for.data, stands_for.length);
        }
        length += plain.length + stands_for.length;
    }
    return length;
}

void template_write(struct buffer *out, struct text template, struct text domain)
{
    size_t length = template_fill(template, domain, NULL);
    char *to = buffer_reserve(out, length);

    if (to)
        out->length += template_fill(template, domain, to);
}
