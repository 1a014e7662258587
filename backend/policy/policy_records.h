/* What a policy publishes, ready to be copied into answers: rows for each owner name, the policy
 * body and the ids.
 *
 * With authority overlay the rows are part of zones of another backend. With authority zones the
 * service has up to three small zones of its own for each domain, _mta-sts.<d>, _tls.<d> and
 * mta-sts.<d>: those in which the policy publishes something. These names are then apexes and have
 * a SOA record and NS records (RFC 1035 3.3.13, 3.3.11), and _smtp._tls.<d> is a name in _tls.<d>.
 * Members get the records themselves, as a CNAME is not allowed at an apex.
 */
#pragma once

#include "base/arena.h"
#include "dns/record.h"
#include "policy/policy.h"

/* The owner names that a policy gives a domain, by their prefix. */
enum owner {
    OWNER_MTA_STS,        /* _mta-sts.<d>    TXT, RFC 8461 3.1 */
    OWNER_TLSRPT,         /* _smtp._tls.<d>  TXT, RFC 8460 3 */
    OWNER_TLS_PARENT,     /* _tls.<d>        an empty non-terminal above the one before, RFC 8020 */
    OWNER_POLICY_HOST,    /* mta-sts.<d>     A and AAAA, or CNAME, RFC 8461 3.3; or an empty
                             non-terminal above the next one */
    OWNER_ACME_CHALLENGE, /* _acme-challenge.mta-sts.<d>  CNAME, challenge.h */
    OWNER_COUNT,
    OWNER_CATALOG = OWNER_COUNT, /* no owner of a domain: names in a catalog zone */
};

/* The prefix of an owner name with its final dot, for example "_mta-sts.". */
struct text owner_prefix(enum owner owner);

/* Writes the owner name of a domain, which is one that name_from_domain gave. */
void owner_name(enum owner owner, struct text domain, struct name *out);

/* Whether a canonical name is that of an owner of some domain. DOMAIN is then the name of the
 * domain, a part of NAME. */
bool owner_match(enum owner owner, struct text name, struct text *domain);

/* The owner whose name is in the own zone with the apex at another one; OWNER_COUNT if none is. */
enum owner owner_inside(enum owner apex);

/* What all own zones have in common. */
struct zone_settings {
    const struct name *nameservers;
    size_t n_nameservers;
    struct name hostmaster; /* the mailbox as a name, RFC 1035 3.3.13 */
    struct name catalog;    /* of at most ZONE_CATALOG_MAX octets; empty without catalog zones */
    uint32_t catalog_parts; /* how many catalog zones there are (zones.h): 0 without a name */
};

/* The max_age of retiring domains, in seconds: senders are to forget the policy (RFC 8461 8.3). */
enum { RETIRING_MAX_AGE = 86400 };

enum {
    ZONE_CATALOG_MAX = 200, /* octets, so that the labels of parts and members fit before it */
    ZONE_CATALOG_PARTS_MAX = 256,
    SOA_CONTENT_MAX = 640, /* octets: two names and five numbers fit */
};

/* The timers of every SOA record, in seconds (RFC 1035 3.3.13, RFC 2308 5). Refreshing is only for
 * NOTIFY messages that were lost. */
enum {
    SOA_REFRESH = 3600,
    SOA_RETRY = 600,
    SOA_EXPIRE = 2419200,
    SOA_MINIMUM = 300,
};

/* What the domains of a policy have differs by these. */
enum {
    POLICY_GROUP_CNAME = 1, /* cname members, not the primary and direct members */
    POLICY_GROUP_HELD = 2,  /* held back */
    POLICY_GROUPS = 4,
};

/* A policy as it is published. */
struct policy {
    struct text primary; /* canonical */
    enum policy_mode mode;
    uint32_t ttl;             /* seconds */
    uint32_t max_age;         /* seconds */
    uint32_t announce_delay;  /* seconds */
    bool fixed_id;            /* the operator set the id */
    bool retire;              /* domains that leave it retire, if it binds senders */
    struct text former;       /* of retiring domains (former.h); PRIMARY is then no domain */
    struct text body;         /* empty if the mode is absent, like the ids */
    struct text id;           /* what is announced */
    struct text body_id;      /* derived from the body */
    struct text certificates; /* a template (base/template.h) of the files that have the domains'
                                 certificates; empty if that is not said */
    const struct name *mx;    /* patterns of its mail servers */
    size_t n_mx;
    bool zones;                       /* the service is authoritative, in zones of its own */
    size_t n_apex_rows;               /* at each apex of these zones: SOA and NS, the first rows */
    struct rows rows[OWNER_COUNT];    /* of the primary and of direct members */
    struct rows aliases[OWNER_COUNT]; /* of cname members: one CNAME, or the ENT */
    /* The content of the CNAME record at OWNER_ACME_CHALLENGE is in both a template. */
    /* What the builder has counted: the primary and the members, those of them that are held back
     * and those that were found and are not listed, and their own zones. */
    uint32_t n_domains, n_held, n_synced, n_zones;
    uint64_t primary_hash;               /* of its primary, by the seed of the domain table */
    uint64_t name_hashes[POLICY_GROUPS]; /* the sums of a hash of their names */
    uint64_t challenge_hash;             /* the sum for their records at OWNER_ACME_CHALLENGE */
};

/* Makes what a policy publishes. ZONES is not NULL if the service is authoritative, in own zones.
 * What the policy points at lives in the arena. Returns 0 or -ENOMEM. */
int policy_records_make(struct arena *arena, const struct policy_spec *spec,
                        const struct zone_settings *zones, struct policy *out);

/* Makes what retiring domains have in place of their former policy: mode none, a short max_age, and
 * the policy host and certificates that they had. If they are listed still, without a mode, LISTED
 * is the policy that lists them, whose authority and TLSRPT record they have; else NULL. ZONES is
 * as before; it is wanted if what comes of it has zones. Returns 0 or -ENOMEM. */
int policy_records_retire(struct arena *arena, struct text former, const struct policy *listed,
                          const struct zone_settings *zones, struct policy *out);

/* Whether a policy with this primary is one of retiring domains. */
bool policy_is_retiring(struct text primary);

/* Whether domains of a policy with this primary are in the configuration: all but those that retire
 * and are not listed any more. */
bool policy_lists(struct text primary);

/* Has a policy announce another id. The policy may be a copy: rows that it shares stay as they are,
 * and the new ones live in the arena. It must have a mode. Returns 0 or -ENOMEM. */
int policy_records_announce(struct arena *arena, struct policy *policy, struct text id);

/* Whether a policy publishes where its policy host is, by addresses or an alias. */
bool policy_has_host(const struct policy *policy);

/* Whether two policies publish the same records, those that differ from zone to zone aside. */
bool policy_records_same(const struct policy *a, const struct policy *b);

/* Writes the content of a zone's SOA record (RFC 1035 3.3.13) to a text of SIZE octets, at least
 * SOA_CONTENT_MAX. Returns its length. */
size_t soa_write(char *text, size_t size, const struct zone_settings *zones, uint32_t serial);

/* Whether a policy gives its domains a zone with the apex at an owner. */
bool policy_has_zone(const struct policy *policy, enum owner owner);
