/* What the policy and the admin listener have in common: pages at fixed paths, which GET and HEAD
 * read. All else is refused in plain text: 404 another path, 405 another verb. */
#pragma once

#include "net/http.h"

struct page {
    /* Without a query string, which does not matter here. One that ends in a slash, but the root,
     * is that of all paths below it. */
    const char *path;
    const char *content_type;
    void (*write)(void *context, const struct http_request *request, struct http_reply *reply);
};

/* The pages of one listener on one thread. */
struct pages {
    const struct page *rows;
    size_t n;
    const char *content_type; /* of refusals */
    const char *not_found;    /* the text for other paths */
    void *context;            /* handed to the pages */
};

/* The handler to give to an HTTP server; PAGES must outlive it. */
struct http_handler pages_handler(struct pages *pages);

/* The path of a request, without the query string. */
struct text pages_path(const struct http_request *request);

/* For the pages: refuses a request with a status, and a fault as the body. */
void pages_refuse(struct pages *pages, unsigned int status, const char *fault,
                  struct http_reply *reply);
