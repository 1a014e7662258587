/* Rows as PowerDNS wants them in a result. */
#pragma once

#include "answer/answer.h"

/* Writes a row of an answer: {"qtype":…,"qname":…,"content":…,"ttl":…} and, unless ZONE_ID is 0,
 * "domain_id", the id of its zone. */
void json_row_write(struct buffer *out, const struct answer *answer, const struct row *row,
                    uint32_t zone_id);

/* The id that PowerDNS needs with a row of a lookup: that of its zone for a SOA record, else 0. */
uint32_t json_row_zone_id(const struct snapshot *snapshot, const struct answer *answer,
                          const struct row *row);
