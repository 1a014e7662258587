/* The search of PowerDNS's API, over the records of own zones. */
#pragma once

#include "protocol/method.h"

/* searchRecords: an array of the records of own zones whose name or content matches a pattern, in
 * which '*' is any text and '?' any character. */
enum outcome zone_search_answer(const struct request *request, const struct method_context *context,
                                struct buffer *reply, struct producer **rest);
