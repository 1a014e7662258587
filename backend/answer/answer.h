/* What this service answers at a name: the rows of a policy at an owner of a domain, or those of
 * a catalog zone. lookup.h finds it by a query name. */
#pragma once

#include "snapshot/snapshot.h"

enum {
    ANSWER_OWN_ROWS = 2,
    ANSWER_CONTENT_MAX = SOA_CONTENT_MAX, /* octets; any name fits, too */
};

/* The rows at a name. Not to be copied, as they may point into it. */
struct answer {
    struct domain domain;                 /* meaningless in a catalog zone */
    enum owner owner;                     /* OWNER_CATALOG in a catalog zone */
    uint32_t part;                        /* of the catalog, if the answer is in it */
    struct name name;                     /* canonical */
    struct rows rows;                     /* at least one */
    uint32_t ttl;                         /* seconds, of all rows */
    struct row own_rows[ANSWER_OWN_ROWS]; /* what the snapshot does not have ready */
    char content[ANSWER_CONTENT_MAX];     /* of the SOA record, or of one of own_rows */
    size_t content_length;
};

/* Makes the answer at an owner of a listed domain. Returns whether it has rows; if not, OUT is of
 * no use. */
bool answer_at(const struct snapshot *snapshot, const struct domain *domain, enum owner owner,
               struct answer *out);

/* The content of a row of an answer; it lives as long as the answer. */
struct text answer_content(const struct answer *answer, const struct row *row);

/* Finds the zone whose SOA record is among the rows of an answer. Returns whether one is. */
bool answer_zone(const struct snapshot *snapshot, const struct answer *answer, struct zone *out);

/* Whether an answer says that the name exists without records. */
bool answer_is_empty(const struct answer *answer);

/* Whether a row answers a question for a type, a mnemonic in any case. ANY asks for every row, an
 * empty non-terminal included. */
bool answer_matches(const struct row *row, struct text qtype);
