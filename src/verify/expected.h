/* What the configuration says that senders see. */
#pragma once

#include "base/arena.h"
#include "policy/policy_records.h"

/* The one TXT record that a policy has at an owner, as senders read it: its strings joined, without
 * quotes (RFC 8461 3.1); terminated, in the arena. Returns NULL if the policy has none, or if
 * memory runs out. */
const char *expected_txt(struct arena *arena, const struct policy *policy, enum owner owner);
