/* Connections as senders make them, to one address at a time: HTTPS for a policy (RFC 8461 3.3),
 * SMTP with STARTTLS up to the certificate (RFC 3207, RFC 8461 4.2). libcurl makes them, on the
 * event base of the caller; no proxy, cookie or configuration of the environment has a part in it.
 *
 * At most FETCHER_CONNECTIONS_EACH connections to one address are open at a time, and
 * FETCHER_CONNECTIONS together; what is beyond waits. An address that FETCHER_PATIENCE connections
 * in a row could not reach, or got no reply from in time, is given up for their kind: what waits
 * for it, and what would be fetched later, ends as the last of them did. */
#pragma once

#include "base/buffer.h"
#include "dns/address.h"

#include <time.h>

struct event_base;
struct fetcher;

enum {
    FETCHER_CONNECTIONS = 128,
    FETCHER_CONNECTIONS_EACH = 8,
    FETCHER_PATIENCE = 8,
    FETCH_BODY_MAX = 64 << 10, /* bytes that senders read, RFC 8461 3.3 */
    FETCH_SECONDS_MAX = 60,    /* for all of it, with TCP and TLS; RFC 8461 3.3 */
    FETCHED_REASON_SIZE = 160,
};

enum fetch_outcome {
    FETCH_DONE,
    FETCH_NO_CONNECTION, /* refused, unreachable, or no answer in time */
    FETCH_NO_STARTTLS,   /* SMTP: not offered, or refused */
    FETCH_NO_TLS,        /* no handshake with TLS 1.2 or later */
    FETCH_UNTRUSTED,     /* the certificate does not chain to a trusted root */
    FETCH_EXPIRED,       /* the certificate has expired, or is not valid yet */
    FETCH_OTHER_NAME, /* the certificate is for other names, or has them in its common name alone */
    FETCH_TOO_LARGE,  /* more than FETCH_BODY_MAX of headers, body or greeting */
    FETCH_TOO_SLOW,   /* connected, but a reply or its end did not come in time */
    FETCH_BROKEN,     /* the peer does not speak the protocol, or refuses us */
};

/* What came of a connection. It lives until the callback returns. */
struct fetched {
    enum fetch_outcome outcome;
    char detail[160];         /* what is known of a failure beyond that, from outside; or "" */
    long status;              /* of HTTP or SMTP; 0: none */
    const char *content_type; /* of HTTP, from outside; NULL: none */
    struct text body;
    time_t certificate_ends; /* 0: not known */
};

/* Why it failed, for the end of a sentence: " (…)", quoted, or "". Returns OUT. */
const char *fetched_reason(const struct fetched *fetched, char out[static FETCHED_REASON_SIZE]);

typedef void (*fetcher_done)(void *context, const struct fetched *fetched);

enum fetch_kind {
    FETCH_HTTPS, /* GET POLICY_PATH, port 443 */
    FETCH_SMTP,  /* EHLO, STARTTLS, EHLO, QUIT, port 25 */
    FETCH_KIND_COUNT,
};

/* Makes a fetcher; CA_FILE has the trusted roots, NULL for those of the system. Returns 0 or
 * -ENOMEM.
 */
int fetcher_new(struct event_base *base, const char *ca_file, struct fetcher **out);

/* Ends all connections, without calling what they would call, and frees the fetcher; NULL is
 * allowed. */
void fetcher_free(struct fetcher *fetcher);

/* Connects to a host, by its name in canonical text, at one address. DONE is called later, never
 * before this returns. Returns 0 or -ENOMEM. */
int fetcher_start(struct fetcher *fetcher, enum fetch_kind kind, const char *host,
                  const struct address *address, fetcher_done done, void *context);

/* Forgets which addresses were given up. */
void fetcher_forgive(struct fetcher *fetcher);
