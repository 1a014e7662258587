/* The parts of memory_write and of reading, for memory.c alone. */
#pragma once

#include "state/memory.h"

/* Reads all policies, in the order of their primaries; the members row are their rows' ids. */
int memory_policies_read(struct state *state, const struct memory_clock *clock, struct past *out);

/* Writes policies and bodies; THEN is what the database has. */
int memory_policies_write(struct state *state, const struct memory_write *what,
                          const struct past *then);

/* Deletes the rows of policies that are gone, after their domains. */
int memory_policies_delete(struct state *state, const struct past *then, const struct past *now);

/* Reads the serials of domains. */
int memory_overrides_read(struct state *state, struct past *out);

/* Writes the domains that differ. LAST_BODY is the last body (bodies.h) that was served before what
 * is written now. There is a transaction, which may be ended and another begun. */
int memory_domains_write(struct state *state, const struct memory_write *what, int64_t last_body);

/* Puts the domains into the buckets that a seed gives. */
int memory_domains_reseed(struct state *state, uint64_t seed);
