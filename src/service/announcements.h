/* Which ids wait to be announced.
 *
 * After a reload changed the body of a policy, the new body is served at once, and the old id is
 * announced for the policy's announce_delay more: whoever asks because of a new id must get the new
 * body, from whichever server (RFC 8461 8.1). If the body changes again meanwhile, the delay begins
 * anew, with the id that senders know. A reload that leaves the body alone changes nothing in this.
 * A policy that is new, or whose id alone changed, never waits.
 *
 * An id that waits belongs to the snapshot that was loaded; what is answered from is a snapshot
 * with the ids before. When the delay ends, nothing is read again: the files may be half edited.
 *
 * All times are milliseconds of a monotonic clock that the caller reads.
 */
#pragma once

#include "snapshot/snapshot.h"

#include <time.h>

struct pending {
    uint32_t policy;            /* by its number in the loaded snapshot */
    char id[POLICY_ID_MAX + 1]; /* what is announced until then */
    int64_t since;              /* when the body changed */
    int64_t due;
};

struct announcements {
    struct pending *items; /* in the order of the policies */
    size_t n;
};

#define ANNOUNCEMENTS_INIT ((struct announcements){0})

/* Frees what they hold; they are empty and usable afterwards. */
void announcements_deinit(struct announcements *announcements);

/* Decides which ids of a newly loaded snapshot wait. PUBLISHED is what was answered from until now,
 * and BEFORE what has been waiting. Returns 0 or -ENOMEM. */
int announcements_plan(const struct announcements *before, const struct snapshot *published,
                       const struct snapshot *loaded, int64_t now, struct announcements *out);

/* Makes the snapshot to answer from, with a reference of its own: the loaded one, but for the ids
 * that are not due yet. BEFORE is what was answered from until now. Returns 0 or -ENOMEM. */
int announcements_apply(const struct announcements *announcements, struct snapshot *loaded,
                        const struct snapshot *before, int64_t now, struct snapshot **out);

/* When the next one is due, or INT64_MAX. */
int64_t announcements_next(const struct announcements *announcements);

/* Forgets those that are due, or has them wait until a later time. */
void announcements_drop_due(struct announcements *announcements, int64_t now);
void announcements_defer_due(struct announcements *announcements, int64_t now, int64_t until);

/* Describes what waits, for the log: "2 ids wait: example.net old -> new in 300 s, …"; nothing if
 * none does. */
void announcements_describe(const struct announcements *announcements,
                            const struct snapshot *loaded, int64_t now, struct buffer *out);

/* Writes what waits as JSON objects, separated by commas, for /status: "domain", "announced" and
 * "next" (the ids until and from then on) and "due", a time. NOW and CLOCK are the same moment, on
 * the clock of all times here and in seconds of the calendar's. */
void announcements_write_json(const struct announcements *announcements,
                              const struct snapshot *loaded, int64_t now, time_t clock,
                              struct buffer *out);
