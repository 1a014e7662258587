#include "admin/page_data.h"

#include "admin/version.h"
#include "base/hash.h"
#include "base/quote.h"
#include "base/utf8.h"
#include "os/clock.h"
#include "protocol/jansson_alloc.h"

#include <inttypes.h>
#include <stdio.h>

void page_data_begin(void)
{
    jansson_alloc_begin();
}

bool page_data_failed(void)
{
    return jansson_alloc_failed();
}

json_t *page_data_text(struct text text)
{
    char escaped[4096];

    if (utf8_is_valid(text))
        return json_stringn(text.length ? text.data : "", text.length);
    quote_escape(text, "", escaped, sizeof(escaped));
    return json_string(escaped);
}

json_t *page_data_time(time_t when)
{
    struct time_text iso = clock_text(when);

    return json_pack("{s:s, s:o}", "iso", iso.text, "text",
                     json_sprintf("%.10s %.5s UTC", iso.text, iso.text + strlen("2026-11-28T")));
}

json_t *page_data_duration(uint32_t seconds)
{
    static const struct {
        uint32_t seconds;
        const char *name;
    } units[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}};
    size_t i = 0;

    while (seconds % units[i].seconds)
        i++;
    return json_sprintf("%" PRIu32 " %s%s", seconds / units[i].seconds, units[i].name,
                        seconds == units[i].seconds ? "" : "s");
}

json_t *page_data_waiting(const struct status_waiting_id *waiting)
{
    return json_pack("{s:s, s:s, s:o}", "announced", waiting->announced, "next", waiting->next,
                     "due", page_data_time(waiting->due));
}

void page_data_add_service(json_t *data, const struct status_view *view)
{
    json_object_set_new(data, "version", json_string(PDNS_MTA_STS_VERSION));
    json_object_set_new(data, "started", page_data_time(view->started));
    json_object_set_new(data, "generation", json_integer((json_int_t)view->generation));
}

void page_data_add_health(json_t *data, bool trouble, bool attention)
{
    json_object_set_new(data, "health",
                        json_pack("{s:b, s:b, s:b}", "trouble", trouble, "attention",
                                  attention && !trouble, "good", !attention && !trouble));
}

void page_data_render(const struct page_template *template, const json_t *data, struct buffer *out)
{
    out->failed |= page_data_failed();
    page_template_render(template, data, out);
}

static int add_bytes(const char *bytes, size_t n, void *out)
{
    buffer_add(out, bytes, n);
    return 0;
}

void page_data_write(const json_t *data, struct buffer *out)
{
    out->failed |= page_data_failed() || json_dump_callback(data, add_bytes, out, JSON_COMPACT) < 0;
    buffer_add_string(out, "\n");
}

void page_data_etag(struct text text, char etag[PAGE_ETAG_SIZE])
{
    snprintf(etag, PAGE_ETAG_SIZE, "%016" PRIx64, hash_text(0, text));
}
