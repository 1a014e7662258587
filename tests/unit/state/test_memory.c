#include "cmocka_all.h"
#include "fixture.h"
#include "state/bodies.h"
#include "state/memory.h"
#include "state/notified.h"
#include "temporary.h"

#include <unistd.h>

enum { SEED = 1, TIME = 1000000 };

/* Writes a snapshot as published at a time. */
static void write_at(struct state *state, const struct snapshot *published, int64_t time)
{
    CLEANUP(past_deinit) struct past past = PAST_INIT;
    struct memory_write what = {.published = published,
                                .past = &past,
                                .clock = {.time = time, .now = time * 1000},
                                .since = time,
                                .all = true};

    assert_int_equal(past_of(published, &past), 0);
    assert_int_equal(memory_write(state, &what), 0);
}

/* What a start at a time remembers, in a snapshot that it makes of a loaded one. */
static struct snapshot *start_at(struct state *state, const struct snapshot *loaded, int64_t time,
                                 size_t *n_changes)
{
    CLEANUP(past_deinit) struct past past = PAST_INIT;
    CLEANUP(domain_changes_deinit) struct domain_changes changes = DOMAIN_CHANGES_INIT;
    const struct memory_clock clock = {.time = time, .now = time * 1000};
    const struct snapshot_before before = {&past, &changes, time};
    struct snapshot *snapshot;
    struct memory memory;

    assert_int_equal(memory_begin(state, SEED, time, &memory), 0);
    assert_int_equal(memory_read_past(state, &memory, &clock, &past), 0);
    assert_int_equal(memory_read_changes(state, loaded, &changes), 0);
    assert_int_equal(snapshot_follow(loaded, &before, NULL, 0, &snapshot), 0);
    *n_changes = changes.n;
    return snapshot;
}

/* A policy of members, of which the last came later. */
static struct snapshot *zones_at(int64_t time, const char *more, const struct snapshot *before)
{
    struct builder *builder =
        fixture_begin_zones("ns.example", "h.example", fixture_name("cat.example"));
    uint32_t policy = fixture_add_reports(builder, "primary.example", "mailto:a@b.example", 60);

    fixture_add_member(builder, policy, "member.example");
    if (more)
        fixture_add_member(builder, policy, more);
    return fixture_end_zones(builder, time, before, NULL);
}

/* What most tests begin with. */
struct begun {
    struct state database; /* open, and new */
    struct memory memory;
    struct snapshot *first; /* zones_at(TIME, NULL, NULL) */
    void *directory;        /* where the test runs */
};

static int begin(void **state)
{
    static struct begun begun;

    if (temporary_enter(&begun.directory))
        return -1;
    assert_int_equal(state_open(&begun.database, ".", STATE_WRITE), 0);
    assert_int_equal(memory_begin(&begun.database, SEED, TIME, &begun.memory), 0);
    begun.first = zones_at(TIME, NULL, NULL);
    *state = &begun;
    return 0;
}

static int end(void **state)
{
    struct begun *begun = *state;

    snapshot_unref(begun->first);
    state_close(&begun->database);
    return temporary_leave(&begun->directory);
}

static void a_start_goes_on_from_what_was_written(void **state)
{
    struct begun *begun = *state;
    struct state *database = &begun->database;
    struct memory *memory = &begun->memory;
    struct snapshot *first = begun->first;
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *second = zones_at(TIME + 5, "late.example", first);
    CLEANUP(snapshot_unref_pointer) struct snapshot *started = NULL;
    size_t n_changes;

    assert_int_equal(memory->written, 0);
    write_at(database, first, TIME);
    write_at(database, second, TIME + 5);
    assert_int_equal(memory_end(database), 0);
    started = start_at(database, second, TIME + 100, &n_changes);
    assert_int_equal(n_changes, 0);
    assert_int_equal(fixture_zone(started, "_tls.member.example").serial, TIME);
    assert_int_equal(fixture_zone(started, "_tls.late.example").serial, TIME + 5);
    assert_int_equal(fixture_zone(started, "cat.example").serial, TIME + 5);
}

static void what_has_changed_meanwhile_gets_a_serial_above_all(void **state)
{
    struct begun *begun = *state;
    struct state *database = &begun->database;
    struct snapshot *first = begun->first;
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *other = zones_at(TIME, "late.example", NULL);
    CLEANUP(snapshot_unref_pointer) struct snapshot *started = NULL;
    size_t n_changes;

    write_at(database, first, TIME);
    assert_int_equal(memory_end(database), 0);
    /* The clock has gone back. */
    started = start_at(database, other, TIME - 100, &n_changes);
    assert_int_equal(n_changes, 1);
    assert_int_equal(fixture_zone(started, "_tls.member.example").serial, TIME);
    assert_int_equal(fixture_zone(started, "_tls.late.example").serial, TIME + 1);
}

static void after_a_process_that_did_not_end_well_all_serials_are_new(void **state)
{
    struct begun *begun = *state;
    struct state *database = &begun->database;
    struct snapshot *first = begun->first;
    CLEANUP(snapshot_unref_pointer) struct snapshot *started = NULL, *behind = NULL;
    size_t n_changes;

    write_at(database, first, TIME);
    started = start_at(database, first, TIME + 100, &n_changes);
    assert_true(fixture_zone(started, "_tls.member.example").serial > TIME + 100);
    behind = start_at(database, first, TIME - 100, &n_changes);
    assert_true(fixture_zone(behind, "_tls.member.example").serial > TIME + 2);
}

static void two_that_do_not_get_to_write_give_different_serials(void **state)
{
    struct begun *begun = *state;
    struct state *database = &begun->database;
    struct snapshot *first = begun->first;
    CLEANUP(snapshot_unref_pointer) struct snapshot *second = NULL, *third = NULL;
    size_t n_changes;

    write_at(database, first, TIME);
    second = start_at(database, first, TIME + 1, &n_changes);
    third = start_at(database, first, TIME + 3, &n_changes);
    assert_true(fixture_zone(third, "_tls.member.example").serial >
                fixture_zone(second, "_tls.member.example").serial);
}

/* A process whose clock is behind its serials may have had a change a second. */
static void changes_that_were_not_written_have_had_serials(void **state)
{
    struct begun *begun = *state;
    struct state *database = &begun->database;
    struct snapshot *first = begun->first;
    CLEANUP(snapshot_unref_pointer) struct snapshot *later = NULL, *back = NULL;
    size_t n_changes;

    write_at(database, first, TIME - 10000);
    later = start_at(database, first, TIME - 9000, &n_changes);
    assert_true(fixture_zone(later, "_tls.member.example").serial > TIME + 1000);
    back = start_at(database, first, TIME - 20000, &n_changes);
    assert_true(fixture_zone(back, "_tls.member.example").serial > TIME + 2000);
}

/* The next one may begin with a clock that was set back, and without a word of this one. */
static void a_start_after_a_crash_notes_the_time_that_it_gives(void **state)
{
    struct begun *begun = *state;
    struct state *database = &begun->database;
    struct snapshot *first = begun->first;
    CLEANUP(snapshot_unref_pointer) struct snapshot *later = NULL, *back = NULL;
    size_t n_changes;

    write_at(database, first, TIME);
    later = start_at(database, first, TIME + 50000, &n_changes);
    back = start_at(database, first, TIME + 10, &n_changes);
    assert_true(fixture_zone(back, "_tls.member.example").serial >
                fixture_zone(later, "_tls.member.example").serial);
}

static void a_start_goes_on_above_the_serials_of_who_left_a_note(void **state)
{
    struct begun *begun = *state;
    struct state *database = &begun->database;
    struct snapshot *first = begun->first;
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *other = zones_at(TIME + 9000, "late.example", NULL);
    CLEANUP(snapshot_unref_pointer) struct snapshot *started = NULL;
    CLEANUP(past_deinit) struct past past = PAST_INIT;
    const struct memory_write what = {.published = other, .past = &past, .clock = {.time = TIME}};
    size_t n_changes;

    write_at(database, first, TIME);
    assert_int_equal(memory_end(database), 0);
    assert_int_equal(past_of(other, &past), 0);
    assert_int_equal(memory_leave_note(database, &what), 0);
    started = start_at(database, first, TIME + 1, &n_changes);
    assert_int_equal(n_changes, 0);
    assert_true(fixture_zone(started, "_tls.member.example").serial > TIME + 9000);
}

static void another_seed_loses_no_domain(void **state)
{
    struct begun *begun = *state;
    struct state *database = &begun->database;
    struct memory *memory = &begun->memory;
    struct snapshot *first = begun->first;
    CLEANUP(snapshot_unref_pointer) struct snapshot *other = fixture_zones();
    CLEANUP(domain_changes_deinit) struct domain_changes changes = DOMAIN_CHANGES_INIT;

    write_at(database, first, TIME);
    assert_int_not_equal(snapshot_seed(first), snapshot_seed(other));
    write_at(database, other, TIME + 1);
    assert_int_equal(memory_begin(database, SEED, TIME, memory), 0);
    assert_int_equal(memory->seed, snapshot_seed(other));
    assert_int_equal(memory_read_changes(database, other, &changes), 0);
    assert_int_equal(changes.n, 0);
}

struct bodies {
    size_t n, n_served;
    int64_t last;
};

static void count_body(const struct served_body *body, void *context)
{
    struct bodies *bodies = context;

    if (bodies->n++ == 1)
        bodies->last = body->last;
    bodies->n_served += body->served;
}

/* A snapshot of one policy with a body. */
static struct snapshot *serving(uint32_t max_age)
{
    CLEANUP(builder_free_pointer) struct builder *builder = NULL;
    struct policy_spec spec = fixture_full_spec();
    struct snapshot *snapshot;
    uint32_t policy;

    spec.max_age = max_age;
    assert_int_equal(builder_new(SEED, &builder), 0);
    assert_int_equal(builder_add_policy(builder, &spec, 0, &policy), 0);
    assert_int_equal(builder_freeze(builder, NULL, NULL, &snapshot), 0);
    return snapshot;
}

static void bodies_have_when_they_were_served(void **state)
{
    struct begun *begun = *state;
    struct state *database = &begun->database;
    struct bodies bodies = {0};

    for (uint32_t i = 0; i < 40; i++) {
        CLEANUP(snapshot_unref_pointer) struct snapshot *snapshot = serving(60 + i);

        write_at(database, snapshot, TIME + i * 10000);
        write_at(database, snapshot, TIME + i * 10000 + 1);
    }
    assert_int_equal(bodies_each(database, TEXT("full.example"), count_body, &bodies), 0);
    assert_int_equal(bodies.n, 21); /* the others are forgotten, as nobody can hold them */
    assert_int_equal(bodies.n_served, 1);
    assert_int_equal(bodies.last, TIME + 390000);
}

static void what_was_notified_comes_back(void **state)
{
    struct begun *begun = *state;
    struct state *database = &begun->database;
    struct snapshot *first = begun->first;
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *second = zones_at(TIME + 5, "late.example", first);
    CLEANUP(notify_free_pointer) struct notify *notify = fixture_notify(first), *again = NULL;
    CLEANUP(notified_deinit) struct notified news = NOTIFIED_INIT, kept = NOTIFIED_INIT;
    struct zone zone = fixture_zone(first, "_tls.member.example");

    notify_set(notify, zone.id, zone.serial - 1);
    notify_set(notify, zone.id, zone.serial);
    assert_false(notify_take(notify, &news));
    assert_int_equal(news.n, 2);
    assert_int_equal(news.all_to, 0);
    assert_int_equal(notified_write(database, &news, false), 0);
    assert_int_equal(notified_read(database, &kept), 0);
    assert_int_equal(notify_new(&again), 0);
    assert_int_equal(notify_prepare(again, second, &kept), 0);
    notify_adopt(again);
    assert_int_equal(notify_serial(again, zone.id), zone.serial);
    assert_int_equal(notify_pending(again), snapshot_n_zones(second) - 1);
}

/* What notes about a snapshot become when the process ends and another one begins with another
 * snapshot. */
static struct notify *restarted(struct notify *notify, struct state *database,
                                struct snapshot *snapshot)
{
    CLEANUP(notified_deinit) struct notified news = NOTIFIED_INIT, kept = NOTIFIED_INIT;
    bool all = notify_take(notify, &news);
    struct notify *again;

    assert_int_equal(notified_write(database, &news, all), 0);
    notify_free(notify);
    assert_int_equal(notified_read(database, &kept), 0);
    assert_int_equal(notify_new(&again), 0);
    assert_int_equal(notify_prepare(again, snapshot, &kept), 0);
    notify_adopt(again);
    return again;
}

static struct notify *all_notified(struct snapshot *snapshot)
{
    struct notify *notify = fixture_notify(snapshot);

    for (size_t i = 0; i < snapshot_n_zones(snapshot); i++) {
        struct zone zone;

        snapshot_zone(snapshot, i, &zone);
        notify_set(notify, zone.id, zone.serial);
    }
    assert_int_equal(notify_pending(notify), 0);
    return notify;
}

static void one_zone_to_notify_again_does_not_make_others_be_forgotten(void **state)
{
    struct begun *begun = *state;
    struct state *database = &begun->database;
    struct snapshot *first = begun->first;
    CLEANUP(notify_free_pointer) struct notify *notify = all_notified(first);
    struct zone zone = fixture_zone(first, "_tls.member.example");

    notify = restarted(notify, database, first);
    assert_int_equal(notify_pending(notify), 0);
    notify_set(notify, zone.id, 1);
    for (int i = 0; i < 3; i++) {
        notify = restarted(notify, database, first);
        assert_int_equal(notify_pending(notify), 1);
        assert_int_equal(notify_serial(notify, zone.id), 1);
    }
    notify_set(notify, zone.id, zone.serial);
    notify = restarted(notify, database, first);
    assert_int_equal(notify_pending(notify), 0);
}

/* A serial that was planned may be below others that were given and notified since. */
static void a_change_is_notified_though_higher_serials_were(void **state)
{
    struct begun *begun = *state;
    struct state *database = &begun->database;
    struct snapshot *first = begun->first;
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *second = zones_at(TIME - 5, "late.example", NULL);
    CLEANUP(notify_free_pointer) struct notify *notify = all_notified(first);

    notify = restarted(notify, database, first);
    assert_int_equal(notify_prepare(notify, second, NULL), 0);
    /* Meanwhile the keeper takes what there is. */
    notify = restarted(notify, database, first);
    assert_int_equal(notify_prepare(notify, second, NULL), 0);
    notify_adopt(notify);
    notify = restarted(notify, database, second);
    assert_int_equal(notify_pending(notify), snapshot_n_zones(second));
}

static void notes_that_are_lost_count_for_nothing(void **state)
{
    struct begun *begun = *state;
    struct state *database = &begun->database;
    struct snapshot *first = begun->first;
    CLEANUP(notify_free_pointer) struct notify *notify = all_notified(first);
    struct zone zone = fixture_zone(first, "_tls.member.example");
    CLEANUP(notified_deinit) struct notified lost = NOTIFIED_INIT;

    notify = restarted(notify, database, first);
    notify_set(notify, zone.id, 1);
    assert_false(notify_take(notify, &lost));
    notify_forget(notify);
    notify = restarted(notify, database, first);
    assert_int_equal(notify_pending(notify), snapshot_n_zones(first));
}

static void numbers_and_ids_that_cannot_be_are_damage(void **state)
{
    struct begun *begun = *state;
    struct state *database = &begun->database;
    struct memory *memory = &begun->memory;
    CLEANUP(snapshot_unref_pointer) struct snapshot *snapshot = serving(60);
    CLEANUP(past_deinit) struct past past = PAST_INIT;
    const struct memory_clock clock = {.time = TIME};

    write_at(database, snapshot, TIME);
    assert_int_equal(state_execute(database, "UPDATE policies SET announced = 'a;b'"), 0);
    assert_int_equal(memory_read_past(database, memory, &clock, &past), STATE_FAILED);
    assert_true(database->damaged);
    assert_int_equal(state_execute(database, "UPDATE service SET highest = 4294967295"), 0);
    database->damaged = false;
    assert_int_equal(memory_read(database, memory), STATE_FAILED);
    assert_true(database->damaged);
    assert_int_equal(state_replace(database), 0);
    assert_int_equal(memory_begin(database, SEED, TIME, memory), 0);
    assert_int_equal(memory->written, 0);
    assert_true(state_is_there(database));
    assert_int_equal(unlink("state.db"), 0);
    assert_false(state_is_there(database));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, begin, end)
        TEST(a_start_goes_on_from_what_was_written),
        TEST(what_has_changed_meanwhile_gets_a_serial_above_all),
        TEST(after_a_process_that_did_not_end_well_all_serials_are_new),
        TEST(two_that_do_not_get_to_write_give_different_serials),
        TEST(changes_that_were_not_written_have_had_serials),
        TEST(a_start_after_a_crash_notes_the_time_that_it_gives),
        TEST(a_start_goes_on_above_the_serials_of_who_left_a_note),
        TEST(another_seed_loses_no_domain),
        TEST(bodies_have_when_they_were_served),
        TEST(what_was_notified_comes_back),
        TEST(one_zone_to_notify_again_does_not_make_others_be_forgotten),
        TEST(a_change_is_notified_though_higher_serials_were),
        TEST(notes_that_are_lost_count_for_nothing),
        TEST(numbers_and_ids_that_cannot_be_are_damage),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
