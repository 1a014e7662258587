/* Look-ups as the strictest senders' resolvers make them: with DNSSEC validation (RFC 4035),
 * minimised names (RFC 9156), and NXDOMAIN taken at its word (RFC 8020, RFC 8198). libunbound does
 * this on the event base of the caller; it shares what many look-ups need, and forgets all of it at
 * the end, so no answer is from an earlier run. */
#pragma once

#include "resolver/dns_answer.h"

struct event_base;
struct resolver;

struct resolver_setup {
    const char *forward;      /* "192.0.2.1@53": ask that server; NULL: the root servers */
    const char *trust_anchor; /* a file with DS or DNSKEY records; NULL: nothing is validated */
    const char *root_hints;   /* a file; NULL: what libunbound has built in */
};

/* What a look-up calls at its end; the answer lives until it returns. */
typedef void (*resolver_done)(void *context, const struct dns_answer *answer);

/* Makes a resolver; the texts of the setup live as long. Returns 0, -ENOMEM, or RESOLVER_REFUSED
 * and why in FAULT. */
int resolver_new(struct event_base *base, const struct resolver_setup *setup, const char **fault,
                 struct resolver **out);

enum { RESOLVER_REFUSED = 1 };

/* Ends all look-ups, without calling what they would call, and frees the resolver; NULL is
 * allowed. */
void resolver_free(struct resolver *resolver);

/* Forgets every answer, and which servers did not answer, so that the next look-ups ask again. No
 * look-up may be under way. Returns 0 or -ENOMEM. */
int resolver_forget(struct resolver *resolver);

/* Looks a name up; DONE is called later, or before this returns. Returns 0 or -ENOMEM. */
int resolver_ask(struct resolver *resolver, const char *name, ns_type type, resolver_done done,
                 void *context);
