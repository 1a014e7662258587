#include "admin/page.h"

#include "admin/overview.h"
#include "admin/page_assets.h"
#include "admin/page_data.h"
#include "base/hash.h"

#include <inttypes.h>
#include <stdio.h>

/* Nothing from elsewhere, no script or style but the files here, in nobody's frame. Browsers keep a
 * page, but ask for it each time, and then mostly get a 304. */
#define FIELDS                                                                                     \
    "Content-Security-Policy: default-src 'none'; style-src 'self'; script-src 'self'; "           \
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; "                    \
    "frame-ancestors 'none'\r\n"                                                                   \
    "X-Content-Type-Options: nosniff\r\n"                                                          \
    "Referrer-Policy: no-referrer\r\n"                                                             \
    "Cache-Control: no-cache\r\n"

/* Ends a reply that is whole: it gets an entity-tag, which is a hash of it. */
static void end_reply(struct page_maker *maker, struct http_reply *reply)
{
    snprintf(maker->etag, sizeof(maker->etag), "%016" PRIx64,
             hash_text(0, buffer_text(&reply->body)));
    reply->fields = FIELDS;
    reply->etag = text_from(maker->etag);
    reply->conditional = true;
}

/* Renders data that were made since page_data_begin, unless memory ran out for them. */
static void render(const struct page_template *template, const json_t *data, struct buffer *out)
{
    out->failed |= page_data_failed();
    page_template_render(template, data, out);
}

void page_answer(struct page_maker *maker, const struct http_request *request,
                 struct http_reply *reply)
{
    CLEANUP(status_view_deinit) struct status_view view = {0};
    CLEANUP(page_data_free) json_t *data = NULL;

    (void)request;
    status_read(maker->status, &view);
    page_data_begin();
    data = overview_new(&view, maker->settings, 0);
    render(&asset_overview_html, data, &reply->body);
    end_reply(maker, reply);
}

void page_answer_file(struct page_maker *maker, const struct page_template *file,
                      struct http_reply *reply)
{
    page_template_render(file, NULL, &reply->body);
    end_reply(maker, reply);
}
