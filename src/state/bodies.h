/* The policy bodies that were served, each with when it was first and last served (RFC 8461 8.3
 * needs to know under which of them a sender may still hold a policy). */
#pragma once

#include "policy/policy_records.h"
#include "state/state.h"

/* Finds the number of the body that began to be served last, of whichever policy; 0: none. Those
 * that begin later have higher ones. Returns 0, STATE_FAILED or -ENOMEM. */
int bodies_find_last(struct state *state, int64_t *out);

/* Notes that a policy serves its body (none, without a mode) from FIRST on, and served the one
 * before until LAST. Old ones that no sender can hold any more are forgotten, but for the latest.
 * In a transaction of the caller's. Returns 0, STATE_FAILED or -ENOMEM. */
int bodies_serve(struct state *state, const struct policy *policy, int64_t first, int64_t last);

/* Notes that the policy of a primary is not served any more. The same. */
int bodies_end(struct state *state, struct text primary, int64_t last);

/* Notes that the records that lead to a body that is served live longer than those before; seconds.
 * The same. */
int bodies_live_longer(struct state *state, struct text primary, uint32_t ttl);

/* A body that is, or was served. */
struct served_body {
    struct text body, mode; /* these live until the next one */
    int64_t max_age, ttl;   /* seconds */
    int64_t first, last;    /* seconds since 1970 */
    bool served;            /* still; LAST says nothing */
};

/* Until when senders may hold a body, for as long as it has been served at a time. */
int64_t served_body_until(const struct served_body *body, int64_t now);

/* Hands the bodies of a primary's policy to a function, the latest first. Returns 0, STATE_FAILED
 * or -ENOMEM. */
int bodies_each(struct state *state, struct text primary,
                void (*use)(const struct served_body *body, void *context), void *context);
