/* Which own zones their secondaries have been told of (NOTIFY, RFC 1996).
 *
 * PowerDNS asks again and again for the zones that have changed, notifies their secondaries and
 * says so. What it has said is kept here, in memory, apart from the snapshots: this is the one
 * thing that threads share and write. A lock protects it, which no look-up takes.
 */
#pragma once

#include "base/producer.h"
#include "snapshot/snapshot.h"

struct notify;

/* Makes an empty one. Returns 0 or -ENOMEM. */
int notify_new(struct notify **out);

/* Frees it; NULL is allowed. */
void notify_free(struct notify *notify);

/* Makes room for the zones of a snapshot, before it is published. Returns 0 or -ENOMEM. */
int notify_prepare(struct notify *notify, struct snapshot *snapshot);

/* Goes on with the snapshot that room was made for: what was said of the same zones is kept. */
void notify_adopt(struct notify *notify);

/* Notes that the secondaries of a zone were told of a serial. An id without a zone is ignored: it
 * may have gone since. */
void notify_set(struct notify *notify, uint32_t id, uint32_t serial);

/* The serial that was last notified of a zone, 0 if none was. */
uint32_t notify_serial(struct notify *notify, uint32_t id);

/* How many zones have a serial that was not notified. This takes no lock, and may be a moment old.
 */
size_t notify_pending(const struct notify *notify);

/* The snapshot that the notes are about, a reference of the caller's; NULL before the first. */
struct snapshot *notify_snapshot(struct notify *notify);

/* Finds the next zone whose serial was not notified, among the numbers FROM to END - 1 of a
 * snapshot that the notes are about. Returns its number, or END if there is none, or they are about
 * another snapshot meanwhile. */
size_t notify_next(struct notify *notify, const struct snapshot *snapshot, size_t from, size_t end);
