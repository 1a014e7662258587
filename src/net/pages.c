#include "net/pages.h"

struct text pages_path(const struct http_request *request)
{
    struct text target = request->target;

    return text_take(&target, '?');
}

static bool has_path(const struct page *page, struct text path)
{
    struct text own = text_from(page->path);

    if (own.length > 1 && own.data[own.length - 1] == '/')
        return text_starts_with(path, own);
    return text_equals(path, own);
}

static const struct page *find_page(const struct pages *pages, struct text path)
{
    for (size_t i = 0; i < pages->n; i++)
        if (has_path(&pages->rows[i], path))
            return &pages->rows[i];
    return NULL;
}

static void write_fault(void *context, const char *fault, struct http_reply *reply)
{
    const struct pages *pages = context;

    reply->content_type = pages->content_type;
    buffer_printf(&reply->body, "%s\n", fault);
}

void pages_refuse(struct pages *pages, unsigned int status, const char *fault,
                  struct http_reply *reply)
{
    reply->status = status;
    write_fault(pages, fault, reply);
}

static void answer_page(void *context, const struct http_request *request, struct http_reply *reply)
{
    struct pages *pages = context;
    const struct page *page = find_page(pages, pages_path(request));

    if (!page) {
        pages_refuse(pages, HTTP_STATUS_NOT_FOUND, pages->not_found, reply);
    } else if (request->verb != HTTP_VERB_GET && request->verb != HTTP_VERB_HEAD) {
        reply->allow = "GET, HEAD";
        pages_refuse(pages, HTTP_STATUS_METHOD_NOT_ALLOWED, "expected GET or HEAD", reply);
    } else {
        reply->content_type = page->content_type;
        page->write(pages->context, request, reply);
    }
}

struct http_handler pages_handler(struct pages *pages)
{
    return (struct http_handler){.answer = answer_page, .refuse = write_fault, .context = pages};
}
