/* Where reports go: whether the domain of each mailto and the host of each https of rua can be
 * reached (RFC 8460 3). Each is looked up once, however many policies have it. */
#pragma once

#include "policy/policy_records.h"
#include "resolver/resolver.h"

struct reporting;

/* Makes an empty collection. IDLE is called whenever the last look-up has ended. Returns 0 or
 * -ENOMEM.
 */
int reporting_new(struct resolver *resolver, void (*idle)(void *context), void *context,
                  struct reporting **out);

/* Frees it, after the resolver was freed; NULL is allowed. */
void reporting_free(struct reporting *reporting);

/* Looks up where the reports of a policy go, as far as it is not known. Returns 0 or -ENOMEM. */
int reporting_add(struct reporting *reporting, const struct policy *policy);

/* How many are being looked up. */
size_t reporting_pending(const struct reporting *reporting);

/* Looks those up once more that failed in a way that may be over in a moment. */
void reporting_retry(struct reporting *reporting);

/* Calls REPORT for what was found of a policy that was added. Returns 0, or what REPORT returned.
 */
int reporting_each_finding(const struct reporting *reporting, const struct policy *policy,
                           int (*report)(void *context, const char *expected, const char *found),
                           void *context);
