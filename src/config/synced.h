/* The members of policies that sync has found: each policy has a list of them in the state. */
#pragma once

#include "config/loader.h"

/* The path of a policy's list in a state, by the policy's primary. Returns NULL if out of memory;
 * the caller frees it. */
char *synced_path(const char *state, const char *primary);

/* Adds the members of all lists, after all that is listed was added: what is listed wins. If a list
 * is missing, the members stay that the last load had from it. Returns 0, -ECANCELED or -ENOMEM. */
int synced_add(struct loader *loader);
