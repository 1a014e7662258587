/* The search of PowerDNS's API, over the records of own zones. */
#pragma once

#include "protocol/method_call.h"

/* searchRecords: an array of the records of own zones whose name or content matches a pattern, in
 * any case; '*' in it is any text, '?' any character. Returns an enum outcome or -ENOMEM. */
int zone_search(struct method_call *call);
