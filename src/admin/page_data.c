#include "admin/page_data.h"

#include "base/quote.h"
#include "base/utf8.h"
#include "os/clock.h"
#include "protocol/jansson_alloc.h"

#include <stdio.h>

void page_data_begin(void)
{
    jansson_alloc_begin();
}

bool page_data_failed(void)
{
    return jansson_alloc_failed();
}

static bool is_utf8(struct text text)
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

json_t *page_data_text(struct text text)
{
    char escaped[4096];

    if (is_utf8(text))
        return json_stringn(text.length ? text.data : "", text.length);
    quote_escape(text, "", escaped, sizeof(escaped));
    return json_string(escaped);
}

json_t *page_data_time(time_t when)
{
    struct time_text iso = clock_text(when);
    char text[32];

    snprintf(text, sizeof(text), "%.10s %.5s UTC", iso.text, iso.text + sizeof("2026-11-28T") - 1);
    return json_pack("{s:s, s:s}", "iso", iso.text, "text", text);
}
