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
 * follows it, as its web server may move.
 *
 * All times are of the clock of the state (state/state_clock.h). */
#pragma once

#include "snapshot/changes.h"
#include "snapshot/retiring.h"
#include "state/state.h"

/* What is decided from, and what is decided. */
struct retirement {
    const struct past *past;
    const struct snapshot
        *published;        /* that the past is of; NULL: what the state has, or nothing */
    struct state *state;   /* open; NULL: none, or one that is opened when needed, */
    const char *directory; /* in here; NULL: there is none */
    int64_t now;
    bool uncertain;        /* the state lacks something of what was published */
    int64_t unknown_until; /* it always will, of what senders may hold until then; 0: nothing */

    struct retiring_set set; /* in the end all that retire; in the beginning those of the past */
    struct arena arena;      /* what it points at */
    size_t n_lost;           /* domains that should begin to retire, and do not without a state */
};

void retirement_deinit(struct retirement *retirement);

/* Has the domains retire in a snapshot that are to: those of the set whose time is not over, and
 * those that begin to. LOADED is what was read or loaded last; it is replaced if there are any.
 * CHANGES, which are empty, are then how the domains of LOADED differ from those of the past.
 * Returns 0, STATE_FAILED if the state cannot tell the changes, or -ENOMEM. */
int retirement_apply(struct retirement *retirement, struct snapshot **loaded,
                     struct domain_changes *changes);

/* Tells until when senders may hold a policy with mode enforce that domains had in BEFORE, which is
 * NULL at the start, and do not have in NEXT, without retiring: another body or another policy took
 * its place, and only a state that was told of both knows it. NOW is the time when NEXT is
 * published. 0: there is none. */
int64_t retirement_lost(const struct snapshot *before, const struct snapshot *next,
                        const struct domain_changes *changes, int64_t now);

/* Describes the retiring domains of a snapshot: "2 domains, until 2026-12-01T12:00:00Z at the
 * latest: a.example, b.example"; nothing without any. AHEAD is that of the clock of the state. */
void retirement_describe(const struct snapshot *snapshot, int64_t ahead, struct buffer *out);

/* Describes those that are retiring no more, with nothing else changed: "1 domain: a.example". */
void retirement_describe_ended(const struct domain_changes *changes, struct buffer *out);
