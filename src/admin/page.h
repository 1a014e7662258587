/* The page for people, what belongs to it, and JSON about domains. What people see is made here;
 * the script only fetches it again. */
#pragma once

#include "admin/overview.h"
#include "admin/page_data.h"
#include "net/pages.h"

struct page_maker {
    const struct settings *settings;
    struct status *status;
    struct held_domains held;
    char etag[PAGE_ETAG_SIZE]; /* of the current reply */
};

typedef void page_answerer(struct page_maker *maker, const struct http_request *request,
                           struct http_reply *reply);

/* Answer a request: for "/", for one of the other files of the page, for "/domains" and for what is
 * below "/domain/". */
page_answerer page_answer, page_answer_file, page_answer_domains, page_answer_domain;
