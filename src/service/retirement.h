/* Which domains retire, and until when (RFC 8461 8.3).
 *
 * A sender that has seen mode enforce for a domain acts by it for max_age from then on. So each
 * domain has an obligation, which ends when the last sender has forgotten: the latest of
 *   - for each body with mode enforce that its policy had while the domain was in it and was
 *     announced: the time when that body was last served, plus its max_age, plus the policy's ttl;
 *   - what is left of policies that it had before.
 * A domain that loses its mode before that time retires until then: it is not listed any more, or
 * under a policy without a mode, or its policy is gone. What is not known counts as long: a domain
 * goes late rather than early. With "retire: no" it goes at once.
 *
 * A retiring domain keeps what its former policy had. While that policy is still there, the domain
 * follows it, as its web server may move. */
#pragma once

#include "base/arena.h"
#include "snapshot/changes.h"
#include "snapshot/retiring.h"

/* What is decided from. */
struct retirement {
    const struct snapshot *loaded; /* what the configuration says, without retiring domains */
    const struct past *past;
    const struct domain_changes *changes; /* of LOADED since then */
    int64_t now;                          /* seconds since 1970 */
    bool uncertain; /* what there was before the past is not known, but there was something */
};

/* Finds the domains that retire. What the set points at lives as long as the changes and the arena.
 * Returns 0 or -ENOMEM. */
int retirement_decide(const struct retirement *retirement, struct arena *arena,
                      struct retiring_set *out);

/* Describes the retiring domains of a snapshot: "2 domains, until 2026-12-01T12:00:00Z at the
 * latest: a.example, b.example"; nothing without any. */
void retirement_describe(const struct snapshot *snapshot, struct buffer *out);
