/* The page for people, and what belongs to it: "/", its style sheet, its script and its icon. What
 * people see is made here; the script only fetches it again. */
#pragma once

#include "admin/page_template.h"
#include "admin/status.h"
#include "net/http.h"

struct page_maker {
    const struct settings *settings;
    struct status *status;
    char etag[17]; /* of the current reply */
};

/* Answer a request for "/", and for one of the other files. */
void page_answer(struct page_maker *maker, const struct http_request *request,
                 struct http_reply *reply);
void page_answer_file(struct page_maker *maker, const struct page_template *file,
                      struct http_reply *reply);
