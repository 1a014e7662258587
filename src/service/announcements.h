/* Which ids wait to be announced.
 *
 * A sender fetches a policy again when it sees a new id. If it saw the new id while a web server
 * still had the old body, it would keep the old body under the new id (RFC 8461 8.1). So after a
 * reload changed the body of a policy, the new body is served at once, and the old id is announced
 * for the policy's announce_delay more, until every server has the new body.
 *
 * If the body changes again meanwhile, the delay begins anew, with the id that senders know. A
 * reload that leaves the body alone changes neither the id nor the time. A policy that is new, or
 * whose id alone changed, never waits.
 *
 * The ids that wait are those of the loaded snapshot; the published one has the old ids (see
 * service.h). When the delay ends, another snapshot is published, and no file is read.
 *
 * All times are milliseconds of a monotonic clock that the caller reads.
 */
#pragma once

#include "admin/status.h"
#include "snapshot/past.h"

struct waiting_id {
    uint32_t policy;            /* by its number in the loaded snapshot */
    char id[POLICY_ID_MAX + 1]; /* what is announced until then */
    int64_t since;              /* when the body changed */
    int64_t due;
};

struct announcements {
    struct waiting_id *items; /* in the order of the policies */
    size_t n, capacity;
};

#define ANNOUNCEMENTS_INIT ((struct announcements){0})

/* Frees what they hold; they are empty and usable afterwards. */
void announcements_deinit(struct announcements *announcements);

/* Decides which ids of a newly loaded snapshot wait. Returns 0 or -ENOMEM. */
int announcements_plan(const struct past *past, const struct snapshot *loaded, int64_t now,
                       struct announcements *out);

/* Notes in the past, which is that of what is published now, which ids wait and are not due yet;
 * LOADED is the snapshot that they are of. */
void announcements_note(const struct announcements *announcements, const struct snapshot *loaded,
                        int64_t now, struct past *past);

/* Makes what a load gives, with a reference of its own: the loaded snapshot with the serials that
 * follow upon those before, and leave room for the ids that wait. Returns 0 or -ENOMEM. */
int announcements_follow(const struct announcements *announcements, const struct snapshot *loaded,
                         const struct snapshot_before *before, struct snapshot **out);

/* Makes the snapshot to publish, with a reference of its own: the loaded one, but for the ids that
 * are not due yet. BEFORE is what was published until now. Returns 0 or -ENOMEM. */
int announcements_apply(const struct announcements *announcements, struct snapshot *loaded,
                        const struct snapshot_before *before, int64_t now, struct snapshot **out);

/* When the next id is due, or INT64_MAX. */
int64_t announcements_next(const struct announcements *announcements);

/* Forgets the ids that are due, or has them wait until a later time. */
void announcements_drop_due(struct announcements *announcements, int64_t now);
void announcements_defer_due(struct announcements *announcements, int64_t now, int64_t until);

/* Describes what waits, for the log: "2 ids wait: example.net old -> new in 300 s, …"; nothing if
 * no id waits. */
void announcements_describe(const struct announcements *announcements,
                            const struct snapshot *loaded, int64_t now, struct buffer *out);

/* Makes what waits for the status, NULL if memory runs out. NOW and CLOCK are the same moment, on
 * the clock of all times here and in seconds since 1970. */
struct status_waiting *announcements_show(const struct announcements *announcements,
                                          const struct snapshot *loaded, int64_t now, time_t clock);
