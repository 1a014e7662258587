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

/* Files that take the place of those that are there when all of them are written: a disk that fills
 * up in between leaves everything as it was. */
struct lists {
    const char *state;
    struct lists_file *files;
    size_t n, capacity;
};

/* Removes what was written and has not taken its place. */
void lists_deinit(struct lists *lists);

/* Writes the list of a policy, of the number that the entries have, if it has changed. Returns 0,
 * LISTS_FAILED or -ENOMEM. */
int lists_write(struct lists *lists, const char *primary, const struct names *names,
                uint32_t policy, struct buffer *fault);

/* Writes the names that have changed: those from before, and more, one a line. Of too many it notes
 * that it is all. Returns as lists_write does. */
int lists_note_changed(struct lists *lists, struct text lines, struct buffer *fault);

/* Has what was written take its place, in this order, and sees to it that it is safe on the disk.
 * Returns as lists_write does. */
int lists_replace(struct lists *lists, struct buffer *fault);
