/* From a query name to its rows. */
#pragma once

#include "answer/answer.h"

/* Finds the rows at a query name as PowerDNS sends it: in any case, with escapes, with or
 * without a final dot. Most names that reach a remote backend are not its own, so all but a few are
 * turned away by their first octet. Returns whether the name is ours; a text that is not a name is
 * not. If it is not ours, OUT is of no use. */
bool lookup_find(const struct snapshot *snapshot, struct text qname, struct answer *out);
