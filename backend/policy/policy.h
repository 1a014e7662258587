/* What a policy publishes: the MTA-STS policy body and its id (RFC 8461), the TLSRPT record
 * (RFC 8460), and the addresses or the name of the policy host. */
#pragma once

#include "base/buffer.h"
#include "dns/address.h"
#include "dns/name.h"

enum {
    POLICY_MAX_AGE_MAX = 31557600, /* seconds, RFC 8461 3.2 */
    POLICY_ID_MAX = 32,            /* letters and digits, RFC 8461 3.1 */
    POLICY_TTL_MAX = 2147483647,   /* seconds, RFC 2181 8 */
    POLICY_BODY_MAX = 65536,       /* octets; senders may stop reading here, RFC 8461 3.3 */
    POLICY_RUA_TEXT_MAX = 16384,   /* octets of one TLSRPT record, so that a DNS message holds it */
};

/* Where the policy host serves the policy body, RFC 8461 3.3. */
#define POLICY_PATH "/.well-known/mta-sts.txt"

enum policy_mode {
    POLICY_MODE_ABSENT, /* no MTA-STS records */
    POLICY_MODE_ENFORCE,
    POLICY_MODE_TESTING,
    POLICY_MODE_NONE,
};

/* The mode as a policy body has it; NULL for POLICY_MODE_ABSENT. */
const char *policy_mode_text(enum policy_mode mode);

/* What the operator wants of one policy. All that it points at belongs to the caller, who has
 * checked that the values are within the limits above. */
struct policy_spec {
    struct name primary;
    enum policy_mode mode;
    const struct name *mx; /* patterns, at least one unless mode is absent or none */
    size_t n_mx;
    uint32_t max_age;     /* seconds */
    const char *fixed_id; /* NULL: derived from the policy body */
    const char *const *rua;
    size_t n_rua; /* 0: no TLSRPT records */
    const struct address *addresses;
    size_t n_addresses;
    struct name policy_host;    /* the host name that mta-sts.<primary> is an alias of, or empty */
    const char *acme_challenge; /* a template (challenge.h), or NULL */
    uint32_t ttl;               /* seconds, of every record of the policy */
    uint32_t announce_delay;    /* seconds that a new id waits after the body has changed */
    const char *certificates;   /* a template of the files that domains wait for, or NULL */
    bool held;                  /* the primary's TXT record is held back */
    bool retire;                /* domains that leave the policy retire (RFC 8461 8.3) */
    bool zones;                 /* in zones of the service's own; POLICY_HOST must then be empty */
};

/* Whether a text may be an id: 1 to 32 ASCII letters or digits (RFC 8461 3.1). */
bool policy_id_valid(struct text id);

/* Writes the policy body with CRLF line ends (RFC 8461 3.2): version, mode, mx in the given order
 * (none with mode none), max_age. The mode must not be absent. */
void policy_write_body(struct buffer *out, const struct policy_spec *spec);

/* Whether one of the patterns of a policy covers an MX (RFC 8461 4.1): it equals the host's name,
 * or is "*." and the name without its first label. The host is canonical. */
bool policy_covers_mx(const struct name *patterns, size_t n, struct text host);

/* Derives the id from a policy body: the first 16 octets of its SHA-256 in hexadecimal, so that it
 * changes exactly when the body does and is the same on every server. */
void policy_derive_id(struct text body, char id[POLICY_ID_MAX + 1]);

/* What may be wrong with a reporting URI; positive, for the caller to report. */
enum rua_fault {
    RUA_SCHEME = 1,   /* neither mailto: nor https: */
    RUA_RESERVED,     /* ',', '!' or ';' unencoded */
    RUA_CHARACTER,    /* not a URI character (RFC 3986 2) */
    RUA_UNICODE_HOST, /* the same in the name of the host, which has a form in ASCII */
    RUA_PERCENT,      /* '%' without two hexadecimal digits */
    RUA_NO_MAILBOX,   /* mailto: without local part, '@' and domain */
    RUA_NO_HOST,      /* https: without a host */
};

/* Checks a reporting URI (RFC 8460 3): mailto: or https:, printable, and without the characters
 * that the record gives a meaning of their own. Returns 0 or an enum rua_fault. */
int rua_check(struct text uri);

/* Finds the host of a reporting URI: of an address the domain; of an https URI the authority, with
 * a port if there is one. Returns 0, RUA_SCHEME, or that it is missing. */
int rua_host(struct text uri, bool *mail, struct text *host);

/* What each enum rua_fault is in a message. */
extern const struct fault_text rua_faults[];
