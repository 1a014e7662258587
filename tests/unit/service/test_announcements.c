#include "service/announcements.h"

#include "cmocka_all.h"
#include "fixture.h"
#include "snapshot/changes.h"

/* A service's view: what was loaded last, what is published, what waits. */
struct fixture {
    struct snapshot *loaded, *published;
    struct announcements announcements;
};

/* A configuration of two policies: a.example with a body (by its max_age), a delay in seconds and
 * maybe a fixed id, and b.example, which differs in the same way. */
struct version {
    uint32_t age_a, age_b, delay;
    const char *id;
};

static void add(struct builder *builder, const char *primary, uint32_t max_age,
                const struct version *version)
{
    struct policy_spec spec = fixture_full_spec();
    uint32_t policy;

    spec.primary = fixture_name(primary);
    spec.max_age = max_age;
    spec.announce_delay = version->delay;
    spec.fixed_id = version->id;
    if (max_age == 0)
        spec.mode = POLICY_MODE_ABSENT;
    assert_int_equal(builder_add_policy(builder, &spec, 0, &policy), 0);
}

static struct snapshot *load(const struct version *version)
{
    struct builder *builder;
    struct snapshot *snapshot;

    assert_int_equal(builder_new(1, &builder), 0);
    add(builder, "a.example", version->age_a, version);
    add(builder, "b.example", version->age_b, version);
    assert_int_equal(builder_freeze(builder, NULL, NULL, &snapshot), 0);
    builder_free(builder);
    return snapshot;
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    const struct version version = {.age_a = 1, .age_b = 1, .delay = 10};

    if (!fixture)
        return -1;
    fixture->loaded = load(&version);
    fixture->published = snapshot_ref(fixture->loaded);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    announcements_deinit(&fixture->announcements);
    snapshot_unref(fixture->loaded);
    snapshot_unref(fixture->published);
    free(fixture);
    return 0;
}

static void publish(struct fixture *fixture, int64_t now)
{
    CLEANUP(past_deinit) struct past past = PAST_INIT;
    const struct domain_changes none = DOMAIN_CHANGES_INIT;
    const struct snapshot_before before = {.past = &past, .changes = &none};
    struct snapshot *published;

    assert_int_equal(
        announcements_apply(&fixture->announcements, fixture->loaded, &before, now, &published), 0);
    snapshot_unref(fixture->published);
    fixture->published = published;
}

static void reload(struct fixture *fixture, int64_t now, struct version version)
{
    CLEANUP(past_deinit) struct past past = PAST_INIT;
    struct snapshot *loaded = load(&version);
    struct announcements planned;

    assert_int_equal(past_of(fixture->published, &past), 0);
    announcements_note(&fixture->announcements, fixture->loaded, INT64_MIN, &past);
    assert_int_equal(announcements_plan(&past, loaded, now, &planned), 0);
    announcements_deinit(&fixture->announcements);
    fixture->announcements = planned;
    snapshot_unref(fixture->loaded);
    fixture->loaded = loaded;
    publish(fixture, now);
}

/* Asserts that a policy announces the automatic id of the body with this max_age. */
static void assert_announced(const struct fixture *fixture, size_t policy, uint32_t max_age)
{
    struct snapshot *snapshot = load(&(struct version){.age_a = max_age, .age_b = max_age});

    assert_string_equal(snapshot_policy(fixture->published, policy)->id.data,
                        snapshot_policy(snapshot, policy)->id.data);
    snapshot_unref(snapshot);
}

static void assert_served(const struct fixture *fixture, size_t policy, const char *max_age)
{
    assert_non_null(strstr(snapshot_policy(fixture->published, policy)->body.data, max_age));
}

static void without_a_delay_nothing_waits(void **state)
{
    struct fixture *fixture = *state;

    reload(fixture, 0, (struct version){.age_a = 2, .age_b = 1, .delay = 0});
    assert_int_equal(fixture->announcements.n, 0);
    assert_int_equal(announcements_next(&fixture->announcements), INT64_MAX);
    assert_ptr_equal(fixture->published, fixture->loaded);
    assert_announced(fixture, 0, 2);
}

static void a_new_body_is_served_at_once_and_announced_after_the_delay(void **state)
{
    struct fixture *fixture = *state;

    reload(fixture, 1000, (struct version){.age_a = 2, .age_b = 1, .delay = 10});
    assert_int_equal(fixture->announcements.n, 1);
    assert_int_equal(announcements_next(&fixture->announcements), 11000);
    assert_served(fixture, 0, "max_age: 2\r\n");
    assert_announced(fixture, 0, 1);
    assert_announced(fixture, 1, 1);
    publish(fixture, 10999);
    assert_announced(fixture, 0, 1);
    publish(fixture, 11000);
    announcements_drop_due(&fixture->announcements, 11000);
    assert_int_equal(fixture->announcements.n, 0);
    assert_announced(fixture, 0, 2);
    assert_ptr_equal(fixture->published, fixture->loaded);
}

static void a_reload_without_a_change_lets_it_wait_on(void **state)
{
    struct fixture *fixture = *state;

    reload(fixture, 1000, (struct version){.age_a = 2, .age_b = 1, .delay = 10});
    reload(fixture, 6000, (struct version){.age_a = 2, .age_b = 1, .delay = 10});
    assert_int_equal(announcements_next(&fixture->announcements), 11000);
    assert_announced(fixture, 0, 1);
}

static void a_second_change_begins_the_delay_anew_with_the_first_id(void **state)
{
    struct fixture *fixture = *state;

    reload(fixture, 1000, (struct version){.age_a = 2, .age_b = 1, .delay = 10});
    reload(fixture, 6000, (struct version){.age_a = 3, .age_b = 1, .delay = 10});
    assert_int_equal(announcements_next(&fixture->announcements), 16000);
    assert_served(fixture, 0, "max_age: 3\r\n");
    assert_announced(fixture, 0, 1);
    publish(fixture, 16000);
    assert_announced(fixture, 0, 3);
}

static void a_change_that_is_taken_back_has_nothing_to_wait_for(void **state)
{
    struct fixture *fixture = *state;

    reload(fixture, 1000, (struct version){.age_a = 2, .age_b = 1, .delay = 10});
    reload(fixture, 6000, (struct version){.age_a = 1, .age_b = 1, .delay = 10});
    assert_int_equal(fixture->announcements.n, 0);
    assert_announced(fixture, 0, 1);
}

static void a_change_of_the_delay_counts_from_the_change_of_the_body(void **state)
{
    struct fixture *fixture = *state;

    reload(fixture, 1000, (struct version){.age_a = 2, .age_b = 1, .delay = 10});
    reload(fixture, 6000, (struct version){.age_a = 2, .age_b = 1, .delay = 20});
    assert_int_equal(announcements_next(&fixture->announcements), 21000);
    reload(fixture, 7000, (struct version){.age_a = 2, .age_b = 1, .delay = 0});
    assert_int_equal(fixture->announcements.n, 0);
    assert_announced(fixture, 0, 2);
}

static void each_policy_waits_for_itself(void **state)
{
    struct fixture *fixture = *state;

    reload(fixture, 1000, (struct version){.age_a = 1, .age_b = 2, .delay = 10});
    reload(fixture, 6000, (struct version){.age_a = 2, .age_b = 2, .delay = 10});
    assert_int_equal(fixture->announcements.n, 2);
    assert_int_equal(announcements_next(&fixture->announcements), 11000);
    publish(fixture, 11000);
    announcements_drop_due(&fixture->announcements, 11000);
    assert_announced(fixture, 0, 1);
    assert_announced(fixture, 1, 2);
    assert_int_equal(announcements_next(&fixture->announcements), 16000);
}

static void a_fixed_id_waits_too_but_not_for_itself_alone(void **state)
{
    struct fixture *fixture = *state;
    const char *old = snapshot_policy(fixture->published, 0)->id.data;
    char before[POLICY_ID_MAX + 1];

    strcpy(before, old);
    reload(fixture, 1000, (struct version){.age_a = 1, .age_b = 1, .delay = 10, .id = "one"});
    assert_int_equal(fixture->announcements.n, 0);
    assert_string_equal(snapshot_policy(fixture->published, 0)->id.data, "one");
    reload(fixture, 2000, (struct version){.age_a = 2, .age_b = 1, .delay = 10, .id = "two"});
    assert_string_equal(snapshot_policy(fixture->published, 0)->id.data, "one");
    assert_string_equal(snapshot_policy(fixture->published, 1)->id.data, "two");
    reload(fixture, 3000, (struct version){.age_a = 3, .age_b = 1, .delay = 10, .id = "one"});
    assert_int_equal(fixture->announcements.n, 0);
}

static void a_policy_that_comes_or_goes_never_waits(void **state)
{
    struct fixture *fixture = *state;

    reload(fixture, 1000, (struct version){.age_a = 0, .age_b = 1, .delay = 10});
    assert_int_equal(fixture->announcements.n, 0);
    assert_int_equal(snapshot_policy(fixture->published, 0)->id.length, 0);
    reload(fixture, 2000, (struct version){.age_a = 2, .age_b = 1, .delay = 10});
    assert_int_equal(fixture->announcements.n, 0);
    assert_announced(fixture, 0, 2);
}

static void what_is_due_can_be_put_off(void **state)
{
    struct fixture *fixture = *state;

    reload(fixture, 1000, (struct version){.age_a = 2, .age_b = 2, .delay = 10});
    announcements_defer_due(&fixture->announcements, 11000, 12000);
    assert_int_equal(announcements_next(&fixture->announcements), 12000);
    announcements_drop_due(&fixture->announcements, 11999);
    assert_int_equal(fixture->announcements.n, 2);
}

static void the_description_names_both_ids_and_the_time_left(void **state)
{
    CLEANUP(buffer_deinit) struct buffer out = BUFFER_INIT;
    struct fixture *fixture = *state;

    reload(fixture, 0, (struct version){.age_a = 1, .age_b = 1, .delay = 10, .id = "one"});
    announcements_describe(&fixture->announcements, fixture->loaded, 0, &out);
    assert_int_equal(out.length, 0);
    reload(fixture, 1000, (struct version){.age_a = 2, .age_b = 1, .delay = 10, .id = "two"});
    announcements_describe(&fixture->announcements, fixture->loaded, 2500, &out);
    buffer_add(&out, "", 1);
    assert_string_equal(out.data, "1 id waits: a.example one -> two in 9 s");
    buffer_clear(&out);
    reload(fixture, 3000, (struct version){.age_a = 2, .age_b = 2, .delay = 10, .id = "three"});
    announcements_describe(&fixture->announcements, fixture->loaded, 3000, &out);
    buffer_add(&out, "", 1);
    assert_string_equal(
        out.data, "2 ids wait: a.example one -> three in 8 s, b.example two -> three in 10 s");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)
        TEST(without_a_delay_nothing_waits),
        TEST(a_new_body_is_served_at_once_and_announced_after_the_delay),
        TEST(a_reload_without_a_change_lets_it_wait_on),
        TEST(a_second_change_begins_the_delay_anew_with_the_first_id),
        TEST(a_change_that_is_taken_back_has_nothing_to_wait_for),
        TEST(a_change_of_the_delay_counts_from_the_change_of_the_body),
        TEST(each_policy_waits_for_itself),
        TEST(a_fixed_id_waits_too_but_not_for_itself_alone),
        TEST(a_policy_that_comes_or_goes_never_waits),
        TEST(what_is_due_can_be_put_off),
        TEST(the_description_names_both_ids_and_the_time_left),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
