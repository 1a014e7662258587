/* What the query string of a request for the page or for JSON asks for. */
#pragma once

#include "admin/domain_state.h"

enum {
    PAGE_QUERY_TEXT_MAX = 255, /* octets of a text to search for; names have fewer */
    PAGE_QUERY_FAULT_MAX = 256,
};

struct page_query {
    bool is_search; /* there is q, state or from */
    bool has_domain, has_state;
    char q[PAGE_QUERY_TEXT_MAX + 1]; /* decoded, without blanks at its ends; what is sought */
    enum domain_state state;
    size_t from;                          /* the number of the first domain to look at */
    bool has_finding;                     /* whose domains are asked for, */
    int64_t run, finding;                 /* by the numbers of its run and its own, */
    char first[PAGE_QUERY_TEXT_MAX + 1];  /* from this name on, which may be none */
    char domain[PAGE_QUERY_TEXT_MAX + 1]; /* decoded; maybe no name */
    size_t policies;                      /* the number of the first policy to show */
};

/* Reads the query string of a target: q, state, from, finding, domain and policies, each at most
 * once and none longer than the longest name; other fields do not count. An empty state, finding or
 * number is none. With a finding, "from" is a name, and there is neither q nor state. Returns
 * whether all are sound; if not, OUT is of no use and FAULT says why. */
bool page_query_read(struct text target, struct page_query *out, char fault[PAGE_QUERY_FAULT_MAX]);

/* Reads the name below a path such as "/domain/", percent-encoded. Returns as page_query_read does;
 * OUT is terminated. */
bool page_query_read_name(struct text name, char out[PAGE_QUERY_TEXT_MAX + 1],
                          char fault[PAGE_QUERY_FAULT_MAX]);
