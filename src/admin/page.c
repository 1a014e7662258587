#include "admin/page.h"

#include "admin/domain_data.h"
#include "admin/finding_domains.h"
#include "admin/page_assets.h"
#include "admin/page_data.h"
#include "admin/search_reply.h"

#include <errno.h>
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

#define DOMAIN_PATH "/domain/"

static const struct file {
    const char *path;
    const struct page_template *content;
} files[] = {
    {"/page.css", &asset_page_css},
    {"/page.js", &asset_page_js},
    {"/icon.svg", &asset_icon_svg},
};

/* What a request for something of one domain works with. */
struct look {
    struct status_view view;
    struct saved saved;
    struct domain domain;
};

static void look_deinit(struct look *look)
{
    status_view_deinit(&look->view);
    saved_close(&look->saved);
}

/* Gives a reply that is whole an entity-tag. */
static void set_etag(struct page_maker *maker, struct http_reply *reply)
{
    page_data_etag(buffer_text(&reply->body), maker->etag);
    reply->etag = text_from(maker->etag);
    reply->conditional = true;
}

/* Refuses a request with a page for people; what may pass by itself is asked for again. */
static void refuse(struct page_maker *maker, enum http_status status, const char *title,
                   const char *fault, struct http_reply *reply)
{
    CLEANUP(status_view_deinit) struct status_view view = {0};
    CLEANUP(page_data_free) json_t *data = NULL;

    reply->status = status;
    status_read(maker->status, &view);
    page_data_begin();
    data = json_pack("{s:s, s:o, s:b}", "title", title, "fault", page_data_text(text_from(fault)),
                     "passing", status == HTTP_STATUS_SERVICE_UNAVAILABLE);
    page_data_add_service(data, &view);
    page_data_render(&asset_refusal_html, data, &reply->body);
}

/* Refuses a request for JSON. */
static void refuse_plainly(enum http_status status, const char *fault, struct http_reply *reply)
{
    reply->status = status;
    reply->content_type = "text/plain; charset=utf-8";
    buffer_printf(&reply->body, "%s\n", fault);
}

/* Looks at a domain by a name as people write it. Returns 0, -ENOMEM, or positive if it is not
 * ours, and then FAULT says so. */
static int look_at(struct page_maker *maker, const char *text, struct look *look,
                   char fault[PAGE_QUERY_FAULT_MAX])
{
    struct name name;
    int r = name_from_domain(text_from(text), &name);

    if (r < 0)
        return r;
    status_read(maker->status, &look->view);
    if (r == 0 && snapshot_find(look->view.snapshot, name_text(&name), &look->domain))
        return saved_open(&look->saved, maker->settings);
    snprintf(fault, PAGE_QUERY_FAULT_MAX,
             "%s is not a domain of this service: it is neither in its configuration nor retiring",
             quote_text(text_from(text)).text);
    return 1;
}

static int show_overview(struct page_maker *maker, const struct page_query *query,
                         struct http_reply *reply)
{
    CLEANUP(look_deinit) struct look look = {0};
    CLEANUP(page_data_free) json_t *data = NULL;
    int r = saved_open(&look.saved, maker->settings);

    if (r)
        return r;
    status_read(maker->status, &look.view);
    page_data_begin();
    r = overview_new(&look.view, &look.saved, &maker->held, query->policies, &data);
    if (r)
        return r;
    page_data_render(&asset_overview_html, data, &reply->body);
    set_etag(maker, reply);
    return 0;
}

static int show_domain(struct page_maker *maker, const struct page_query *query,
                       struct http_reply *reply)
{
    CLEANUP(look_deinit) struct look look = {0};
    CLEANUP(page_data_free) json_t *data = NULL;
    char fault[PAGE_QUERY_FAULT_MAX];
    int r = look_at(maker, query->domain, &look, fault);

    if (r > 0)
        refuse(maker, HTTP_STATUS_NOT_FOUND, "No such domain", fault, reply);
    if (r)
        return r;
    page_data_begin();
    r = domain_data_page(&look.view, &look.saved, &look.domain, &data);
    if (r)
        return r;
    page_data_render(&asset_domain_html, data, &reply->body);
    set_etag(maker, reply);
    return 0;
}

/* Refuses a request for the domains of a finding. */
static void refuse_finding(struct page_maker *maker, enum finding_domains_fault why,
                           const char *fault, bool as_page, struct http_reply *reply)
{
    bool gone = why == FINDING_DOMAINS_GONE;
    enum http_status status = gone ? HTTP_STATUS_NOT_FOUND : HTTP_STATUS_SERVICE_UNAVAILABLE;

    if (as_page)
        refuse(maker, status, gone ? "No such finding" : "Not known now", fault, reply);
    else
        refuse_plainly(status, fault, reply);
}

static int show_finding(struct page_maker *maker, const struct page_query *query, bool as_page,
                        struct http_reply *reply)
{
    CLEANUP(look_deinit) struct look look = {0};
    CLEANUP(page_data_free) json_t *data = NULL;
    char fault[PAGE_QUERY_FAULT_MAX];
    int r = saved_open(&look.saved, maker->settings);

    if (r)
        return r;
    status_read(maker->status, &look.view);
    page_data_begin();
    r = finding_domains_new(&look.view, &look.saved, query, as_page, fault, &data);
    if (r > 0)
        refuse_finding(maker, r, fault, as_page, reply);
    if (r)
        return r;
    if (as_page) {
        page_data_add_service(data, &look.view);
        page_data_render(&asset_finding_domains_html, data, &reply->body);
    } else {
        page_data_write(data, &reply->body);
    }
    set_etag(maker, reply);
    return 0;
}

static int show_search(struct page_maker *maker, const struct page_query *query, bool as_page,
                       struct http_reply *reply)
{
    reply->rest = search_reply_new(maker->status, query, as_page, maker->etag);
    reply->etag = text_from(maker->etag);
    reply->conditional = true;
    return reply->rest ? 0 : -ENOMEM;
}

void page_answer(struct page_maker *maker, const struct http_request *request,
                 struct http_reply *reply)
{
    struct page_query query;
    char fault[PAGE_QUERY_FAULT_MAX];
    int r = 0;

    reply->fields = FIELDS;
    if (!page_query_read(request->target, &query, fault))
        refuse(maker, HTTP_STATUS_BAD_REQUEST, "Not understood", fault, reply);
    else if (query.has_domain)
        r = show_domain(maker, &query, reply);
    else if (query.has_finding)
        r = show_finding(maker, &query, true, reply);
    else if (query.is_search)
        r = show_search(maker, &query, true, reply);
    else
        r = show_overview(maker, &query, reply);
    reply->body.failed |= r < 0;
}

void page_answer_file(struct page_maker *maker, const struct http_request *request,
                      struct http_reply *reply)
{
    struct text path = pages_path(request);

    for (size_t i = 0; i < ARRAY_LENGTH(files); i++)
        if (text_equals(path, text_from(files[i].path)))
            page_template_render(files[i].content, NULL, &reply->body);
    reply->fields = FIELDS;
    set_etag(maker, reply);
}

void page_answer_domains(struct page_maker *maker, const struct http_request *request,
                         struct http_reply *reply)
{
    struct page_query query;
    char fault[PAGE_QUERY_FAULT_MAX];
    int r = 0;

    reply->fields = FIELDS;
    if (!page_query_read(request->target, &query, fault))
        refuse_plainly(HTTP_STATUS_BAD_REQUEST, fault, reply);
    else if (query.has_finding)
        r = show_finding(maker, &query, false, reply);
    else
        r = show_search(maker, &query, false, reply);
    reply->body.failed |= r < 0;
}

/* Answers with the JSON about a domain by a name as people write it. Returns 0, -ENOMEM, or
 * positive if it was refused. */
static int write_domain(struct page_maker *maker, const char *text, struct http_reply *reply)
{
    CLEANUP(look_deinit) struct look look = {0};
    CLEANUP(page_data_free) json_t *data = NULL;
    char fault[PAGE_QUERY_FAULT_MAX];
    int r = look_at(maker, text, &look, fault);

    if (r > 0)
        refuse_plainly(HTTP_STATUS_NOT_FOUND, fault, reply);
    if (r)
        return r;
    page_data_begin();
    r = domain_data_whole(&look.view, &look.saved, &look.domain, &data);
    if (r)
        return r;
    page_data_write(data, &reply->body);
    set_etag(maker, reply);
    return 0;
}

void page_answer_domain(struct page_maker *maker, const struct http_request *request,
                        struct http_reply *reply)
{
    struct text name = text_after(pages_path(request), strlen(DOMAIN_PATH));
    char text[PAGE_QUERY_TEXT_MAX + 1], fault[PAGE_QUERY_FAULT_MAX];

    reply->fields = FIELDS;
    if (page_query_read_name(name, text, fault))
        reply->body.failed |= write_domain(maker, text, reply) < 0;
    else
        refuse_plainly(HTTP_STATUS_BAD_REQUEST, fault, reply);
}
