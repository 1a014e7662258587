/* Synthesis: from a query name to the rows that this service answers. */
#pragma once

#include "snapshot.h"

/* What stands at a query name. */
struct answer {
    struct domain domain;
    enum owner owner;
    struct name name; /* the query name, canonical */
    struct rows rows; /* at least one */
};

/* Finds what stands at a query name as PowerDNS sends it. Most names that reach a remote backend
 * are not its own, so names that begin with none of the owner prefixes are turned away by their
 * first octet. Returns whether the name is ours; false for a text that is no name at all, too. */
bool synthesis_find(const struct snapshot *snapshot, struct text qname, struct answer *out);

/* The same the other way round: what stands at an owner of a listed domain. Returns whether
 * anything does. */
bool synthesis_answer(const struct domain *domain, enum owner owner, struct answer *out);

/* Whether a row answers a question for a type, a mnemonic of any case: ANY asks for all, the empty
 * non-terminal of no type too. */
bool synthesis_matches(const struct row *row, struct text qtype);
