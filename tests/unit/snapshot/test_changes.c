#include "cmocka_all.h"
#include "fixture.h"
#include "snapshot/changes.h"

#include <stdio.h>

enum { MANY = 20000 };

static uint32_t add_policy(struct builder *builder, const char *primary)
{
    struct policy_spec spec = fixture_full_spec();
    uint32_t policy;

    spec.primary = fixture_name(primary);
    assert_int_equal(builder_add_policy(builder, &spec, 0, &policy), 0);
    return policy;
}

static void add(struct builder *builder, uint32_t policy, const char *name, enum domain_kind kind,
                bool held)
{
    const struct name domain = fixture_name(name);

    assert_int_equal(builder_add_member(builder, policy, kind, held, &domain, 0), 0);
}

static void ignore_clash(const struct builder_clash *clash, void *context)
{
    (void)clash;
    (void)context;
}

static struct snapshot *end(struct builder *builder)
{
    struct snapshot *snapshot;

    assert_int_equal(builder_freeze(builder, ignore_clash, NULL, &snapshot), 0);
    builder_free(builder);
    return snapshot;
}

/* What each version below has of the domains. */
struct version {
    bool swapped; /* the policies come in another order */
    bool held, direct, moved, without, more, twice;
};

static struct snapshot *make(uint64_t seed, const struct version *version)
{
    struct builder *builder;
    uint32_t policies[2];

    assert_int_equal(builder_new(seed, &builder), 0);
    policies[version->swapped] =
        add_policy(builder, version->swapped ? "two.example" : "one.example");
    policies[!version->swapped] =
        add_policy(builder, version->swapped ? "one.example" : "two.example");
    if (!version->without)
        add(builder, policies[0], "a.example", DOMAIN_CNAME, false);
    add(builder, policies[0], "b.example", DOMAIN_CNAME, version->held);
    add(builder, policies[0], "c.example", version->direct ? DOMAIN_DIRECT : DOMAIN_CNAME, false);
    add(builder, policies[version->moved], "d.example", DOMAIN_CNAME, false);
    if (version->more)
        add(builder, policies[1], "e.example", DOMAIN_CNAME, false);
    if (version->twice)
        add(builder, policies[1], "c.example", DOMAIN_CNAME, true);
    return end(builder);
}

static void describe(const struct domain_changes *changes, struct buffer *out)
{
    buffer_printf(out, "+%zu -%zu", changes->n_added, changes->n_removed);
    for (size_t i = 0; i < changes->n; i++) {
        const struct domain_change *change = &changes->items[i];

        buffer_printf(out, " %c%.*s",
                      !change->position   ? '-'
                      : change->was_there ? '~'
                                          : '+',
                      (int)change->name.length, change->name.data);
        if (change->was_there)
            buffer_printf(out, "(%.3s %d%s%s)", change->before.primary.data, change->before.kind,
                          change->before.held ? " held" : "", change->moved ? " moved" : "");
    }
}

/* Of every bucket, the domains of a snapshot as they would be kept. */
static void add_kept(struct domain_changes *changes, const struct snapshot *before,
                     const struct snapshot *after)
{
    for (uint32_t bucket = 0; bucket < SNAPSHOT_BUCKETS; bucket++) {
        struct past_domain kept[8];
        struct domain domain;
        size_t cursor = 0, n = 0;

        while (snapshot_next_in_bucket(before, bucket, &cursor, &domain)) {
            size_t at = n++;

            for (; at && text_compare(kept[at - 1].name, domain.name) > 0; at--)
                kept[at] = kept[at - 1];
            kept[at] = (struct past_domain){.name = domain.name,
                                            .primary = domain.policy->primary,
                                            .kind = domain.kind,
                                            .held = domain.held,
                                            .has_mode = domain.policy->mode != POLICY_MODE_ABSENT};
        }
        assert_int_equal(domain_changes_add_bucket(changes, after, bucket, kept, n), 0);
    }
    domain_changes_sort(changes);
}

static void assert_changes(const struct version *before, const struct version *after,
                           const char *expected)
{
    for (uint64_t seed = 1; seed <= 50; seed++) {
        CLEANUP(snapshot_unref_pointer) struct snapshot *old = make(seed, before);
        CLEANUP(snapshot_unref_pointer) struct snapshot *new = make(seed, after);
        CLEANUP(snapshot_unref_pointer) struct snapshot *seeded = make(seed + 1, after);
        CLEANUP(domain_changes_deinit) struct domain_changes changes = DOMAIN_CHANGES_INIT;
        CLEANUP(domain_changes_deinit) struct domain_changes other = DOMAIN_CHANGES_INIT;
        CLEANUP(domain_changes_deinit) struct domain_changes kept = DOMAIN_CHANGES_INIT;
        CLEANUP(buffer_deinit) struct buffer text = BUFFER_INIT;

        assert_int_equal(domain_changes_between(old, new, &changes), 0);
        describe(&changes, &text);
        assert_string_equal(buffer_string(&text), expected);
        assert_int_equal(domain_changes_between(old, seeded, &other), 0);
        buffer_clear(&text);
        describe(&other, &text);
        assert_string_equal(buffer_string(&text), expected);
        add_kept(&kept, old, new);
        buffer_clear(&text);
        describe(&kept, &text);
        assert_string_equal(buffer_string(&text), expected);
    }
}

static void every_kind_of_change_is_found(void **state)
{
    const struct version plain = {0};

    (void)state;
    assert_changes(&plain, &plain, "+0 -0");
    assert_changes(&plain, &(struct version){.held = true}, "+0 -0 ~b.example(one 2)");
    assert_changes(&(struct version){.held = true}, &plain, "+0 -0 ~b.example(one 2 held)");
    assert_changes(&plain, &(struct version){.direct = true}, "+0 -0 ~c.example(one 2)");
    assert_changes(&plain, &(struct version){.moved = true}, "+0 -0 ~d.example(one 2 moved)");
    assert_changes(&plain, &(struct version){.without = true}, "+0 -1 -a.example(one 2)");
    assert_changes(&plain, &(struct version){.more = true}, "+1 -0 +e.example");
    assert_changes(&plain, &(struct version){.without = true, .moved = true, .more = true},
                   "+1 -1 -a.example(one 2) ~d.example(one 2 moved) +e.example");
}

static void the_numbers_of_policies_and_names_left_out_make_no_difference(void **state)
{
    const struct version plain = {0};

    (void)state;
    assert_changes(&plain, &(struct version){.swapped = true}, "+0 -0");
    assert_changes(&plain, &(struct version){.twice = true}, "+0 -0");
    for (uint64_t seed = 1; seed <= 50; seed++) {
        CLEANUP(snapshot_unref_pointer) struct snapshot *a = make(seed, &plain);
        CLEANUP(snapshot_unref_pointer)
        struct snapshot *b = make(seed, &(struct version){.swapped = true, .twice = true});
        CLEANUP(snapshot_unref_pointer)
        struct snapshot *c = make(seed, &(struct version){.held = true});

        assert_memory_equal(snapshot_sums(a), snapshot_sums(b),
                            SNAPSHOT_BUCKETS * sizeof(*snapshot_sums(a)));
        assert_memory_not_equal(snapshot_sums(a), snapshot_sums(c),
                                SNAPSHOT_BUCKETS * sizeof(*snapshot_sums(a)));
    }
}

static struct snapshot *many(size_t n)
{
    struct builder *builder;
    uint32_t policy;
    char name[32];

    assert_int_equal(builder_new(7, &builder), 0);
    policy = add_policy(builder, "one.example");
    for (size_t i = 1; i < n; i++) {
        snprintf(name, sizeof(name), "domain-%zu.example", i);
        add(builder, policy, name, DOMAIN_CNAME, false);
    }
    return end(builder);
}

static void the_buckets_have_every_domain_once(void **state)
{
    (void)state;
    for (size_t n = 1; n <= MANY; n = n * 2 + 1) {
        CLEANUP(snapshot_unref_pointer) struct snapshot *snapshot = many(n);
        CLEANUP(free_pointer) bool *seen = calloc(snapshot_size(snapshot), 1);
        size_t found = 0;

        assert_non_null(seen);
        for (uint32_t bucket = 0; bucket < SNAPSHOT_BUCKETS; bucket++) {
            struct domain domain;
            size_t cursor = 0;

            while (snapshot_next_in_bucket(snapshot, bucket, &cursor, &domain)) {
                assert_int_equal(snapshot_bucket(snapshot, domain.name), bucket);
                assert_false(seen[domain.position]);
                seen[domain.position] = true;
                found++;
            }
        }
        assert_int_equal(found, n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_change_is_found),
        cmocka_unit_test(the_numbers_of_policies_and_names_left_out_make_no_difference),
        cmocka_unit_test(the_buckets_have_every_domain_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
