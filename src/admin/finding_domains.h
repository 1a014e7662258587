/* All domains that have one finding of verify, in alphabetical order and some at a time. The next
 * page goes on at a name, so that each takes the same work however many there are. */
#pragma once

#include "admin/page_query.h"
#include "admin/saved.h"

#include <jansson.h>

enum { FINDING_DOMAINS = 50 /* at a time */ };

/* Why there is nothing to show. */
enum finding_domains_fault {
    FINDING_DOMAINS_GONE = 1,   /* verify has not found that, or has run again */
    FINDING_DOMAINS_UNREADABLE, /* the state has it, perhaps */
};

/* Makes {"domains", "next"} of the finding that a query asks for: each domain as domain_data_short
 * makes it, or with null members if the service does not have it any more; and the name to go on
 * with, or null. AS_PAGE adds what the finding is, flags of the domains and links. page_data_begin
 * was called. Returns 0, -ENOMEM, or an enum finding_domains_fault; then FAULT says it in words. */
int finding_domains_new(const struct status_view *view, struct saved *saved,
                        const struct page_query *query, bool as_page,
                        char fault[PAGE_QUERY_FAULT_MAX], json_t **out);
