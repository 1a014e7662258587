/* What a run leaves in the state: synced/<primary>.list for each policy, in the form of any list
 * file, and synced/changed-domains, the names that have changed since PowerDNS's caches were
 * emptied last (contrib/pdns-mta-sts-apply empties them and removes the file). */
#pragma once

#include "base/buffer.h"
#include "sync/names.h"

/* Positive results; FAULT says more of the second. */
enum {
    LISTS_LOCKED = 1, /* another run is under way */
    LISTS_FAILED,
};

/* Makes the directory, and sees to it that there is one run at a time as long as LOCK, a
 * descriptor, is open. Returns 0, LISTS_LOCKED or LISTS_FAILED. */
int lists_lock(const char *state, int *lock, struct buffer *fault);

/* Replaces the list of a policy, of the number that the entries have, if it has changed: whole, and
 * safe on the disk. Returns 0, LISTS_FAILED or -ENOMEM. */
int lists_write(const char *state, const char *primary, const struct names *names, uint32_t policy,
                struct buffer *fault);

/* Adds names, one a line, to those that have changed. Of too many it notes that it is all. Returns
 * as lists_write does. */
int lists_note_changed(const char *state, struct text lines, struct buffer *fault);
