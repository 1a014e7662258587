/* The reply to a search (domain_search.h), as JSON or as a page: nothing of it is made until the
 * hits are there. */
#pragma once

#include "admin/domain_search.h"
#include "base/producer.h"

/* Begins one. Returns what makes it, or NULL if memory runs out. */
struct producer *search_reply_new(struct status *status, const struct page_query *query,
                                  bool as_page);
