/* The reply to a search (domain_search.h), as JSON or as a page: nothing of it is made until the
 * hits are there. */
#pragma once

#include "admin/domain_search.h"
#include "admin/page_data.h"
#include "base/producer.h"

/* Begins one, and tells its entity-tag: who has seen the reply to the same query, of the same
 * snapshot, need not wait for the search. Returns what makes it, or NULL if memory runs out. */
struct producer *search_reply_new(struct status *status, const struct page_query *query,
                                  bool as_page, char etag[PAGE_ETAG_SIZE]);
