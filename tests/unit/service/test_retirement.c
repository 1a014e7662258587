/* Which domains retire, and until when. */
#include "service/retirement.h"

#include "cmocka_all.h"
#include "fixture.h"
#include "state/bodies.h"
#include "state/memory.h"
#include "temporary.h"

#include <stdio.h>

enum { NOW = 1000000, WEEK = 604800, TTL = 3600 };

/* A policy with members, the later ones held back. */
struct setup {
    const char *primary;
    enum policy_mode mode;
    const char *address, *members[4];
    size_t n_announced; /* members that are not held back */
    bool keeps;         /* "retire: no" */
};

static const struct setup enforce = {
    "a.example", POLICY_MODE_ENFORCE, "192.0.2.1", {"b.example", "c.example"}, 2, false};

static void add(struct builder *builder, const struct setup *setup)
{
    struct policy_spec spec = fixture_full_spec();
    struct address address;
    uint32_t policy;

    spec.primary = fixture_name(setup->primary);
    spec.mode = setup->mode;
    spec.addresses = &address;
    spec.n_addresses = setup->address && address_from_text(text_from(setup->address), &address);
    spec.max_age = WEEK;
    spec.ttl = TTL;
    spec.retire = !setup->keeps;
    assert_int_equal(builder_add_policy(builder, &spec, 0, &policy), 0);
    for (size_t i = 0; setup->members[i]; i++) {
        struct name name = fixture_name(setup->members[i]);

        assert_int_equal(
            builder_add_member(builder, policy, DOMAIN_CNAME, i >= setup->n_announced, &name, 0),
            0);
    }
}

/* A snapshot of up to two policies. */
static struct snapshot *load(const struct setup *one, const struct setup *other)
{
    CLEANUP(builder_free_pointer) struct builder *builder = NULL;
    struct snapshot *snapshot;

    assert_int_equal(builder_new(7, &builder), 0);
    add(builder, one);
    if (other)
        add(builder, other);
    assert_int_equal(builder_freeze(builder, NULL, NULL, &snapshot), 0);
    return snapshot;
}

/* The state of a test, in a directory of its own. */
static struct state kept;

static int set_up(void **state)
{
    struct memory memory;
    int r = temporary_enter(state);

    if (r)
        return r;
    assert_int_equal(state_open(&kept, ".", STATE_WRITE), 0);
    return memory_begin(&kept, 7, NOW, &memory);
}

static int tear_down(void **state)
{
    state_close(&kept);
    return temporary_leave(state);
}

/* Keeps what was published at a time, for which the state could not be written before, so that it
 * was not told of what senders may hold until another. */
static void keep_late(const struct snapshot *published, int64_t time, int64_t unknown_until)
{
    CLEANUP(past_deinit) struct past past = PAST_INIT;
    const struct memory_write what = {
        .published = published,
        .past = &past,
        .clock = {time, 0, 0},
        .since = time,
        .unknown_until = unknown_until,
        .all = unknown_until,
    };

    assert_int_equal(past_of(published, &past), 0);
    assert_int_equal(memory_write(&kept, &what), 0);
}

static void keep(const struct snapshot *published, int64_t time)
{
    keep_late(published, time, 0);
}

static void describe(const struct snapshot *snapshot, char *text, size_t size)
{
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < snapshot_n_retiring(snapshot); i++) {
        struct domain domain;

        snapshot_retiring(snapshot, i, &domain);
        used += (size_t)snprintf(text + used, size - used, "%s%.*s until %lld: %s", i ? "; " : "",
                                 (int)domain.name.length, domain.name.data,
                                 (long long)snapshot_until(snapshot, &domain),
                                 domain.policy->former.data);
    }
}

/* What a reload comes to: "b.example until 1608401: a.example 3600 overlay 192.0.2.1; …". IN says
 * where the state is, or NULL. OUT, unless it is NULL, gets what is loaded then. */
static const char *reload_in(const char *in, const struct snapshot *published,
                             struct snapshot *loaded, int64_t now, struct snapshot **out)
{
    static char text[1024];
    CLEANUP(domain_changes_deinit) struct domain_changes changes = DOMAIN_CHANGES_INIT;
    CLEANUP(past_deinit) struct past past = PAST_INIT;
    CLEANUP(retirement_deinit)
    struct retirement retirement = {
        .past = &past, .published = published, .directory = in, .now = now};
    struct snapshot *after = snapshot_ref(loaded);

    assert_int_equal(past_of(published, &past), 0);
    assert_int_equal(retiring_set_add_all(&retirement.set, published), 0);
    assert_int_equal(retirement_apply(&retirement, &after, &changes), 0);
    describe(after, text, sizeof(text));
    if (!in)
        snprintf(text, sizeof(text), "lost: %zu", retirement.n_lost);
    if (out)
        *out = after;
    else
        snapshot_unref(after);
    return text;
}

static const char *reload(const struct snapshot *published, struct snapshot *loaded, int64_t now,
                          struct snapshot **out)
{
    return reload_in(".", published, loaded, now, out);
}

/* What a start comes to, in the same way. */
static const char *start(struct snapshot *loaded, int64_t now)
{
    static char text[1024];
    CLEANUP(domain_changes_deinit) struct domain_changes changes = DOMAIN_CHANGES_INIT;
    CLEANUP(past_deinit) struct past past = PAST_INIT;
    CLEANUP(retirement_deinit)
    struct retirement retirement = {.past = &past, .state = &kept, .directory = ".", .now = now};
    struct snapshot *after = snapshot_ref(loaded);
    const struct memory_clock clock = {now, 0, 0};
    struct memory memory;

    assert_int_equal(memory_read(&kept, &memory), 0);
    assert_int_equal(memory_read_past(&kept, &memory, &clock, &past), 0);
    assert_int_equal(memory_read_retiring(&kept, &retirement.arena, &retirement.set), 0);
    assert_int_equal(retirement_apply(&retirement, &after, &changes), 0);
    describe(after, text, sizeof(text));
    snapshot_unref(after);
    return text;
}

/* What a reload and a start come to from one configuration to another. */
static void assert_decided(const struct setup *before, const struct setup *after,
                           const struct setup *beside, const char *expected)
{
    struct snapshot *published = load(before, NULL), *loaded = load(after, beside);

    assert_string_equal(reload(published, loaded, NOW, NULL), expected);
    keep(published, NOW - 100);
    assert_string_equal(reload(published, loaded, NOW, NULL), expected);
    assert_string_equal(start(loaded, NOW), expected);
    snapshot_unref(published);
    snapshot_unref(loaded);
}

static void a_domain_that_is_not_listed_any_more_retires(void **state)
{
    const struct setup after = {"a.example", POLICY_MODE_ENFORCE, "192.0.2.1", {"c.example"}, 1,
                                false};

    (void)state;
    assert_decided(&enforce, &after, NULL,
                   "b.example until 1608401: a.example 3600 overlay 192.0.2.1");
    assert_decided(&enforce, &enforce, NULL, "");
}

static void all_domains_of_a_policy_that_is_gone_retire(void **state)
{
    const struct setup after = {"d.example", POLICY_MODE_TESTING, "192.0.2.2", {0}, 0, false};

    (void)state;
    assert_decided(&enforce, &after, NULL,
                   "a.example until 1608401: a.example 3600 overlay 192.0.2.1; "
                   "b.example until 1608401: a.example 3600 overlay 192.0.2.1; "
                   "c.example until 1608401: a.example 3600 overlay 192.0.2.1");
}

static void a_primary_that_leaves_retires_while_its_members_go_on(void **state)
{
    const struct setup after = {"b.example", POLICY_MODE_ENFORCE, "192.0.2.2", {"c.example"}, 1,
                                false};

    (void)state;
    assert_decided(&enforce, &after, NULL,
                   "a.example until 1608401: a.example 3600 overlay 192.0.2.1");
}

static void a_domain_with_reports_alone_retires(void **state)
{
    const struct setup after = {"a.example", POLICY_MODE_ENFORCE, "192.0.2.1", {"c.example"}, 1,
                                false};
    const struct setup reports = {"d.example", POLICY_MODE_ABSENT, NULL, {"b.example"}, 1, false};

    (void)state;
    assert_decided(&enforce, &after, &reports,
                   "b.example until 1608401: a.example 3600 overlay 192.0.2.1");
}

static void a_domain_that_gets_another_policy_does_not_retire(void **state)
{
    const struct setup after = {"a.example", POLICY_MODE_ENFORCE, "192.0.2.1", {"c.example"}, 1,
                                false};
    const struct setup other = {"d.example", POLICY_MODE_TESTING, NULL, {"b.example"}, 1, false};

    (void)state;
    assert_decided(&enforce, &after, &other, "");
}

static void testing_and_none_bind_nobody(void **state)
{
    struct setup before = enforce;
    const struct setup after = {"d.example", POLICY_MODE_ENFORCE, "192.0.2.1", {0}, 0, false};

    (void)state;
    before.mode = POLICY_MODE_TESTING;
    assert_decided(&before, &after, NULL, "");
    before.mode = POLICY_MODE_NONE;
    assert_decided(&before, &after, NULL, "");
    before.mode = POLICY_MODE_ABSENT;
    assert_decided(&before, &after, NULL, "");
}

static void what_was_never_announced_binds_nobody(void **state)
{
    struct setup before = enforce;
    const struct setup after = {"a.example", POLICY_MODE_ENFORCE, "192.0.2.1", {0}, 0, false};

    (void)state;
    before.n_announced = 1;
    assert_decided(&before, &after, NULL,
                   "b.example until 1608401: a.example 3600 overlay 192.0.2.1");
}

static void with_retire_no_it_is_gone_at_once(void **state)
{
    struct setup before = enforce;
    const struct setup after = {"a.example", POLICY_MODE_ENFORCE, "192.0.2.1", {0}, 0, false};

    (void)state;
    before.keeps = true;
    assert_decided(&before, &after, NULL, "");
}

static void it_follows_its_former_policy(void **state)
{
    const struct setup after = {"a.example", POLICY_MODE_TESTING, "192.0.2.9", {"c.example"}, 1,
                                false};
    struct setup bare = after;

    (void)state;
    assert_decided(&enforce, &after, NULL,
                   "b.example until 1608401: a.example 3600 overlay 192.0.2.9");
    bare.address = NULL;
    assert_decided(&enforce, &bare, NULL,
                   "b.example until 1608401: a.example 3600 overlay 192.0.2.1");
    /* A member of that name is no policy. */
    bare = (struct setup){"d.example", POLICY_MODE_TESTING, "192.0.2.9", {"a.example"}, 1, false};
    assert_decided(&enforce, &bare, NULL,
                   "b.example until 1608401: a.example 3600 overlay 192.0.2.1; "
                   "c.example until 1608401: a.example 3600 overlay 192.0.2.1");
}

static void a_retiring_domain_retires_until_the_same_time(void **state)
{
    struct setup after = {"a.example", POLICY_MODE_ENFORCE, "192.0.2.1", {"c.example"}, 1, false};
    struct snapshot *published = load(&enforce, NULL), *loaded = load(&after, NULL), *first, *moved;

    (void)state;
    keep(published, NOW - 100);
    reload(published, loaded, NOW, &first);
    keep(first, NOW);
    assert_string_equal(reload(first, loaded, NOW + 500, NULL),
                        "b.example until 1608401: a.example 3600 overlay 192.0.2.1");
    assert_string_equal(start(loaded, NOW + 500),
                        "b.example until 1608401: a.example 3600 overlay 192.0.2.1");
    after.address = "192.0.2.2";
    snapshot_unref(loaded);
    loaded = load(&after, NULL);
    assert_string_equal(start(loaded, NOW + 500),
                        "b.example until 1608401: a.example 3600 overlay 192.0.2.2");
    assert_string_equal(reload(first, loaded, NOW + 500, &moved),
                        "b.example until 1608401: a.example 3600 overlay 192.0.2.2");
    keep(moved, NOW + 500);
    assert_string_equal(reload(moved, loaded, 1608400, NULL),
                        "b.example until 1608401: a.example 3600 overlay 192.0.2.2");
    assert_string_equal(start(loaded, 1608400),
                        "b.example until 1608401: a.example 3600 overlay 192.0.2.2");
    assert_string_equal(reload(moved, loaded, 1608401, NULL), "");
    assert_string_equal(start(loaded, 1608401), "");
    snapshot_unref(loaded);
    /* Listed again, it is an ordinary domain. */
    loaded = load(&enforce, NULL);
    assert_string_equal(reload(moved, loaded, NOW + 500, NULL), "");
    assert_string_equal(start(loaded, NOW + 500), "");
    snapshot_unref(first);
    snapshot_unref(moved);
    snapshot_unref(published);
    snapshot_unref(loaded);
}

/* Keeps snapshots one after another, and tells what removing all members in the end comes to. */
static const char *history(const struct setup *steps, const int64_t *times, size_t n)
{
    const struct setup last = {"z.example", POLICY_MODE_TESTING, NULL, {0}, 0, false};
    struct snapshot *published, *loaded = load(&last, NULL);
    const char *text;

    for (size_t i = 0; i + 1 < n; i++) {
        published = load(&steps[i], NULL);
        keep(published, times[i]);
        snapshot_unref(published);
    }
    published = load(&steps[n - 1], NULL);
    keep(published, times[n - 1]);
    text = reload(published, loaded, NOW, NULL);
    assert_string_equal(start(loaded, NOW), text);
    snapshot_unref(published);
    snapshot_unref(loaded);
    return text;
}

static void earlier_bodies_bind_as_long_as_senders_may_hold_them(void **state)
{
    const struct setup alone = {"a.example", POLICY_MODE_ENFORCE, "192.0.2.1", {0}, 0, false};
    struct setup steps[] = {alone, alone};
    const int64_t times[] = {NOW - 2000, NOW - 1000};

    (void)state;
    steps[1].mode = POLICY_MODE_TESTING;
    /* It was served last when the other one came: 1000000 - 1000 + 604800 + 3600. */
    assert_string_equal(history(steps, times, 2),
                        "a.example until 1607401: a.example 3600 overlay 192.0.2.1");
}

static void the_longest_ttl_of_a_body_counts(void **state)
{
    const struct setup last = {"z.example", POLICY_MODE_TESTING, NULL, {0}, 0, false};
    struct setup alone = {"a.example", POLICY_MODE_ENFORCE, "192.0.2.1", {0}, 0, false};
    struct snapshot *before = load(&alone, NULL), *loaded = load(&last, NULL), *published;

    (void)state;
    alone.mode = POLICY_MODE_TESTING;
    published = load(&alone, NULL);
    keep(before, NOW - 2000);
    assert_int_equal(bodies_live_longer(&kept, TEXT("a.example"), TTL / 2), 0);
    keep(published, NOW - 1000);
    assert_string_equal(reload(published, loaded, NOW, NULL),
                        "a.example until 1607401: a.example 3600 overlay 192.0.2.1");
    snapshot_unref(before);
    snapshot_unref(published);
    snapshot_unref(loaded);
}

static void a_domain_owes_nothing_for_what_was_before_it(void **state)
{
    struct setup steps[] = {enforce, enforce, enforce};
    const int64_t times[] = {NOW - 2000, NOW - 1000, NOW - 500};

    (void)state;
    steps[0].members[1] = NULL;
    steps[1].members[1] = NULL;
    steps[1].mode = steps[2].mode = POLICY_MODE_TESTING;
    assert_string_equal(history(steps, times, 3),
                        "a.example until 1607401: a.example 3600 overlay 192.0.2.1; "
                        "b.example until 1607401: a.example 3600 overlay 192.0.2.1");
}

static void what_joins_when_enforce_ends_owes_nothing(void **state)
{
    struct setup steps[] = {enforce, enforce};
    const int64_t times[] = {NOW - 1000, NOW - 1000};

    (void)state;
    steps[0].members[1] = NULL;
    steps[1].mode = POLICY_MODE_TESTING;
    assert_string_equal(history(steps, times, 2),
                        "a.example until 1607401: a.example 3600 overlay 192.0.2.1; "
                        "b.example until 1607401: a.example 3600 overlay 192.0.2.1");
}

/* A process that could not read the state has served enforce. */
static void what_a_note_says_that_senders_hold_binds(void **state)
{
    const struct setup last = {"z.example", POLICY_MODE_TESTING, NULL, {0}, 0, false};
    struct setup testing = enforce;
    struct snapshot *kept_one, *unread = load(&enforce, NULL), *loaded = load(&last, NULL);
    CLEANUP(past_deinit) struct past past = PAST_INIT;
    const struct memory_write what = {
        .published = unread, .past = &past, .clock = {.time = NOW - 1000, .ahead = -50}};

    (void)state;
    testing.mode = POLICY_MODE_TESTING;
    testing.members[0] = NULL;
    kept_one = load(&testing, NULL);
    keep(kept_one, NOW - 2000);
    assert_int_equal(past_of(unread, &past), 0);
    assert_int_equal(memory_leave_note(&kept, &what), 0);
    /* The clock of the state is not 50 seconds behind: 1000000 - 1000 + 50 + 1 + 604800 + 3600. */
    assert_string_equal(start(loaded, NOW),
                        "a.example until 1607451: a.example 3600 overlay 192.0.2.1");
    snapshot_unref(kept_one);
    snapshot_unref(unread);
    snapshot_unref(loaded);
}

static void count_served(const struct served_body *body, void *context)
{
    size_t *counts = context;

    counts[0]++;
    counts[1] += body->served;
}

static void a_body_ends_with_the_mode_of_its_policy(void **state)
{
    const struct setup last = {"z.example", POLICY_MODE_TESTING, NULL, {0}, 0, false};
    struct setup after = enforce;
    struct snapshot *before, *loaded, *published, *gone = load(&last, NULL);
    size_t counts[2] = {0};

    (void)state;
    after.members[2] = "d.example";
    after.n_announced = 3;
    after.mode = POLICY_MODE_ABSENT;
    before = load(&enforce, NULL);
    loaded = load(&after, NULL);
    keep(before, NOW - 2000);
    /* The primary retires itself. */
    assert_non_null(strstr(reload(before, loaded, NOW - 1000, &published), "a.example until"));
    keep(published, NOW - 1000);
    assert_int_equal(bodies_each(&kept, TEXT("a.example"), count_served, counts), 0);
    assert_int_equal(counts[0], 1);
    assert_int_equal(counts[1], 0);
    /* What joined without the mode owes nothing. */
    assert_null(strstr(reload(published, gone, NOW, NULL), "d.example"));
    snapshot_unref(before);
    snapshot_unref(loaded);
    snapshot_unref(published);
    snapshot_unref(gone);
}

static void a_domain_carries_what_it_owes_to_another_policy(void **state)
{
    const struct setup other = {"d.example", POLICY_MODE_TESTING, "192.0.2.2", {"b.example"}, 1,
                                false};
    const struct setup steps[] = {enforce, other};
    const int64_t times[] = {NOW - 2000, NOW - 1000};

    (void)state;
    assert_string_equal(history(steps, times, 2),
                        "b.example until 1607401: d.example 3600 overlay 192.0.2.2");
}

static void what_is_held_back_again_still_owes(void **state)
{
    struct setup steps[] = {enforce, enforce};
    const int64_t times[] = {NOW - 2000, NOW - 1000};

    (void)state;
    steps[1].n_announced = 1; /* c.example is not announced any more */
    assert_string_equal(history(steps, times, 2),
                        "a.example until 1608401: a.example 3600 overlay 192.0.2.1; "
                        "b.example until 1608401: a.example 3600 overlay 192.0.2.1; "
                        "c.example until 1607401: a.example 3600 overlay 192.0.2.1");
}

static void a_body_that_comes_as_a_domain_is_held_back_does_not_bind_it(void **state)
{
    struct setup steps[] = {enforce, enforce};
    const int64_t times[] = {NOW - 2000, NOW - 1000};

    (void)state;
    steps[0].mode = POLICY_MODE_TESTING;
    steps[1].n_announced = 1;
    assert_string_equal(history(steps, times, 2),
                        "a.example until 1608401: a.example 3600 overlay 192.0.2.1; "
                        "b.example until 1608401: a.example 3600 overlay 192.0.2.1");
}

static void a_body_that_comes_as_a_domain_moves_does_not_bind_it(void **state)
{
    const struct setup other = {"d.example", POLICY_MODE_TESTING, "192.0.2.2", {"c.example"}, 1,
                                false};
    const struct setup last = {"z.example", POLICY_MODE_TESTING, NULL, {0}, 0, false};
    struct setup left = enforce, testing = enforce;
    struct snapshot *before, *published, *loaded = load(&last, NULL);

    (void)state;
    testing.mode = POLICY_MODE_TESTING;
    left.members[1] = NULL;
    before = load(&testing, NULL);
    published = load(&left, &other);
    keep(before, NOW - 2000);
    keep(published, NOW - 1000);
    assert_string_equal(reload(published, loaded, NOW, NULL),
                        "a.example until 1608401: a.example 3600 overlay 192.0.2.1; "
                        "b.example until 1608401: a.example 3600 overlay 192.0.2.1");
    snapshot_unref(before);
    snapshot_unref(published);
    snapshot_unref(loaded);
}

static void what_it_owed_is_known_when_it_is_listed_again(void **state)
{
    struct setup after = {"a.example", POLICY_MODE_ENFORCE, "192.0.2.1", {"c.example"}, 1, false};
    struct snapshot *published = load(&enforce, NULL), *loaded = load(&after, NULL), *retired;

    (void)state;
    keep(published, NOW - 100);
    reload(published, loaded, NOW, &retired);
    keep(retired, NOW);
    snapshot_unref(published);
    after = enforce;
    after.mode = POLICY_MODE_TESTING;
    published = load(&after, NULL);
    keep(published, NOW + 100);
    assert_string_equal(reload(published, loaded, NOW + 200, NULL),
                        "b.example until 1608401: a.example 3600 overlay 192.0.2.1");
    assert_string_equal(start(loaded, NOW + 200),
                        "b.example until 1608401: a.example 3600 overlay 192.0.2.1");
    snapshot_unref(published);
    snapshot_unref(loaded);
    snapshot_unref(retired);
}

static int64_t lost(struct snapshot *before, struct snapshot *next)
{
    CLEANUP(domain_changes_deinit) struct domain_changes changes = DOMAIN_CHANGES_INIT;

    assert_int_equal(domain_changes_between(before, next, &changes), 0);
    return retirement_lost(before, next, &changes, NOW);
}

static void what_another_takes_the_place_of_is_lost_to_a_state_that_lags(void **state)
{
    const struct setup alone = {"a.example", POLICY_MODE_ENFORCE, "192.0.2.1", {"c.example"}, 1,
                                false};
    const struct setup other = {"d.example", POLICY_MODE_TESTING, "192.0.2.1", {"b.example"}, 1,
                                false};
    struct setup testing = enforce, held = enforce;
    struct snapshot *before = load(&enforce, NULL), *moved = load(&alone, &other), *next, *retired;

    (void)state;
    testing.mode = POLICY_MODE_TESTING;
    held.n_announced = 1;
    assert_int_equal(lost(before, before), 0);
    assert_int_equal(lost(before, moved), NOW + 1 + WEEK + TTL);
    assert_int_equal(lost(moved, before), 0);
    next = load(&testing, NULL);
    assert_int_equal(lost(before, next), NOW + 1 + WEEK + TTL);
    assert_int_equal(lost(next, before), 0);
    snapshot_unref(next);
    next = load(&held, NULL);
    assert_int_equal(lost(before, next), NOW + 1 + WEEK + TTL);
    assert_int_equal(lost(next, before), 0);
    snapshot_unref(next);
    /* Of those that retire it is known. */
    next = load(&alone, NULL);
    reload(before, next, NOW, &retired);
    assert_int_equal(lost(before, retired), 0);
    snapshot_unref(next);
    snapshot_unref(retired);
    snapshot_unref(before);
    snapshot_unref(moved);
}

static void what_the_state_was_never_told_of_counts(void **state)
{
    struct setup before = enforce;
    const struct setup after = {"a.example", POLICY_MODE_TESTING, "192.0.2.1", {"c.example"}, 1,
                                false};
    struct snapshot *published, *loaded = load(&after, NULL);

    (void)state;
    before.mode = POLICY_MODE_TESTING;
    published = load(&before, NULL);
    keep_late(published, NOW - 100, NOW + 500);
    keep(published, NOW - 50);
    assert_string_equal(reload(published, loaded, NOW, NULL),
                        "b.example until 1000500: a.example 3600 overlay 192.0.2.1");
    assert_string_equal(start(loaded, NOW),
                        "b.example until 1000500: a.example 3600 overlay 192.0.2.1");
    assert_string_equal(start(loaded, NOW + 500), "");
    snapshot_unref(published);
    snapshot_unref(loaded);
}

static void who_began_anew_meanwhile_retires_until_the_later_time(void **state)
{
    const struct setup after = {"a.example", POLICY_MODE_ENFORCE, "192.0.2.1", {"c.example"}, 1,
                                false};
    struct snapshot *published = load(&enforce, NULL), *loaded = load(&after, NULL), *retired;

    (void)state;
    reload(published, loaded, NOW, &retired);
    keep(retired, NOW);
    snapshot_unref(retired);
    reload(published, loaded, NOW + 500, &retired);
    keep_late(retired, NOW + 500, 1);
    assert_string_equal(start(loaded, NOW + 600),
                        "b.example until 1608901: a.example 3600 overlay 192.0.2.1");
    snapshot_unref(published);
    snapshot_unref(loaded);
    snapshot_unref(retired);
}

static void a_state_that_lags_behind_lets_nobody_retire_longer(void **state)
{
    struct setup after = {"a.example", POLICY_MODE_ENFORCE, "192.0.2.1", {"c.example"}, 1, false};
    struct snapshot *published = load(&enforce, NULL), *loaded = load(&after, NULL), *retired;

    (void)state;
    keep(published, NOW - 100);
    reload(published, loaded, NOW, &retired);
    assert_string_equal(reload(retired, loaded, 1608401, NULL), "");
    /* Nor is it longer if that is written days later. */
    keep(retired, NOW + 2 * 86400);
    assert_string_equal(reload(retired, loaded, 1608401, NULL), "");
    assert_string_equal(start(loaded, 1608401), "");
    snapshot_unref(published);
    snapshot_unref(loaded);
    snapshot_unref(retired);
}

static void what_is_not_known_counts_as_long(void **state)
{
    struct setup before = enforce;
    const struct setup after = {"a.example", POLICY_MODE_TESTING, "192.0.2.1", {"c.example"}, 1,
                                false};
    struct snapshot *published, *loaded = load(&after, NULL), *retired;

    (void)state;
    before.mode = POLICY_MODE_TESTING;
    published = load(&before, NULL);
    assert_string_equal(reload_in("/nonexistent", published, loaded, NOW, &retired),
                        "b.example until 1608401: a.example 3600 overlay 192.0.2.1");
    /* But not for ever. */
    assert_string_equal(reload_in("/nonexistent", retired, loaded, 1608401, NULL), "");
    snapshot_unref(retired);
    snapshot_unref(published);
    snapshot_unref(loaded);
}

static void without_a_state_nothing_retires(void **state)
{
    const struct setup after = {"a.example", POLICY_MODE_ENFORCE, "192.0.2.1", {0}, 0, false};
    struct snapshot *published = load(&enforce, NULL), *loaded = load(&after, NULL);

    (void)state;
    assert_string_equal(reload_in(NULL, published, loaded, NOW, NULL), "lost: 2");
    assert_string_equal(reload_in(NULL, published, published, NOW, NULL), "lost: 0");
    snapshot_unref(published);
    snapshot_unref(loaded);
}

static void the_first_are_named_and_the_last_time(void **state)
{
    struct retiring_set set = RETIRING_SET_INIT;
    struct snapshot *loaded = load(&enforce, NULL), *retired;
    struct buffer out = BUFFER_INIT;
    char names[7][16];

    (void)state;
    retirement_describe(loaded, 0, &out);
    assert_int_equal(out.length, 0);
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        struct retiring retiring = {.until = NOW + (i == 3)};

        snprintf(names[i], sizeof(names[i]), "r%zu.example", i);
        retiring.name = text_from(names[i]);
        assert_int_equal(retiring_set_add_former(&set, TEXT("x 60 overlay"), &retiring.former), 0);
        assert_int_equal(retiring_set_add(&set, &retiring), 0);
    }
    assert_int_equal(snapshot_retire(loaded, &set, &retired), 0);
    retirement_describe(retired, 0, &out);
    assert_string_equal(buffer_string(&out),
                        "7 domains, until 1970-01-12T13:46:41Z at the latest: r0.example, "
                        "r1.example, r2.example, r3.example, r4.example and 2 more");
    snapshot_unref(retired);
    set.n = 1;
    buffer_clear(&out);
    assert_int_equal(snapshot_retire(loaded, &set, &retired), 0);
    retirement_describe(retired, 0, &out);
    assert_string_equal(buffer_string(&out), "1 domain, until 1970-01-12T13:46:40Z: r0.example");
    snapshot_unref(retired);
    snapshot_unref(loaded);
    retiring_set_deinit(&set);
    buffer_deinit(&out);
}

#define TEST(FUNCTION) cmocka_unit_test_setup_teardown(FUNCTION, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_domain_that_is_not_listed_any_more_retires),
        TEST(all_domains_of_a_policy_that_is_gone_retire),
        TEST(a_primary_that_leaves_retires_while_its_members_go_on),
        TEST(a_domain_with_reports_alone_retires),
        TEST(a_domain_that_gets_another_policy_does_not_retire),
        TEST(testing_and_none_bind_nobody),
        TEST(what_was_never_announced_binds_nobody),
        TEST(with_retire_no_it_is_gone_at_once),
        TEST(it_follows_its_former_policy),
        TEST(a_retiring_domain_retires_until_the_same_time),
        TEST(earlier_bodies_bind_as_long_as_senders_may_hold_them),
        TEST(the_longest_ttl_of_a_body_counts),
        TEST(a_domain_owes_nothing_for_what_was_before_it),
        TEST(what_joins_when_enforce_ends_owes_nothing),
        TEST(what_a_note_says_that_senders_hold_binds),
        TEST(a_body_ends_with_the_mode_of_its_policy),
        TEST(a_domain_carries_what_it_owes_to_another_policy),
        TEST(what_is_held_back_again_still_owes),
        TEST(a_body_that_comes_as_a_domain_is_held_back_does_not_bind_it),
        TEST(a_body_that_comes_as_a_domain_moves_does_not_bind_it),
        TEST(what_it_owed_is_known_when_it_is_listed_again),
        TEST(what_another_takes_the_place_of_is_lost_to_a_state_that_lags),
        TEST(what_the_state_was_never_told_of_counts),
        TEST(who_began_anew_meanwhile_retires_until_the_later_time),
        TEST(a_state_that_lags_behind_lets_nobody_retire_longer),
        TEST(what_is_not_known_counts_as_long),
        TEST(without_a_state_nothing_retires),
        TEST(the_first_are_named_and_the_last_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
