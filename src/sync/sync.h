/* The run of `pdns-mta-sts sync`: names from a source, their MX records from a name server, lists
 * of members for the service.
 *
 * Whatever goes wrong, nothing has changed then: the lists are written when everything was read to
 * its end and judged. A source without names is broken. Names whose look-up fails stay where they
 * were. A run that would take too many names out of the lists, or in which too many look-ups fail,
 * is refused. */
#pragma once

#include "config/config.h"

/* Says on stderr what keeps sync from running with a configuration at all. Returns whether it can.
 */
bool sync_can_run(const struct config *config);

/* Goes on as the owner of the state, if root runs this (state_directory_become_owner); says on
 * stderr what is wrong. Returns whether it goes on. */
bool sync_drop_root(const struct config *config);

/* Sees to it that no other run is under way as long as LOCK, a descriptor, is open; says on stderr
 * if one is. What the lists hold is certain only in a configuration that is loaded afterwards.
 * Returns whether it is locked. */
bool sync_lock(const struct config *config, int *lock);

/* Runs with a configuration that was loaded; a DRY_RUN changes nothing and prints the same. What
 * was found goes to stdout, what is wrong to stderr. Returns whether the run has come to its end
 * and was not refused. */
bool sync_run(const struct config *config, bool dry_run);
