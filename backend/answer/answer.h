/* Synthesis: from a query name to the rows that this service answers. */
#pragma once

#include "snapshot/snapshot.h"

enum { ANSWER_OWN_ROWS = 2, ANSWER_CONTENT_MAX = 640 }; /* the latter holds any SOA record */

/* What stands at a query name. It is not to be copied, as rows may point into it. */
struct answer {
    struct domain domain;                 /* meaningless in the catalog zone */
    enum owner owner;                     /* OWNER_COUNT in the catalog zone */
    struct name name;                     /* the query name, canonical */
    struct rows rows;                     /* at least one */
    uint32_t ttl;                         /* seconds, of all rows */
    struct row own_rows[ANSWER_OWN_ROWS]; /* what the snapshot does not have ready */
    char content[ANSWER_CONTENT_MAX];     /* of the SOA record, or of rows of one's own */
    size_t content_length;
};

/* The content of a row of an answer. */
struct text answer_content(const struct answer *answer, const struct row *row);

/* Finds what stands at a query name as PowerDNS sends it. Most names that reach a remote backend
 * are not its own, so names that begin with none of the owner prefixes are turned away by their
 * first octet. Returns whether the name is ours; false for a text that is no name at all, too. */
bool answer_find(const struct snapshot *snapshot, struct text qname, struct answer *out);

/* The zone whose SOA record is among the rows of an answer. Returns whether it is. */
bool answer_zone(const struct snapshot *snapshot, const struct answer *answer, struct zone *out);

/* The same the other way round: what stands at an owner of a listed domain. Returns whether
 * anything does. */
bool answer_at(const struct snapshot *snapshot, const struct domain *domain, enum owner owner,
               struct answer *out);

/* Whether a row answers a question for a type, a mnemonic of any case: ANY asks for all, the empty
 * non-terminal of no type too. */
bool answer_matches(const struct row *row, struct text qtype);
