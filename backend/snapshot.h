/* The snapshot: everything answers are made from. A builder collects policies and domains, freezing
 * it gives a snapshot, and nothing in a snapshot ever changes, so any number of threads may read it
 * without locks. It is counted by references; a reload replaces it whole.
 *
 * The domain table inside holds one small entry a domain, packed in one run of bytes, and an
 * open-addressed index over it: see table.h.
 */
#pragma once

#include "policy.h"

/* The owner names that a policy gives a domain, by their prefix. */
enum owner {
    OWNER_MTA_STS,     /* _mta-sts.<d>    TXT, RFC 8461 3.1 */
    OWNER_TLSRPT,      /* _smtp._tls.<d>  TXT, RFC 8460 3 */
    OWNER_TLS,         /* _tls.<d>        an empty non-terminal above the one before, RFC 8020 */
    OWNER_POLICY_HOST, /* mta-sts.<d>     A and AAAA, or CNAME, RFC 8461 3.3 */
    OWNER_COUNT,
};

/* The prefix of an owner name with its final dot, for example "_mta-sts.". */
struct text owner_prefix(enum owner owner);

/* Record types that this service synthesizes; RECORD_ENT is PowerDNS's row for a name that exists
 * without records. */
enum record_type {
    RECORD_ENT,
    RECORD_A,
    RECORD_AAAA,
    RECORD_CNAME,
    RECORD_TXT,
    RECORD_TYPE_COUNT,
};

/* The mnemonic, for example "TXT". */
struct text record_type_text(enum record_type type);

/* What a record says: its type and its content in PowerDNS's form. */
struct row {
    enum record_type type;
    struct text content;
};

/* The rows of one owner name. */
struct rows {
    const struct row *first;
    size_t n;
};

/* How a domain takes part in its policy. */
enum domain_kind {
    DOMAIN_PRIMARY,
    DOMAIN_DIRECT, /* a member that gets the same records as the primary */
    DOMAIN_CNAME,  /* a member that gets CNAMEs to the primary's names */
};

/* A policy as it is published. */
struct policy {
    struct text primary; /* canonical */
    enum policy_mode mode;
    uint32_t ttl;                  /* seconds */
    uint32_t max_age;              /* seconds */
    bool fixed_id;                 /* the operator set the id */
    struct text body;              /* empty if the mode is absent */
    struct text id;                /* what is announced, empty if the mode is absent */
    struct text own_id;            /* the id derived from the body, empty if the mode is absent */
    uint32_t announce_delay;       /* seconds */
    struct rows rows[OWNER_COUNT]; /* of the primary and of direct members */
    struct rows aliases[OWNER_COUNT]; /* of cname members: one CNAME, or the ENT */
};

struct snapshot;
struct builder;

/* Makes an empty builder. The seed makes the order of the table's index unpredictable, so that
 * nobody can prepare names that collide in it. Returns 0 or -ENOMEM. */
int builder_new(uint64_t seed, struct builder **out);

/* Frees a builder and all it holds; NULL is allowed. */
void builder_free(struct builder *builder);

/* The positive result of adding: the table cannot address more domains. */
enum { BUILDER_FULL = 1 };

/* Adds a policy and its primary. WHERE is a mark of the caller's own, for example a place in a
 * file; it comes back if the same domain is added again. The policies are numbered from 0 in the
 * order of their adding. Returns 0, BUILDER_FULL or -ENOMEM. */
int builder_add_policy(struct builder *builder, const struct policy_spec *spec, uint64_t where,
                       uint32_t *policy);

/* Adds a member, DOMAIN_DIRECT or DOMAIN_CNAME, to a policy; HELD says whether its _mta-sts name is
 * held back. The name is one that name_from_domain gave. Returns as builder_add_policy does. */
int builder_add_member(struct builder *builder, uint32_t policy, enum domain_kind kind, bool held,
                       const struct name *domain, uint64_t where);

/* A domain that was added again: where and in which policies. */
struct builder_clash {
    struct text name;
    uint32_t first_policy, policy;
    uint64_t first_where, where;
};

/* Turns the builder into a snapshot with one reference, which the caller owns; the builder is empty
 * afterwards and is to be freed. Domains that were added again are left out, and handed to CLASH in
 * the order of their adding. Memory that only building needed is given back. Returns 0 or -ENOMEM
 * (the builder is then only good for freeing). */
int builder_freeze(struct builder *builder,
                   void (*clash)(const struct builder_clash *clash, void *context), void *context,
                   struct snapshot **out);

/* An id that a policy announces in place of its own. */
struct announcement {
    uint32_t policy; /* by number */
    struct text id;
};

/* Makes a snapshot, with one reference, that differs from another in the ids that some policies
 * announce, policies which have a mode. The two share the domains, so this costs only the policies.
 * FROM must come from builder_freeze; it lives as long as the new one needs it. Returns 0 or
 * -ENOMEM. */
int snapshot_announce(struct snapshot *from, const struct announcement *announcements, size_t n,
                      struct snapshot **out);

/* Takes a further reference; returns the snapshot. */
struct snapshot *snapshot_ref(struct snapshot *snapshot);

/* Drops a reference; the last one frees the snapshot. NULL is allowed. Returns NULL. */
struct snapshot *snapshot_unref(struct snapshot *snapshot);

/* A domain of the snapshot. The text lives as long as the snapshot. */
struct domain {
    struct text name; /* canonical */
    enum domain_kind kind;
    bool held; /* its _mta-sts name is held back */
    const struct policy *policy;
};

/* Finds a domain by its canonical name. Returns whether it is listed. */
bool snapshot_find(const struct snapshot *snapshot, struct text name, struct domain *out);

/* Visits every domain, in the order of their adding: start with CURSOR 0 and go on until false. */
bool snapshot_next_domain(const struct snapshot *snapshot, size_t *cursor, struct domain *out);

/* The memory that the snapshot takes, in bytes. */
size_t snapshot_size(const struct snapshot *snapshot);

size_t snapshot_n_domains(const struct snapshot *snapshot);
size_t snapshot_n_held(const struct snapshot *snapshot); /* domains that are held back */
size_t snapshot_n_policies(const struct snapshot *snapshot);

/* The policies by number, 0 to snapshot_n_policies() - 1, in the order of their adding. */
const struct policy *snapshot_policy(const struct snapshot *snapshot, size_t number);

/* The rows that a domain has at an owner; none if the policy does not publish that owner, or the
 * domain is held back from it. */
struct rows domain_rows(const struct domain *domain, enum owner owner);
