/* The ids that wait to be announced.
 *
 * After a change of a policy body, the service serves the new body at once and announces the old id
 * for the policy's announce_delay (RFC 8461 8.1). Senders then see the old id, which is right, and
 * servers that were not reloaded yet may still serve the old body. Which ids wait only the running
 * service knows, so its admin listener is asked, if there is one that answers. */
#pragma once

#include "config/config.h"

struct waiting;

/* Asks the service. Returns 0, also if it does not answer, or -ENOMEM. */
int waiting_new(const struct config *config, struct waiting **out);

void waiting_free(struct waiting *waiting);
DEFINE_CLEANUP(struct waiting *, waiting_free)

/* The id that a policy announces until its own is due, or NULL if that does not wait. */
const char *waiting_id(const struct waiting *waiting, const struct policy *policy);
