/* The mail servers of all domains: each of them is tried once, at each of its addresses, however
 * many domains have it. Domains share sets of servers, so a domain costs the number of its set. */
#pragma once

#include "resolver/resolver.h"
#include "verify/fetcher.h"
#include "verify/findings.h"
#include "verify/routes.h"

struct mail_servers;

#define MAIL_SERVERS_NONE UINT32_MAX /* no set */

/* Makes an empty collection; ROUTES outlives it; TRY says whether connections are made at all
 * (--no-smtp). IDLE is called whenever the last of what was under way has ended. Returns 0 or
 * -ENOMEM. */
int mail_servers_new(struct resolver *resolver, struct fetcher *fetcher, struct routes *routes,
                     bool try, void (*idle)(void *context), void *context,
                     struct mail_servers **out);

/* Frees it, after the resolver and the fetcher were freed; NULL is allowed. */
void mail_servers_free(struct mail_servers *servers);

/* Finds the set of some hosts, or adds it and starts to try those of them that are new. Returns 0
 * and the number of the set, or -ENOMEM. */
int mail_servers_add(struct mail_servers *servers, const struct text *hosts, size_t n,
                     uint32_t *number);

/* How many servers are being looked up or tried. */
size_t mail_servers_pending(const struct mail_servers *servers);

/* Tries those once more of which something was found that may be over in a moment. */
void mail_servers_retry(struct mail_servers *servers);

/* What was found of the servers of a set: calls REPORT for each finding. LEAST_SEVERE is whether it
 * is a warning whatever the policy says. Returns 0, or what REPORT returned. */
int mail_servers_each_finding(const struct mail_servers *servers, uint32_t set,
                              int (*report)(void *context, bool least_severe, const char *expected,
                                            const char *found),
                              void *context);
