#include "cmocka_all.h"
#include "fixture.h"

struct fixture {
    struct builder *builder;
    struct snapshot *snapshot;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    *state = fixture;
    return fixture ? builder_new(1, &fixture->builder) : -1;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    builder_free(fixture->builder);
    snapshot_unref(fixture->snapshot);
    free(fixture);
    return 0;
}

static uint32_t add_policy(struct builder *builder, const char *primary, uint64_t where)
{
    struct policy_spec spec = fixture_full_spec();
    uint32_t policy = UINT32_MAX;

    spec.primary = fixture_name(primary);
    assert_int_equal(builder_add_policy(builder, &spec, where, &policy), 0);
    return policy;
}

static void add_member(struct builder *builder, uint32_t policy, const char *name, uint64_t where)
{
    struct name member = fixture_name(name);

    assert_int_equal(builder_add_member(builder, policy, DOMAIN_CNAME, false, &member, where), 0);
}

/* Writes down the clashes, one a line. */
static void note_clash(const struct builder_clash *clash, void *context)
{
    buffer_printf(context, "%.*s %u:%d %u:%d\n", (int)clash->name.length, clash->name.data,
                  clash->first_policy, (int)clash->first_where, clash->policy, (int)clash->where);
}

static void freeze(struct fixture *fixture, const char *expected_clashes)
{
    CLEANUP(buffer_deinit) struct buffer clashes = BUFFER_INIT;

    assert_int_equal(builder_freeze(fixture->builder, note_clash, &clashes, &fixture->snapshot), 0);
    assert_string_equal(buffer_string(&clashes), expected_clashes);
}

static void policies_are_numbered_in_their_order(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(add_policy(fixture->builder, "a.example", 0), 0);
    assert_int_equal(add_policy(fixture->builder, "b.example", 0), 1);
    freeze(fixture, "");
    assert_int_equal(snapshot_n_policies(fixture->snapshot), 2);
    assert_string_equal(snapshot_policy(fixture->snapshot, 1)->primary.data, "b.example");
}

static void domains_added_again_are_reported_in_their_order_and_left_out(void **state)
{
    struct fixture *fixture = *state;
    struct domain domain;
    size_t cursor = 0, n = 0;

    add_policy(fixture->builder, "a.example", 100);
    add_policy(fixture->builder, "b.example", 200);
    add_member(fixture->builder, 1, "m.example", 201);
    add_member(fixture->builder, 1, "m.example", 202);
    add_member(fixture->builder, 0, "m.example", 101);
    add_policy(fixture->builder, "a.example", 300);
    freeze(fixture, "m.example 1:201 1:202\nm.example 1:201 0:101\na.example 0:100 2:300\n");
    assert_int_equal(snapshot_n_domains(fixture->snapshot), 3);
    while (snapshot_next_domain(fixture->snapshot, &cursor, &domain))
        n++;
    assert_int_equal(n, 3);
    assert_true(snapshot_find(fixture->snapshot, TEXT("m.example"), &domain));
    assert_string_equal(domain.policy->primary.data, "b.example");
}

static void every_domain_knows_its_kind_and_policy(void **state)
{
    struct fixture *fixture = *state;
    struct domain domain;

    fixture->snapshot = fixture_snapshot();
    assert_int_equal(snapshot_n_domains(fixture->snapshot), 15);
    assert_true(snapshot_find(fixture->snapshot, TEXT("full.example"), &domain));
    assert_int_equal(domain.kind, DOMAIN_PRIMARY);
    assert_true(snapshot_find(fixture->snapshot, TEXT("cname.full.example"), &domain));
    assert_int_equal(domain.kind, DOMAIN_CNAME);
    assert_true(snapshot_find(fixture->snapshot, TEXT("direct.full.example"), &domain));
    assert_int_equal(domain.kind, DOMAIN_DIRECT);
    assert_ptr_equal(domain.policy, snapshot_policy(fixture->snapshot, 0));
}

static void a_fixed_id_is_announced_and_the_own_one_kept(void **state)
{
    struct fixture *fixture = *state;
    const struct policy *policy;

    fixture->snapshot = fixture_snapshot();
    policy = snapshot_policy(fixture->snapshot, 1);
    assert_true(policy->fixed_id);
    assert_string_equal(policy->id.data, "20260101");
    assert_string_equal(policy->body_id.data, snapshot_policy(fixture->snapshot, 0)->id.data);
}

static void an_empty_snapshot_has_no_domain(void **state)
{
    struct fixture *fixture = *state;
    struct domain domain;
    size_t cursor = 0;

    freeze(fixture, "");
    assert_false(snapshot_find(fixture->snapshot, TEXT("a.example"), &domain));
    assert_false(snapshot_next_domain(fixture->snapshot, &cursor, &domain));
}

static void a_snapshot_lives_until_its_last_reference_goes(void **state)
{
    struct fixture *fixture = *state;
    struct snapshot *second;
    struct domain domain;

    fixture->snapshot = fixture_snapshot();
    second = snapshot_ref(fixture->snapshot);
    fixture->snapshot = snapshot_unref(fixture->snapshot);
    assert_null(fixture->snapshot);
    assert_true(snapshot_find(second, TEXT("full.example"), &domain));
    assert_int_equal(domain.kind, DOMAIN_PRIMARY);
    snapshot_unref(second);
}

static bool finds(const struct snapshot *snapshot, const char *name, struct domain *out)
{
    return snapshot_find(snapshot, text_from(name), out);
}

static const char *announced(const struct snapshot *snapshot, const char *name)
{
    struct domain domain;
    struct rows rows;

    assert_true(finds(snapshot, name, &domain));
    rows = domain_rows(&domain, OWNER_MTA_STS);
    return rows.n ? rows.first[0].content.data : NULL;
}

static void what_is_held_back_lacks_its_mta_sts_name_alone(void **state)
{
    struct fixture *fixture = *state;
    struct policy_spec spec = fixture_full_spec();
    struct name free = fixture_name("free.example"), held = fixture_name("held.example");
    struct domain domain;
    uint32_t policy;

    spec.held = true;
    assert_int_equal(builder_add_policy(fixture->builder, &spec, 0, &policy), 0);
    assert_int_equal(builder_add_member(fixture->builder, 0, DOMAIN_CNAME, false, &free, 1), 0);
    assert_int_equal(builder_add_member(fixture->builder, 0, DOMAIN_DIRECT, true, &held, 2), 0);
    assert_int_equal(builder_add_member(fixture->builder, 0, DOMAIN_DIRECT, true, &held, 3), 0);
    freeze(fixture, "held.example 0:2 0:3\n");
    assert_int_equal(snapshot_n_held(fixture->snapshot), 2);
    assert_null(announced(fixture->snapshot, "full.example"));
    assert_null(announced(fixture->snapshot, "held.example"));
    assert_non_null(announced(fixture->snapshot, "free.example"));
    assert_true(finds(fixture->snapshot, "held.example", &domain));
    assert_true(domain.held);
    assert_int_equal(domain.kind, DOMAIN_DIRECT);
    assert_int_equal(domain_rows(&domain, OWNER_TLSRPT).n, 1);
    assert_true(domain_rows(&domain, OWNER_POLICY_HOST).n > 0);
    assert_true(finds(fixture->snapshot, "free.example", &domain));
    assert_false(domain.held);
}

static void what_is_listed_goes_before_what_was_found(void **state)
{
    struct fixture *fixture = *state;
    struct policy_spec spec = fixture_full_spec();
    struct name listed = fixture_name("listed.example"), found = fixture_name("found.example");
    struct domain domain;
    uint32_t policy;

    assert_int_equal(builder_add_policy(fixture->builder, &spec, 0, &policy), 0);
    assert_int_equal(builder_add_member(fixture->builder, 0, DOMAIN_CNAME, false, &listed, 1), 0);
    builder_begin_synced(fixture->builder);
    assert_int_equal(builder_add_member(fixture->builder, 0, DOMAIN_DIRECT, true, &listed, 2), 0);
    assert_int_equal(builder_add_member(fixture->builder, 0, DOMAIN_DIRECT, true, &found, 3), 0);
    assert_int_equal(builder_add_member(fixture->builder, 0, DOMAIN_CNAME, false, &found, 4), 0);
    freeze(fixture, "");
    assert_true(finds(fixture->snapshot, "full.example", &domain));
    assert_false(domain.synced);
    assert_int_equal(domain.policy->n_domains, 3);
    assert_int_equal(domain.policy->n_held, 1);
    assert_int_equal(domain.policy->n_synced, 1);
    assert_true(finds(fixture->snapshot, "listed.example", &domain));
    assert_false(domain.synced);
    assert_int_equal(domain.kind, DOMAIN_CNAME);
    assert_true(finds(fixture->snapshot, "found.example", &domain));
    assert_true(domain.synced && domain.held);
    assert_int_equal(domain.kind, DOMAIN_DIRECT);
}

static void another_announcement_shares_all_but_the_id(void **state)
{
    struct fixture *fixture = *state;
    const struct announcement announcement = {.policy = 0, .id = TEXT("before")};
    struct snapshot *loaded = fixture_snapshot();
    struct domain domain;

    assert_int_equal(fixture_announce(loaded, loaded, &announcement, &fixture->snapshot), 0);
    assert_string_equal(announced(fixture->snapshot, "full.example"), "\"v=STSv1; id=before\"");
    assert_string_equal(announced(fixture->snapshot, "direct.full.example"),
                        "\"v=STSv1; id=before\"");
    assert_string_equal(announced(fixture->snapshot, "cname.full.example"),
                        "_mta-sts.full.example");
    assert_string_equal(announced(fixture->snapshot, "only-mode.example"),
                        announced(loaded, "only-mode.example"));
    assert_string_not_equal(announced(loaded, "full.example"), "\"v=STSv1; id=before\"");
    assert_string_equal(snapshot_policy(fixture->snapshot, 0)->body_id.data,
                        snapshot_policy(loaded, 0)->body_id.data);
    assert_int_equal(snapshot_n_domains(fixture->snapshot), snapshot_n_domains(loaded));
    /* It keeps what it shares. */
    snapshot_unref(loaded);
    assert_true(finds(fixture->snapshot, "cname.host.example", &domain));
    assert_int_equal(domain_rows(&domain, OWNER_POLICY_HOST).n, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)
        TEST(policies_are_numbered_in_their_order),
        TEST(domains_added_again_are_reported_in_their_order_and_left_out),
        TEST(every_domain_knows_its_kind_and_policy),
        TEST(a_fixed_id_is_announced_and_the_own_one_kept),
        TEST(an_empty_snapshot_has_no_domain),
        TEST(a_snapshot_lives_until_its_last_reference_goes),
        TEST(what_is_held_back_lacks_its_mta_sts_name_alone),
        TEST(what_is_listed_goes_before_what_was_found),
        TEST(another_announcement_shares_all_but_the_id),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
