/* Which domains retire, and until when. */
#include "service/retirement.h"

#include "cmocka_all.h"
#include "fixture.h"

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

/* What a load comes to: "b.example until 1608400: a.example 3600 overlay 192.0.2.1; …". EARLIER
 * says until when domains that changed have obligations of former policies. */
static char *decide(const struct snapshot *published, const struct snapshot *loaded, int64_t now,
                    int64_t earlier, bool uncertain, struct snapshot **out)
{
    static char text[1024];
    CLEANUP(domain_changes_deinit) struct domain_changes changes = DOMAIN_CHANGES_INIT;
    CLEANUP(retiring_set_deinit) struct retiring_set set = RETIRING_SET_INIT;
    CLEANUP(past_deinit) struct past past = PAST_INIT;
    CLEANUP(arena_deinit) struct arena arena = ARENA_INIT;
    struct retirement retirement = {loaded, &past, &changes, now, uncertain};
    struct snapshot *retired;
    size_t used = 0;

    assert_int_equal(past_of(published, &past), 0);
    assert_int_equal(domain_changes_between(published, loaded, &changes), 0);
    for (size_t i = 0; i < changes.n; i++)
        if (changes.items[i].before.enforced_until < earlier)
            changes.items[i].before.enforced_until = earlier;
    assert_int_equal(retirement_decide(&retirement, &arena, &set), 0);
    assert_int_equal(snapshot_retire(loaded, &set, &retired), 0);
    text[0] = '\0';
    for (size_t i = 0; i < snapshot_n_retiring(retired); i++) {
        struct domain domain;

        snapshot_retiring(retired, i, &domain);
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%.*s until %lld: %s",
                                 i ? "; " : "", (int)domain.name.length, domain.name.data,
                                 (long long)snapshot_until(retired, &domain),
                                 domain.policy->former.data);
    }
    if (out)
        *out = retired;
    else
        snapshot_unref(retired);
    return text;
}

/* The same for two configurations, with nothing before. */
static void assert_decided(const struct setup *before, const struct setup *after,
                           const struct setup *beside, const char *expected)
{
    struct snapshot *published = load(before, NULL), *loaded = load(after, beside);

    assert_string_equal(decide(published, loaded, NOW, 0, false, NULL), expected);
    snapshot_unref(published);
    snapshot_unref(loaded);
}

static void a_domain_that_is_not_listed_any_more_retires(void **state)
{
    const struct setup after = {"a.example", POLICY_MODE_ENFORCE, "192.0.2.1", {"c.example"}, 1,
                                false};

    (void)state;
    assert_decided(&enforce, &after, NULL,
                   "b.example until 1608400: a.example 3600 overlay 192.0.2.1");
    assert_decided(&enforce, &enforce, NULL, "");
}

static void all_domains_of_a_policy_that_is_gone_retire(void **state)
{
    const struct setup after = {"d.example", POLICY_MODE_TESTING, "192.0.2.2", {0}, 0, false};

    (void)state;
    assert_decided(&enforce, &after, NULL,
                   "a.example until 1608400: a.example 3600 overlay 192.0.2.1; "
                   "b.example until 1608400: a.example 3600 overlay 192.0.2.1; "
                   "c.example until 1608400: a.example 3600 overlay 192.0.2.1");
}

static void a_primary_that_leaves_retires_while_its_members_go_on(void **state)
{
    const struct setup after = {"b.example", POLICY_MODE_ENFORCE, "192.0.2.2", {"c.example"}, 1,
                                false};

    (void)state;
    assert_decided(&enforce, &after, NULL,
                   "a.example until 1608400: a.example 3600 overlay 192.0.2.1");
}

static void a_domain_with_reports_alone_retires(void **state)
{
    const struct setup after = {"a.example", POLICY_MODE_ENFORCE, "192.0.2.1", {"c.example"}, 1,
                                false};
    const struct setup reports = {"d.example", POLICY_MODE_ABSENT, NULL, {"b.example"}, 1, false};

    (void)state;
    assert_decided(&enforce, &after, &reports,
                   "b.example until 1608400: a.example 3600 overlay 192.0.2.1");
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
                   "b.example until 1608400: a.example 3600 overlay 192.0.2.1");
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
                   "b.example until 1608400: a.example 3600 overlay 192.0.2.9");
    bare.address = NULL;
    assert_decided(&enforce, &bare, NULL,
                   "b.example until 1608400: a.example 3600 overlay 192.0.2.1");
    /* A member of that name is no policy. */
    bare = (struct setup){"d.example", POLICY_MODE_TESTING, "192.0.2.9", {"a.example"}, 1, false};
    assert_decided(&enforce, &bare, NULL,
                   "b.example until 1608400: a.example 3600 overlay 192.0.2.1; "
                   "c.example until 1608400: a.example 3600 overlay 192.0.2.1");
}

static void a_retiring_domain_retires_until_the_same_time(void **state)
{
    struct setup after = {"a.example", POLICY_MODE_ENFORCE, "192.0.2.1", {"c.example"}, 1, false};
    struct snapshot *published = load(&enforce, NULL), *loaded = load(&after, NULL), *first, *moved;

    (void)state;
    decide(published, loaded, NOW, 0, false, &first);
    assert_string_equal(decide(first, loaded, NOW + 500, 0, false, NULL),
                        "b.example until 1608400: a.example 3600 overlay 192.0.2.1");
    after.address = "192.0.2.2";
    snapshot_unref(loaded);
    loaded = load(&after, NULL);
    assert_string_equal(decide(first, loaded, NOW + 500, 0, false, &moved),
                        "b.example until 1608400: a.example 3600 overlay 192.0.2.2");
    assert_string_equal(decide(moved, loaded, 1608399, 0, false, NULL),
                        "b.example until 1608400: a.example 3600 overlay 192.0.2.2");
    assert_string_equal(decide(moved, loaded, 1608400, 0, false, NULL), "");
    snapshot_unref(loaded);
    /* Listed again, it is an ordinary domain. */
    loaded = load(&enforce, NULL);
    assert_string_equal(decide(moved, loaded, NOW + 500, 0, false, NULL), "");
    snapshot_unref(first);
    snapshot_unref(moved);
    snapshot_unref(published);
    snapshot_unref(loaded);
}

static void what_was_before_binds_as_well(void **state)
{
    struct setup before = enforce;
    const struct setup after = {"a.example", POLICY_MODE_TESTING, "192.0.2.1", {"c.example"}, 1,
                                false};
    struct snapshot *published, *loaded = load(&after, NULL);

    (void)state;
    before.mode = POLICY_MODE_TESTING;
    published = load(&before, NULL);
    assert_string_equal(decide(published, loaded, NOW, NOW + 10, false, NULL),
                        "b.example until 1000010: a.example 3600 overlay 192.0.2.1");
    assert_string_equal(decide(published, loaded, NOW, NOW, false, NULL), "");
    snapshot_unref(published);
    published = load(&enforce, NULL);
    assert_string_equal(decide(published, loaded, NOW, NOW + 2 * WEEK, false, NULL),
                        "b.example until 2209600: a.example 3600 overlay 192.0.2.1");
    snapshot_unref(published);
    snapshot_unref(loaded);
}

static void what_is_not_known_counts_as_long(void **state)
{
    struct setup before = enforce;
    const struct setup after = {"a.example", POLICY_MODE_TESTING, "192.0.2.1", {"c.example"}, 1,
                                false};
    struct snapshot *published, *loaded = load(&after, NULL);

    (void)state;
    before.mode = POLICY_MODE_TESTING;
    published = load(&before, NULL);
    assert_string_equal(decide(published, loaded, NOW, 0, true, NULL),
                        "b.example until 1608400: a.example 3600 overlay 192.0.2.1");
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
    retirement_describe(loaded, &out);
    assert_int_equal(out.length, 0);
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        struct retiring retiring = {.until = NOW + (i == 3)};

        snprintf(names[i], sizeof(names[i]), "r%zu.example", i);
        retiring.name = text_from(names[i]);
        assert_int_equal(retiring_set_add_former(&set, TEXT("x 60 overlay"), &retiring.former), 0);
        assert_int_equal(retiring_set_add(&set, &retiring), 0);
    }
    assert_int_equal(snapshot_retire(loaded, &set, &retired), 0);
    retirement_describe(retired, &out);
    assert_string_equal(buffer_string(&out),
                        "7 domains, until 1970-01-12T13:46:41Z at the latest: r0.example, "
                        "r1.example, r2.example, r3.example, r4.example and 2 more");
    snapshot_unref(retired);
    set.n = 1;
    buffer_clear(&out);
    assert_int_equal(snapshot_retire(loaded, &set, &retired), 0);
    retirement_describe(retired, &out);
    assert_string_equal(buffer_string(&out), "1 domain, until 1970-01-12T13:46:40Z: r0.example");
    snapshot_unref(retired);
    snapshot_unref(loaded);
    retiring_set_deinit(&set);
    buffer_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_domain_that_is_not_listed_any_more_retires),
        cmocka_unit_test(all_domains_of_a_policy_that_is_gone_retire),
        cmocka_unit_test(a_primary_that_leaves_retires_while_its_members_go_on),
        cmocka_unit_test(a_domain_with_reports_alone_retires),
        cmocka_unit_test(a_domain_that_gets_another_policy_does_not_retire),
        cmocka_unit_test(testing_and_none_bind_nobody),
        cmocka_unit_test(what_was_never_announced_binds_nobody),
        cmocka_unit_test(with_retire_no_it_is_gone_at_once),
        cmocka_unit_test(it_follows_its_former_policy),
        cmocka_unit_test(a_retiring_domain_retires_until_the_same_time),
        cmocka_unit_test(what_was_before_binds_as_well),
        cmocka_unit_test(what_is_not_known_counts_as_long),
        cmocka_unit_test(the_first_are_named_and_the_last_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
