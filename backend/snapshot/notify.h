/* Which own zones their secondaries have been told of (NOTIFY, RFC 1996).
 *
 * PowerDNS asks again and again for the zones that have changed, notifies their secondaries and
 * says so. Per zone, the serial that it notified last is kept here, in memory and apart from the
 * snapshots: all threads read and write it, under a lock that no look-up takes. A zone is pending
 * if that serial is not the one it has.
 *
 * There may be millions of zones, and threads that answer must not wait for a reload. So
 * notify_prepare makes the notes about the next snapshot while those about the current one are in
 * use, and takes the lock for some zones at a time only. What PowerDNS says meanwhile is noted in
 * both. notify_adopt then does no more than swap the two.
 */
#pragma once

#include "snapshot/snapshot.h"

struct notify;

/* Makes notes about no snapshot. Returns 0 or -ENOMEM. */
int notify_new(struct notify **out);

/* Frees them; NULL is allowed. No other thread may use them any more. */
void notify_free(struct notify *notify);
DEFINE_CLEANUP(struct notify *, notify_free)

/* What was notified, so that it can be kept over a restart. Of some zones there is the serial that
 * was notified last, which need not be the one that they have. All others were notified if their
 * serial is not above a number. So a few rows say what is notified of a million zones, also if one
 * of them is to be notified again. */
struct notified_zone {
    uint32_t id, serial;
};

struct notified {
    uint32_t all_to;
    struct notified_zone *zones; /* in the order of ids when they are read */
    size_t n, capacity;
};

#define NOTIFIED_INIT ((struct notified){0})

void notified_deinit(struct notified *notified);

/* Prepares the switch to a snapshot, of which it takes a reference: what is known of zones that are
 * in the current one, too, is kept. If there is no current one, KEPT, which may be NULL, says what
 * is known. notify_adopt then cannot fail. The two never run at once: the thread of a load
 * prepares, and when it has ended the thread that publishes adopts. Returns 0 or -ENOMEM; then
 * nothing has changed. */
int notify_prepare(struct notify *notify, struct snapshot *snapshot, const struct notified *kept);

/* Switches to the snapshot of the last notify_prepare. */
void notify_adopt(struct notify *notify);

/* Notes that the secondaries of a zone were told of a serial. An id without a zone is ignored: the
 * zone may have gone since. */
void notify_set(struct notify *notify, uint32_t id, uint32_t serial);

/* The serial that was notified last of a zone, 0 if none was. */
uint32_t notify_serial(struct notify *notify, uint32_t id);

/* Takes what is to be kept, as far as it has changed since this was called last: the zones, in
 * the order in which it was said, and up to which serial all others are notified. Returns whether
 * none is pending, so that ALL_TO says all. */
bool notify_take(struct notify *notify, struct notified *out);

/* Says that something of what was taken is lost: until none is pending, no zone counts as notified
 * in what is taken that is not listed. */
void notify_forget(struct notify *notify);

/* How many zones are pending. This takes no lock, and may be a moment old. */
size_t notify_pending(const struct notify *notify);

/* The current snapshot, a reference of the caller's; NULL before the first. */
struct snapshot *notify_snapshot(struct notify *notify);

/* Finds the next pending zone among the numbers FROM to END - 1 of a snapshot. Returns its number,
 * or END if there is none, or if the snapshot is no longer the current one. */
size_t notify_next(struct notify *notify, const struct snapshot *snapshot, size_t from, size_t end);
