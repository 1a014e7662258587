/* What a reload changes, in words: the comparison of two snapshots. */
#pragma once

#include "base/buffer.h"
#include "snapshot/changes.h"

/* Describes, in one line for the log, how the new snapshot differs: the numbers of policies and
 * domains, how many were added, removed and changed, the number of catalog zones if that has
 * changed, and the ids that changed, old and new. */
void reload_describe(const struct snapshot *before, const struct snapshot *after,
                     const struct domain_changes *changes, struct buffer *out);

/* The last part of that: "ids: example.net old -> new, …", or nothing. */
void reload_describe_ids(const struct snapshot *before, const struct snapshot *after,
                         struct buffer *out);

/* Calls WARN for every policy with a fixed id that kept its id while its body changed: senders
 * would not notice the change (RFC 8461 3.1). */
void reload_check_ids(const struct snapshot *before, const struct snapshot *after,
                      void (*warn)(const struct policy *policy, void *context), void *context);

/* How many domains come into the configuration by the changes, and how many leave it. */
size_t reload_count_added(const struct snapshot *after, const struct domain_changes *changes);
size_t reload_count_removed(const struct snapshot *after, const struct domain_changes *changes);

/* Whether removing so many of N domains is more than a limit in percent allows. Fewer than
 * RELOAD_REMOVED_MIN are never too many. */
bool reload_removes_too_many(size_t removed, size_t n, uint32_t limit);

enum { RELOAD_REMOVED_MIN = 100 };
