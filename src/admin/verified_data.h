/* What verify found, as the page and JSON about domains show it. page_data_begin was called
 * (page_data.h); what comes of reading the state is judged by saved.h. */
#pragma once

#include "admin/saved.h"
#include "state/verify_result.h"

#include <jansson.h>

/* Gives the overview "verified", or "unverified" if that is too long ago or never was; the widest
 * "findings", and how many there are beyond them; and how it went over time, "runs". LAST is the
 * last run, all 0 if there was none. Returns 0 or -ENOMEM. */
int verified_data_add(json_t *data, struct saved *saved, struct verify_run *last);

/* Gives a page "unreadable": {"fault"}, if the state could not be read for it. */
void verified_data_add_fault(json_t *data, const struct saved *saved);

/* Gives a policy "verified": {"ok", "warning", "error"} and the shares of each in percent; null if
 * none of its domains was looked at. Returns 0 or -ENOMEM. */
int verified_data_add_to_policy(json_t *data, struct saved *saved, struct text primary);

/* Makes the findings of a domain: an array of {"check", "severity", "found", "expected",
 * "finding"}, the last of which asks for all domains that have it (page_query.h); for the page with
 * "error", "warning", "do" and "see". Returns 0 or -ENOMEM. */
int verified_data_of_domain(struct saved *saved, struct text domain, bool for_page, json_t **out);

/* Makes one finding of the last run as the page has it, with "n" and "one" of its domains. OUT is
 * untouched if there is none. The state is open. Returns 0 or -ENOMEM. */
int verified_data_finding(struct saved *saved, int64_t number, json_t **out);
