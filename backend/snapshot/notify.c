#include "snapshot/notify.h"

#include "snapshot/zones.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

/* What was said of the zones of a snapshot. */
struct notes {
    struct snapshot *snapshot; /* NULL: there are none */
    uint32_t *serials;         /* by the zone's number; 0: none */
    uint32_t *before; /* while it is the next: 1 + the zone's number before; 0: it is new */
};

struct notify {
    pthread_mutex_t lock;
    struct notes now;
    struct notes next;       /* what room was made for */
    atomic_size_t n_pending; /* zones of which something is to be said; written under the lock */
};

static void notes_deinit(struct notes *notes)
{
    snapshot_unref(notes->snapshot);
    free(notes->serials);
    free(notes->before);
    *notes = (struct notes){0};
}

int notify_new(struct notify **out)
{
    struct notify *notify = calloc(1, sizeof(*notify));

    if (!notify)
        return -ENOMEM;
    pthread_mutex_init(&notify->lock, NULL);
    *out = notify;
    return 0;
}

void notify_free(struct notify *notify)
{
    if (!notify)
        return;
    notes_deinit(&notify->now);
    notes_deinit(&notify->next);
    pthread_mutex_destroy(&notify->lock);
    free(notify);
}

/* Finds the zones that were there before; both are in the order of ids. */
static void find_before(const struct snapshot *from, struct notes *to)
{
    const struct zones *old = snapshot_zones(from), *new = snapshot_zones(to->snapshot);
    struct zone old_zone, new_zone;

    for (size_t i = 0, k = 0; i < old->n && k < new->n;) {
        if (old->slots[i].id == new->slots[k].id) {
            snapshot_zone(from, i, &old_zone);
            snapshot_zone(to->snapshot, k, &new_zone);
            if (strcmp(old_zone.name.text, new_zone.name.text) == 0)
                to->before[k] = (uint32_t)i + 1;
        }
        if (old->slots[i].id <= new->slots[k].id)
            i++;
        else
            k++;
    }
}

int notify_prepare(struct notify *notify, struct snapshot *snapshot)
{
    size_t n = snapshot_n_zones(snapshot);
    struct notes next = {
        .snapshot = snapshot_ref(snapshot),
        .serials = calloc(n + 1, sizeof(*next.serials)),
        .before = calloc(n + 1, sizeof(*next.before)),
    };

    if (!next.serials || !next.before) {
        notes_deinit(&next);
        return -ENOMEM;
    }
    /* Only the thread that calls this replaces the current snapshot. */
    if (notify->now.snapshot)
        find_before(notify->now.snapshot, &next);
    notes_deinit(&notify->next);
    notify->next = next;
    return 0;
}

static size_t count_pending(const struct notes *notes)
{
    size_t n = 0;

    for (size_t i = 0; i < snapshot_n_zones(notes->snapshot); i++)
        n += snapshot_zone_serial(notes->snapshot, i) != notes->serials[i];
    return n;
}

/* Copies what was said of zones that are in both. */
static void carry_over(const struct notes *from, struct notes *to)
{
    for (size_t i = 0; i < snapshot_n_zones(to->snapshot); i++)
        if (to->before[i])
            to->serials[i] = from->serials[to->before[i] - 1];
    free(to->before);
    to->before = NULL;
}

void notify_adopt(struct notify *notify)
{
    struct notes before;

    pthread_mutex_lock(&notify->lock);
    if (notify->now.snapshot)
        carry_over(&notify->now, &notify->next);
    atomic_store_explicit(&notify->n_pending, count_pending(&notify->next), memory_order_relaxed);
    before = notify->now;
    notify->now = notify->next;
    notify->next = (struct notes){0};
    pthread_mutex_unlock(&notify->lock);
    notes_deinit(&before);
}

/* Finds a zone by its id. Returns its number, or -1. */
static ssize_t find(const struct notes *notes, uint32_t id)
{
    const struct zones *zones;
    size_t number;

    if (!notes->snapshot)
        return -1;
    zones = snapshot_zones(notes->snapshot);
    number = zones_find_id(zones, id);
    return number < zones->n ? (ssize_t)number : -1;
}

void notify_set(struct notify *notify, uint32_t id, uint32_t serial)
{
    struct notes *notes = &notify->now;
    ssize_t number;
    uint32_t current;
    size_t n;

    pthread_mutex_lock(&notify->lock);
    number = find(notes, id);
    if (number >= 0) {
        current = snapshot_zone_serial(notes->snapshot, (size_t)number);
        n = atomic_load_explicit(&notify->n_pending, memory_order_relaxed);
        n -= current != notes->serials[number];
        notes->serials[number] = serial;
        n += current != serial;
        atomic_store_explicit(&notify->n_pending, n, memory_order_relaxed);
    }
    pthread_mutex_unlock(&notify->lock);
}

uint32_t notify_serial(struct notify *notify, uint32_t id)
{
    uint32_t serial = 0;
    ssize_t number;

    pthread_mutex_lock(&notify->lock);
    number = find(&notify->now, id);
    if (number >= 0)
        serial = notify->now.serials[number];
    pthread_mutex_unlock(&notify->lock);
    return serial;
}

size_t notify_pending(const struct notify *notify)
{
    return atomic_load_explicit(&notify->n_pending, memory_order_relaxed);
}

struct snapshot *notify_snapshot(struct notify *notify)
{
    struct snapshot *snapshot;

    pthread_mutex_lock(&notify->lock);
    snapshot = notify->now.snapshot ? snapshot_ref(notify->now.snapshot) : NULL;
    pthread_mutex_unlock(&notify->lock);
    return snapshot;
}

size_t notify_next(struct notify *notify, const struct snapshot *snapshot, size_t from, size_t end)
{
    const struct notes *notes = &notify->now;

    pthread_mutex_lock(&notify->lock);
    if (notes->snapshot != snapshot)
        from = end;
    while (from < end && snapshot_zone_serial(snapshot, from) == notes->serials[from])
        from++;
    pthread_mutex_unlock(&notify->lock);
    return from;
}
