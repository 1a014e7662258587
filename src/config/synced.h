/* The members of policies that sync has found: each policy has a list of them in the state. */
#pragma once

#include "config/loader.h"

/* The path of a policy's list in a state, by the policy's primary. Returns NULL if out of memory;
 * the caller frees it. */
char *synced_path(const char *state, const char *primary);

/* Locks the lists of a state while several of them are read, or, ALONE, while they are replaced: a
 * name that moves from one list to another must not be missed in both. Waits two seconds at most,
 * and then goes on without: the directory is open to all, and nobody may hold up a load with it.
 * Returns a descriptor, whose end is that of the lock, or a negative number if there are no lists.
 */
int synced_lock(const char *state, bool alone);

/* Adds the members of all lists, after all that is listed was added: what is listed wins. If a list
 * is missing, the members stay that the last load had from it. Returns 0, -ECANCELED or -ENOMEM. */
int synced_add(struct loader *loader);
