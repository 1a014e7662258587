/* A former policy: what a retiring domain keeps of the policy that it had (retiring.h).
 *
 * That policy may be gone from the configuration, and the service may have been started again since
 * then, so this is a text, which the state keeps: the primary, the TTL, the authority, and the
 * policy host, which is a host name or addresses, the template of challenge.h, if there was one,
 * and where the certificates are, if that was said. For example "example.net 3600 overlay
 * 192.0.2.40 2001:db8::40 acme=%d.acme.example.net certificates=/etc/certs/%d.crt". */
#pragma once

#include "policy/policy_records.h"

/* What a text says. What it points at lives in the arena that it was read into. */
struct former {
    uint32_t ttl; /* seconds */
    bool zones;
    struct name policy_host; /* or empty */
    const struct address *addresses;
    size_t n_addresses;
    const char *acme_challenge; /* or NULL */
    const char *certificates;   /* or NULL */
};

/* Writes what domains of a policy, which has a mode, keep of it. */
void former_write(struct buffer *out, const struct policy *policy);

/* The primary of the policy that a text is of; a part of the text. */
struct text former_primary(struct text text);

/* The primary of the policy that the domains of a policy have, or had if they are retiring. */
struct text policy_original_primary(const struct policy *policy);

/* Reads such a text. Words that are none of ours are passed over: a domain must retire all the
 * same. Returns 0 or -ENOMEM. */
int former_read(struct arena *arena, struct text text, struct former *out);
