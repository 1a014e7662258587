/* Finding domains by a part of their name, by their state, or just by their number: a scan over the
 * snapshot, in steps, between which other requests to the admin listener are answered. Nothing is
 * kept between two requests: the next page goes on at the number of a domain. */
#pragma once

#include "admin/page_query.h"

enum {
    DOMAIN_SEARCH_HITS = 50,    /* found at a time */
    DOMAIN_SEARCH_STEP = 50000, /* domains that one step looks at */
};

struct domain_search {
    struct status_view view; /* of the moment when it began */
    struct page_query query;
    char wanted[PAGE_QUERY_TEXT_MAX + 1]; /* Q as names have it, */
    size_t length;                        /* in octets */
    size_t cursor;
    size_t number; /* of the next domain */
    struct domain hits[DOMAIN_SEARCH_HITS];
    size_t n;
    bool has_next; /* there are further hits, */
    size_t next;   /* the first of them has this number */
};

/* Begins. The query's Q is compared without regard to case; if it has other characters than ASCII
 * and is a name, by the A-labels of that. A final dot is one in the name, or the end of it. Returns
 * 0 or -ENOMEM; the search is to be ended in any case. */
int domain_search_begin(struct domain_search *search, struct status *status,
                        const struct page_query *query);

/* Goes on for a step. Returns whether there are more. */
bool domain_search_step(struct domain_search *search);

/* Ends; it may have been zeroed only. */
void domain_search_end(struct domain_search *search);
