/* What came of a DNS question, out of a message in wire form (RFC 1035 4.1): the records of the
 * type that was asked, at the end of the chain of CNAMEs, in text.
 *
 * Everything in it comes from outside. Names are lower case, without the final dot, and with the
 * escapes of master files (RFC 1035 5.1); the values of TXT records are octets as they came. */
#pragma once

#include "base/arena.h"

#include <arpa/nameser.h>

enum { DNS_VALUES_MAX = 256 }; /* records of one type that are kept; more are of no use */

enum dns_outcome {
    DNS_FOUND,     /* there are records of the type */
    DNS_NO_DATA,   /* the name exists, without such a record (RFC 2308 2.2) */
    DNS_NO_NAME,   /* NXDOMAIN */
    DNS_FAILED,    /* another rcode, SERVFAIL or REFUSED for example */
    DNS_NO_ANSWER, /* nothing came in time */
    DNS_MALFORMED, /* what came is no answer to the question */
};

struct dns_answer {
    enum dns_outcome outcome;
    int rcode;          /* where the outcome is DNS_FAILED */
    bool authoritative; /* the AA bit */
    bool truncated;     /* the TC bit */
    bool bogus;         /* validation failed (RFC 4035 4.3); set by the resolver */
    const char *reason; /* why, or NULL */
    const char *alias;  /* the target of a CNAME at the name itself, or NULL */
    const char *zone;   /* the owner of a SOA record in the authority section, or NULL */
    /* TXT: the joined strings (RFC 8461 3.1). A, AAAA: the address. MX, NS: the host's name. */
    struct text *values;
    size_t n_values;
};

/* Reads a message that answers a question for NAME and TYPE. What it finds lives in the arena.
 * Malformed messages give DNS_MALFORMED, with the TC bit. Returns 0 or -ENOMEM. */
int dns_answer_read(const uint8_t *message, size_t size, const char *name, ns_type type,
                    struct arena *arena, struct dns_answer *out);

/* Whether there is no answer that says anything of the name and type: it failed, or is bogus. */
bool dns_answer_is_failure(const struct dns_answer *answer);

/* Whether asking again later may well give something else: nothing came, or SERVFAIL. */
bool dns_answer_is_transient(const struct dns_answer *answer);

/* An rcode as people know it, for example "SERVFAIL". The text is a constant or in BUFFER. */
const char *dns_rcode_text(int rcode, char buffer[static 16]);
