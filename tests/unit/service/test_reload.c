#include "cmocka_all.h"
#include "fixture.h"
#include "service/reload.h"
#include "snapshot/retiring.h"

struct changes {
    const char *primary, *fixed_id;
    const char *members[8]; /* NULL past the last */
    size_t n_held;          /* so many of them, from the first on, are held back */
    uint32_t max_age, ttl;
    uint32_t catalogs;
};

/* A snapshot of one policy. */
static struct snapshot *snapshot_of(const struct changes *changes)
{
    struct policy_spec spec = fixture_full_spec();
    struct builder *builder = NULL;
    struct snapshot *snapshot = NULL;
    uint32_t policy;

    spec.primary = fixture_name(changes->primary);
    spec.fixed_id = changes->fixed_id;
    spec.max_age = changes->max_age;
    spec.ttl = changes->ttl;
    assert_int_equal(builder_new(7, &builder), 0);
    if (changes->catalogs) {
        const struct name server = fixture_name("ns1.example");
        const struct zone_settings settings = {
            .nameservers = &server,
            .n_nameservers = 1,
            .hostmaster = server,
            .catalog = fixture_name("catalog.example"),
            .catalog_parts = changes->catalogs,
        };

        assert_int_equal(builder_set_zones(builder, &settings), 0);
    }
    assert_int_equal(builder_add_policy(builder, &spec, 0, &policy), 0);
    for (size_t i = 0; changes->members[i]; i++) {
        struct name name = fixture_name(changes->members[i]);

        assert_int_equal(
            builder_add_member(builder, policy, DOMAIN_CNAME, i < changes->n_held, &name, 0), 0);
    }
    assert_int_equal(builder_freeze(builder, NULL, NULL, &snapshot), 0);
    builder_free(builder);
    return snapshot;
}

static void assert_description(const struct changes *before, const struct changes *after,
                               const char *expected)
{
    CLEANUP(buffer_deinit) struct buffer out = BUFFER_INIT;
    CLEANUP(domain_changes_deinit) struct domain_changes changes = DOMAIN_CHANGES_INIT;
    struct snapshot *old = snapshot_of(before), *new = snapshot_of(after);

    assert_int_equal(domain_changes_between(old, new, &changes), 0);
    reload_describe(old, new, &changes, &out);
    buffer_add(&out, "", 1);
    assert_string_equal(out.data, expected);
    snapshot_unref(old);
    snapshot_unref(new);
}

static void domains_added_and_removed_are_counted(void **state)
{
    const struct changes before = {.primary = "a.example", .members = {"x.example", "y.example"}};
    const struct changes after = {.primary = "a.example",
                                  .members = {"y.example", "z.example", "w.example"}};

    (void)state;
    assert_description(&before, &after,
                       "1 policy (0 added, 0 removed, 0 changed), "
                       "4 domains (2 added, 1 removed)");
    assert_description(&before, &before,
                       "1 policy (0 added, 0 removed, 0 changed), "
                       "3 domains (0 added, 0 removed)");
}

static void another_number_of_catalog_zones_is_told(void **state)
{
    const struct changes before = {.primary = "a.example", .catalogs = 4};
    const struct changes after = {.primary = "a.example", .catalogs = 1};

    (void)state;
    assert_description(&before, &after,
                       "1 policy (0 added, 0 removed, 0 changed), 1 domain (0 added, 0 removed); "
                       "catalog zones: 4 -> 1");
    assert_description(&after, &after,
                       "1 policy (0 added, 0 removed, 0 changed), 1 domain (0 added, 0 removed)");
}

static void domains_whose_certificates_came_are_named(void **state)
{
    const struct changes before = {.primary = "a.example",
                                   .members = {"b.example", "c.example", "d.example", "e.example",
                                               "f.example", "g.example", "h.example"},
                                   .n_held = 7};
    struct changes after = before;

    (void)state;
    after.n_held = 5;
    assert_description(&before, &after,
                       "1 policy (0 added, 0 removed, 0 changed), "
                       "8 domains (0 added, 0 removed); "
                       "no longer waiting for a certificate: g.example, h.example");
    after.n_held = 0;
    assert_description(&before, &after,
                       "1 policy (0 added, 0 removed, 0 changed), "
                       "8 domains (0 added, 0 removed); no longer waiting for a certificate: "
                       "b.example, c.example, d.example, e.example, f.example and 2 more");
    assert_description(&after, &before,
                       "1 policy (0 added, 0 removed, 0 changed), "
                       "8 domains (0 added, 0 removed)");
}

static void ids_that_changed_are_named_old_and_new(void **state)
{
    const struct changes before = {.primary = "a.example", .fixed_id = "1"};
    const struct changes after = {.primary = "a.example", .fixed_id = "2"};

    (void)state;
    assert_description(&before, &after,
                       "1 policy (0 added, 0 removed, 1 changed), "
                       "1 domain (0 added, 0 removed); ids: a.example 1 -> 2");
}

static void policies_added_removed_and_changed_are_counted(void **state)
{
    const struct changes a = {.primary = "a.example", .max_age = 1};
    const struct changes b = {.primary = "b.example", .max_age = 1};
    const struct changes member = {.primary = "b.example", .max_age = 1, .members = {"a.example"}};
    const struct changes ttl = {.primary = "a.example", .max_age = 1, .ttl = 60};

    (void)state;
    assert_description(&a, &b,
                       "1 policy (1 added, 1 removed, 0 changed), "
                       "1 domain (1 added, 1 removed)");
    assert_description(&member, &a,
                       "1 policy (1 added, 1 removed, 0 changed), "
                       "1 domain (0 added, 1 removed)");
    assert_description(&a, &ttl,
                       "1 policy (0 added, 0 removed, 1 changed), "
                       "1 domain (0 added, 0 removed)");
}

static void count(const struct policy *policy, void *context)
{
    size_t *n = context;

    assert_string_equal(policy->primary.data, "a.example");
    ++*n;
}

static size_t warnings(const struct changes *before, const struct changes *after)
{
    struct snapshot *old = snapshot_of(before), *new = snapshot_of(after);
    size_t n = 0;

    reload_check_ids(old, new, count, &n);
    snapshot_unref(old);
    snapshot_unref(new);
    return n;
}

static void a_fixed_id_that_stays_while_the_body_changes_is_warned_of(void **state)
{
    const struct changes before = {.primary = "a.example", .fixed_id = "1", .max_age = 86400};
    const struct changes body = {.primary = "a.example", .fixed_id = "1", .max_age = 86401};
    const struct changes both = {.primary = "a.example", .fixed_id = "2", .max_age = 86401};
    const struct changes other = {.primary = "b.example", .fixed_id = "1", .max_age = 86401};
    const struct changes automatic = {.primary = "a.example", .max_age = 86400};
    const struct changes automatic_body = {.primary = "a.example", .max_age = 86401};

    (void)state;
    assert_int_equal(warnings(&before, &body), 1);
    assert_int_equal(warnings(&before, &before), 0);
    assert_int_equal(warnings(&before, &both), 0);
    assert_int_equal(warnings(&before, &other), 0);
    assert_int_equal(warnings(&automatic, &automatic_body), 0);
}

static void more_than_the_limit_and_at_least_a_hundred_are_too_many(void **state)
{
    (void)state;
    assert_false(reload_removes_too_many(99, 99, 20));
    assert_false(reload_removes_too_many(99, 100, 0));
    assert_true(reload_removes_too_many(100, 100, 0));
    assert_false(reload_removes_too_many(100, 100, 100));
    assert_true(reload_removes_too_many(100, 499, 20));
    assert_false(reload_removes_too_many(100, 500, 20));
    assert_false(reload_removes_too_many(200, 1000, 20));
    assert_true(reload_removes_too_many(201, 1000, 20));
    assert_false(reload_removes_too_many(0, 0, 0));
    assert_true(reload_removes_too_many(16777216, 16777216, 99));
}

static void what_is_retiring_was_removed_before(void **state)
{
    const struct changes before = {.primary = "a.example", .members = {"b.example", "c.example"}};
    const struct changes after = {.primary = "a.example", .members = {"d.example"}};
    CLEANUP(domain_changes_deinit) struct domain_changes changes = DOMAIN_CHANGES_INIT;
    CLEANUP(retiring_set_deinit) struct retiring_set set = RETIRING_SET_INIT;
    struct retiring retiring = {.name = TEXT("e.example"), .until = 1};
    struct snapshot *old = snapshot_of(&before), *new = snapshot_of(&after), *with;

    (void)state;
    assert_int_equal(retiring_set_add_former(&set, TEXT("a.example 60 overlay"), &retiring.former),
                     0);
    assert_int_equal(retiring_set_add(&set, &retiring), 0);
    assert_int_equal(snapshot_retire(old, &set, &with), 0);
    assert_int_equal(domain_changes_between(with, new, &changes), 0);
    assert_int_equal(changes.n_removed, 3);
    assert_int_equal(reload_count_removed(new, &changes), 2);
    assert_int_equal(reload_count_added(new, &changes), 1);
    assert_int_equal(snapshot_n_domains(with), snapshot_n_domains(new) + 2 - 1);
    snapshot_unref(old);
    snapshot_unref(new);
    snapshot_unref(with);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(domains_added_and_removed_are_counted),
        cmocka_unit_test(another_number_of_catalog_zones_is_told),
        cmocka_unit_test(domains_whose_certificates_came_are_named),
        cmocka_unit_test(ids_that_changed_are_named_old_and_new),
        cmocka_unit_test(policies_added_removed_and_changed_are_counted),
        cmocka_unit_test(a_fixed_id_that_stays_while_the_body_changes_is_warned_of),
        cmocka_unit_test(more_than_the_limit_and_at_least_a_hundred_are_too_many),
        cmocka_unit_test(what_is_retiring_was_removed_before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
