/* What the policy and the admin listener have in common: pages at fixed paths, which GET and HEAD
 * read. All else is refused in plain text: 404 another path, 405 another verb. */
#pragma once

#include "net/http.h"

struct page {
    const char *path; /* without a query string, which does not matter */
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

/* For the pages: refuses a request with a status, and a fault as the body. */
void pages_refuse(struct pages *pages, unsigned int status, const char *fault,
                  struct http_reply *reply);
