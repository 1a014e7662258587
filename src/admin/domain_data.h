/* What is shown of a domain, as JSON and on its page. */
#pragma once

#include "admin/domain_state.h"
#include "admin/saved.h"

#include <jansson.h>

/* Makes {"domain", "policy", "kind", "state", "id", "until"}: ID is null without a mode, UNTIL
 * unless the domain is retiring. page_data_begin was called (page_data.h). */
json_t *domain_data_short(const struct status_view *view, const struct domain *domain);

/* Makes the same of a domain that the service does not have: all but its name is null. */
json_t *domain_data_absent(struct text name);

/* Has it members for templates, too: "kind_…" and "state_…", which are true, and UNTIL as a time.
 */
void domain_data_add_flags(json_t *data, const struct status_view *view,
                           const struct domain *domain);

/* Makes the same with "records", as dig shows them, "findings" of verify, and "verified", which
 * says when verify has looked at the domain, or null. SAVED is what the state has; if it cannot be
 * read, or there is none, nothing is known of verify. Returns 0 or -ENOMEM. */
int domain_data_whole(const struct status_view *view, struct saved *saved,
                      const struct domain *domain, json_t **out);

/* Makes what the page of the domain shows: the same as domain_data_short, the records as lines, the
 * findings with what to do, the policy body, those that were served before, and what happens next.
 * Returns 0 or -ENOMEM. */
int domain_data_page(const struct status_view *view, struct saved *saved,
                     const struct domain *domain, json_t **out);
