#include "snapshot/notify.h"

#include "base/array.h"
#include "snapshot/zones.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

enum {
    ZONES_AT_ONCE = 256, /* that are prepared without giving others the lock */
    NEWS_MAX = 1 << 20,  /* zones that are noted; others will be notified again after a restart */
};

struct notes {
    struct snapshot *snapshot; /* a reference; NULL: there are no notes */
    uint32_t *serials;         /* notified last, by the zone's number; 0: none */
    size_t n_pending;
    uint32_t highest; /* serial of all */
};

struct notify {
    pthread_mutex_t lock;
    struct notes now;
    struct notes next;       /* in preparation */
    uint32_t *numbers;       /* of the zones of NEXT: their numbers in NOW and 1; 0: not in there */
    size_t n_prepared;       /* zones of NEXT, the first ones */
    atomic_size_t n_pending; /* of NOW; written under the lock */
    struct notified news;    /* for notify_take */
};

void notified_deinit(struct notified *notified)
{
    free(notified->zones);
    *notified = NOTIFIED_INIT;
}

static void notes_deinit(struct notes *notes)
{
    snapshot_unref(notes->snapshot);
    free(notes->serials);
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
    free(notify->numbers);
    notified_deinit(&notify->news);
    pthread_mutex_destroy(&notify->lock);
    free(notify);
}

/* Finds the zones of a snapshot in an older one; both are in the order of ids. */
static void find_numbers(const struct snapshot *from, const struct snapshot *to, uint32_t *numbers)
{
    const struct zones *old = snapshot_zones(from), *new = snapshot_zones(to);
    struct zone old_zone, new_zone;

    for (size_t i = 0, k = 0; i < old->n && k < new->n;) {
        if (old->slots[i].id == new->slots[k].id) {
            snapshot_zone(from, i, &old_zone);
            snapshot_zone(to, k, &new_zone);
            if (name_equals(&old_zone.name, &new_zone.name))
                numbers[k] = (uint32_t)i + 1;
        }
        if (old->slots[i].id <= new->slots[k].id)
            i++;
        else
            k++;
    }
}

static bool is_pending(const struct notes *notes, size_t number)
{
    return snapshot_zone_serial(notes->snapshot, number) != notes->serials[number];
}

static int compare_ids(const void *a, const void *b)
{
    const struct notified_zone *left = a, *right = b;

    return (left->id > right->id) - (left->id < right->id);
}

/* The serial that was notified last of a zone of an id, which has a serial now; 0 if none is known.
 */
static uint32_t kept_serial(const struct notified *kept, uint32_t id, uint32_t current)
{
    const struct notified_zone wanted = {.id = id};
    const struct notified_zone *found = NULL;

    if (kept->n)
        found = bsearch(&wanted, kept->zones, kept->n, sizeof(wanted), compare_ids);
    if (found)
        return found->serial;
    return current <= kept->all_to ? current : 0;
}

static void count_zone(struct notes *notes, size_t number, uint32_t current)
{
    if (current > notes->highest)
        notes->highest = current;
    notes->n_pending += notes->serials[number] != current;
}

/* Notes for notify_take what was notified last of a zone. What cannot be noted must not count as
 * notified, so no zone does any more that is not listed. */
static void note_news(struct notify *notify, uint32_t id, uint32_t serial)
{
    struct notified *news = &notify->news;

    if (news->n >= NEWS_MAX || ARRAY_RESERVE(news->zones, news->n, news->capacity)) {
        news->all_to = 0;
        return;
    }
    news->zones[news->n++] = (struct notified_zone){id, serial};
}

/* Copies what is known of some zones more, and counts those that are pending. Looking for serials
 * takes most of the time, and needs no lock. */
static void prepare_some(struct notify *notify, size_t n, const struct notified *kept)
{
    struct notes *next = &notify->next;
    const struct zone_slot *slots = snapshot_zones(next->snapshot)->slots;
    size_t first = notify->n_prepared;
    uint32_t current[ZONES_AT_ONCE];

    if (n > ZONES_AT_ONCE)
        n = ZONES_AT_ONCE;
    for (size_t i = 0; i < n; i++)
        current[i] = snapshot_zone_serial(next->snapshot, first + i);
    pthread_mutex_lock(&notify->lock);
    for (size_t i = 0; i < n; i++) {
        uint32_t number = notify->numbers[first + i];

        if (number)
            next->serials[first + i] = notify->now.serials[number - 1];
        else if (kept)
            next->serials[first + i] = kept_serial(kept, slots[first + i].id, current[i]);
        count_zone(next, first + i, current[i]);
        if (is_pending(next, first + i) && current[i] <= notify->news.all_to)
            note_news(notify, slots[first + i].id, next->serials[first + i]);
    }
    notify->n_prepared += n;
    pthread_mutex_unlock(&notify->lock);
}

int notify_prepare(struct notify *notify, struct snapshot *snapshot, const struct notified *kept)
{
    size_t n = snapshot_n_zones(snapshot);
    CLEANUP(free_pointer) uint32_t *serials = calloc(n + 1, sizeof(*serials));
    CLEANUP(free_pointer) uint32_t *numbers = calloc(n + 1, sizeof(*numbers));
    struct notes unused;

    if (!serials || !numbers)
        return -ENOMEM;
    /* No other thread replaces the current snapshot. */
    if (notify->now.snapshot)
        find_numbers(notify->now.snapshot, snapshot, numbers);
    pthread_mutex_lock(&notify->lock);
    unused = notify->next;
    notify->next = (struct notes){.snapshot = snapshot_ref(snapshot), .serials = serials};
    serials = NULL;
    free(notify->numbers);
    notify->numbers = numbers;
    numbers = NULL;
    notify->n_prepared = 0;
    if (notify->now.snapshot)
        kept = NULL;
    if (kept)
        notify->news.all_to = kept->all_to;
    pthread_mutex_unlock(&notify->lock);
    notes_deinit(&unused);
    while (notify->n_prepared < n)
        prepare_some(notify, n - notify->n_prepared, kept);
    return 0;
}

void notify_adopt(struct notify *notify)
{
    struct notes before;

    pthread_mutex_lock(&notify->lock);
    before = notify->now;
    notify->now = notify->next;
    notify->next = (struct notes){0};
    atomic_store_explicit(&notify->n_pending, notify->now.n_pending, memory_order_relaxed);
    pthread_mutex_unlock(&notify->lock);
    notes_deinit(&before);
    free(notify->numbers);
    notify->numbers = NULL;
}

/* Finds a zone by its id. Returns its number, or -1. */
static ssize_t find_number(const struct notes *notes, uint32_t id)
{
    const struct zones *zones;
    size_t number;

    if (!notes->snapshot)
        return -1;
    zones = snapshot_zones(notes->snapshot);
    number = zones_find_id(zones, id);
    return number < zones->n ? (ssize_t)number : -1;
}

static void set_serial(struct notes *notes, size_t number, uint32_t serial)
{
    notes->n_pending -= is_pending(notes, number);
    notes->serials[number] = serial;
    count_zone(notes, number, snapshot_zone_serial(notes->snapshot, number));
}

void notify_set(struct notify *notify, uint32_t id, uint32_t serial)
{
    ssize_t now, next;

    pthread_mutex_lock(&notify->lock);
    now = find_number(&notify->now, id);
    next = find_number(&notify->next, id);
    if (now >= 0) {
        set_serial(&notify->now, (size_t)now, serial);
        note_news(notify, id, serial);
        atomic_store_explicit(&notify->n_pending, notify->now.n_pending, memory_order_relaxed);
        /* The id may be another zone's in the next snapshot. A zone that is not prepared yet will
         * be copied from the current one. */
        if (next >= 0 && (size_t)next < notify->n_prepared &&
            notify->numbers[next] == (uint32_t)now + 1)
            set_serial(&notify->next, (size_t)next, serial);
    }
    pthread_mutex_unlock(&notify->lock);
}

bool notify_take(struct notify *notify, struct notified *out)
{
    struct notified *news = &notify->news;
    bool all;

    pthread_mutex_lock(&notify->lock);
    /* What is noted of zones that the next snapshot makes pending would not be in ALL. */
    all = notify->now.n_pending == 0 && !notify->next.snapshot;
    if (all)
        news->all_to = notify->now.highest;
    *out = *news;
    *news = (struct notified){.all_to = out->all_to};
    pthread_mutex_unlock(&notify->lock);
    return all;
}

void notify_forget(struct notify *notify)
{
    pthread_mutex_lock(&notify->lock);
    notify->news.all_to = 0;
    pthread_mutex_unlock(&notify->lock);
}

uint32_t notify_serial(struct notify *notify, uint32_t id)
{
    uint32_t serial = 0;
    ssize_t number;

    pthread_mutex_lock(&notify->lock);
    number = find_number(&notify->now, id);
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
    pthread_mutex_lock(&notify->lock);
    if (notify->now.snapshot != snapshot)
        from = end;
    while (from < end && !is_pending(&notify->now, from))
        from++;
    pthread_mutex_unlock(&notify->lock);
    return from;
}
