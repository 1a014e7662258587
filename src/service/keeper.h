/* The keeper: it writes what is published into the state (state/memory.h), after it was published,
 * and which own zones were notified.
 *
 * It has a thread of its own, the only one that writes, as a disk may be slow or hang. Nobody waits
 * for it. While the state cannot be written, for whatever reason, the service goes on: the keeper
 * says so, tries again after growing pauses, and then writes what there is by then. If the database
 * or its directory has gone, or is damaged, it makes a new one and writes all into that.
 *
 * A database may appear that has what this process has never read: its directory was mounted late,
 * or a lock has gone. What it says of domains that retire, and of serials, must not be lost, and
 * what is published now may have been made without it. So the keeper leaves it as it is, but for a
 * note for the next start (memory_leave_note), which reads it; until then that is a fault like
 * others. */
#pragma once

#include "admin/status.h"
#include "snapshot/past.h"
#include "state/memory.h"

struct keeper;

/* Starts the thread, for a state in a directory. WRITER is the number of the process that wrote
 * what the start has read of it (struct memory), or 0 if it has read nothing. Notes in STATUS how
 * it goes. All pointers must live as long as the keeper. Returns 0 or -errno. */
int keeper_new(const char *directory, int64_t writer, struct notify *notify, struct status *status,
               struct keeper **out);

/* Has a snapshot written that was published just now. PAST is that of the snapshot, with the ids
 * that wait; what it holds is taken over. LOST is what retirement_lost says of it: it counts if the
 * snapshot before was not written yet. Does nothing without a KEEPER. */
void keeper_publish(struct keeper *keeper, struct snapshot *published, struct past *past,
                    int64_t lost, const struct memory_clock *now);

/* Until when senders may hold something that was published and never written; 0: nothing, or there
 * is no KEEPER. */
int64_t keeper_unknown_until(struct keeper *keeper);

/* How far the keeper is with what was published last. */
enum keeper_progress {
    KEEPER_CURRENT, /* all is written, or there is no keeper */
    KEEPER_WRITING,
    KEEPER_FAILING, /* it cannot be written now */
};

enum keeper_progress keeper_progress(const struct keeper *keeper);

/* Says what time it is, which is to be done every few seconds: now and then, and at the end, it is
 * written, so that a start knows how long the service was stopped. Does nothing without a KEEPER.
 */
void keeper_tell_time(struct keeper *keeper, const struct memory_clock *now);

/* Has what is still to be written written, waits some time for it, and ends the thread; NULL is
 * allowed. A load may go on to ask the keeper meanwhile, and afterwards. Returns false if the
 * thread hangs: then keeper_free must not be called, and what the keeper points at must live until
 * the process ends. */
bool keeper_stop(struct keeper *keeper);

/* Frees a keeper that has stopped, and that no load uses any more; NULL is allowed. */
void keeper_free(struct keeper *keeper);
