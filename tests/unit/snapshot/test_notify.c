#include "cmocka_all.h"
#include "fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

enum {
    MANY = 20000,      /* zones */
    AT_ONCE_MAX = 256, /* zones to look at while others wait for the lock */
};

static bool locked;
static size_t looked_at, looked_at_most; /* zones, under the lock */
static pthread_t watched;                /* the thread that these are of */

int __real_pthread_mutex_lock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex);
int __real_pthread_mutex_unlock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex);
uint32_t __real_snapshot_zone_serial(const struct snapshot *snapshot, size_t number);
uint32_t __wrap_snapshot_zone_serial(const struct snapshot *snapshot, size_t number);

int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex)
{
    int r = __real_pthread_mutex_lock(mutex);

    if (pthread_equal(pthread_self(), watched)) {
        locked = true;
        looked_at = 0;
    }
    return r;
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    if (pthread_equal(pthread_self(), watched)) {
        locked = false;
        if (looked_at > looked_at_most)
            looked_at_most = looked_at;
    }
    return __real_pthread_mutex_unlock(mutex);
}

uint32_t __wrap_snapshot_zone_serial(const struct snapshot *snapshot, size_t number)
{
    if (pthread_equal(pthread_self(), watched) && locked)
        looked_at++;
    return __real_snapshot_zone_serial(snapshot, number);
}

/* One zone for each of many domains, which are numbered from some number on. */
static struct snapshot *many_zones(unsigned int from, int64_t time, const struct snapshot *before)
{
    struct builder *builder = fixture_begin_zones("ns.example", "h.example", (struct name){0});
    uint32_t policy = fixture_add_reports(builder, "many.example", "mailto:a@example.net", 60);
    char domain[32];

    for (unsigned int i = from; i < from + MANY; i++) {
        snprintf(domain, sizeof(domain), "domain-%u.example", i);
        fixture_add_member(builder, policy, domain);
    }
    return fixture_end_zones(builder, time, before, NULL);
}

static void switch_to(struct notify *notify, struct snapshot *snapshot)
{
    assert_int_equal(notify_prepare(notify, snapshot, NULL), 0);
    notify_adopt(notify);
}

static void no_thread_waits_while_many_zones_are_counted(void **state)
{
    CLEANUP(snapshot_unref_pointer) struct snapshot *first = many_zones(0, 1000, NULL);
    CLEANUP(snapshot_unref_pointer) struct snapshot *second = many_zones(10, 2000, first);
    CLEANUP(notify_free_pointer) struct notify *notify = NULL;

    (void)state;
    watched = pthread_self();
    looked_at_most = 0;
    notify = fixture_notify(first);
    switch_to(notify, second);
    assert_int_equal(notify_pending(notify), MANY + 1);
    assert_in_range(looked_at_most, 0, AT_ONCE_MAX);
}

static void what_is_said_before_the_switch_is_kept_for_the_same_zones(void **state)
{
    CLEANUP(snapshot_unref_pointer) struct snapshot *first = many_zones(0, 1000, NULL);
    CLEANUP(snapshot_unref_pointer) struct snapshot *second = many_zones(1, 1000, first);
    CLEANUP(notify_free_pointer) struct notify *notify = fixture_notify(first);
    struct zone early = fixture_zone(first, "_tls.domain-17.example");
    struct zone late = fixture_zone(first, "_tls.domain-18.example");
    struct zone gone = fixture_zone(first, "_tls.domain-0.example");
    struct zone new = fixture_zone(second, "_tls.domain-20000.example");

    (void)state;
    notify_set(notify, early.id, early.serial);
    notify_set(notify, gone.id, gone.serial);
    assert_int_equal(notify_prepare(notify, second, NULL), 0);
    notify_set(notify, late.id, late.serial);
    notify_set(notify, early.id, 999);
    notify_set(notify, early.id, early.serial);
    assert_int_equal(notify_pending(notify), MANY + 1 - 3);
    notify_adopt(notify);
    assert_int_equal(notify_serial(notify, early.id), 1000);
    assert_int_equal(notify_serial(notify, late.id), 1000);
    assert_int_equal(notify_serial(notify, gone.id), 0);
    assert_int_equal(notify_serial(notify, new.id), 0);
    assert_int_equal(notify_pending(notify), MANY + 1 - 2);
}

static void a_snapshot_that_is_prepared_and_not_adopted_changes_nothing(void **state)
{
    CLEANUP(snapshot_unref_pointer) struct snapshot *first = fixture_zones();
    CLEANUP(snapshot_unref_pointer) struct snapshot *unused = many_zones(0, 2000, first);
    CLEANUP(snapshot_unref_pointer) struct snapshot *second = fixture_zones();
    CLEANUP(notify_free_pointer) struct notify *notify = fixture_notify(first);
    CLEANUP(snapshot_unref_pointer) struct snapshot *current = NULL;
    struct zone zone = fixture_zone(first, "cat.example");

    (void)state;
    assert_int_equal(notify_prepare(notify, unused, NULL), 0);
    current = notify_snapshot(notify);
    assert_ptr_equal(current, first);
    assert_int_equal(notify_pending(notify), snapshot_n_zones(first));
    notify_set(notify, zone.id, zone.serial);
    switch_to(notify, second);
    assert_int_equal(notify_pending(notify), snapshot_n_zones(second) - 1);
}

struct teller {
    struct notify *notify;
    const struct snapshot *snapshot;
    atomic_bool ending;
};

/* Says of one zone after another that it was notified, until the end, and then of all. */
static void *tell(void *context)
{
    struct teller *teller = context;
    bool last = false;
    uint32_t serial = 1;

    while (!last) {
        last = atomic_load(&teller->ending);
        for (size_t i = 0; i < snapshot_n_zones(teller->snapshot); i++) {
            struct zone zone;

            snapshot_zone(teller->snapshot, i, &zone);
            notify_set(teller->notify, zone.id, last ? zone.serial : serial);
        }
        serial++;
    }
    return NULL;
}

static void what_other_threads_say_meanwhile_is_never_lost(void **state)
{
    CLEANUP(snapshot_unref_pointer) struct snapshot *snapshot = many_zones(0, 1000, NULL);
    CLEANUP(notify_free_pointer) struct notify *notify = fixture_notify(snapshot);
    struct teller teller = {.notify = notify, .snapshot = snapshot};
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, tell, &teller), 0);
    for (int i = 0; i < 20; i++)
        switch_to(notify, snapshot);
    atomic_store(&teller.ending, true);
    for (int i = 0; i < 5; i++)
        switch_to(notify, snapshot);
    pthread_join(thread, NULL);
    assert_int_equal(notify_pending(notify), 0);
    switch_to(notify, snapshot);
    assert_int_equal(notify_pending(notify), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_thread_waits_while_many_zones_are_counted),
        cmocka_unit_test(what_is_said_before_the_switch_is_kept_for_the_same_zones),
        cmocka_unit_test(a_snapshot_that_is_prepared_and_not_adopted_changes_nothing),
        cmocka_unit_test(what_other_threads_say_meanwhile_is_never_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
