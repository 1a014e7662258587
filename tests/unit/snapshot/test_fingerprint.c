/* What the fingerprint depends on, and what not. */
#include "cmocka_all.h"
#include "fixture.h"

static const char *const reports[] = {"mailto:a@example.net"};
static const struct name nameservers[] = {{.length = 11, .text = "ns1.example"},
                                          {.length = 11, .text = "ns2.example"}};

/* What a snapshot is made from: a policy with two members, and another one. */
struct load {
    uint64_t seed;
    int64_t time;
    struct policy_spec first, second;
    enum domain_kind kind; /* of the members */
    bool held;             /* are the members */
    bool backwards;        /* everything is added in the other order */
    bool moved;            /* the members are in the second policy */
    bool without_second;
    bool twice; /* a member is listed again in the other policy */
    bool more;  /* there is a further member */
    struct zone_settings zones;
};

static struct load begin(void)
{
    struct load load = {
        .seed = 1,
        .first = fixture_full_spec(),
        .second = fixture_full_spec(),
        .kind = DOMAIN_DIRECT,
        .zones = {.nameservers = nameservers,
                  .n_nameservers = 2,
                  .hostmaster = fixture_name("hostmaster.example")},
    };

    load.second.primary = fixture_name("second.example");
    return load;
}

static void add_member(struct builder *builder, const struct load *load, uint32_t policy,
                       const char *name)
{
    struct name member = fixture_name(name);

    assert_int_equal(builder_add_member(builder, policy, load->kind, load->held, &member, 0), 0);
}

static void add_policies(struct builder *builder, const struct load *load, uint32_t *first,
                         uint32_t *second)
{
    if (!load->backwards)
        assert_int_equal(builder_add_policy(builder, &load->first, 0, first), 0);
    if (!load->without_second)
        assert_int_equal(builder_add_policy(builder, &load->second, 0, second), 0);
    if (load->backwards)
        assert_int_equal(builder_add_policy(builder, &load->first, 0, first), 0);
}

static void ignore_clash(const struct builder_clash *clash, void *context)
{
    (void)clash;
    (void)context;
}

static struct snapshot *make(const struct load *load)
{
    CLEANUP(builder_free_pointer) struct builder *builder = NULL;
    CLEANUP(snapshot_unref_pointer) struct snapshot *loaded = NULL;
    uint32_t first = 0, second = 0, policy;

    assert_int_equal(builder_new(load->seed, &builder), 0);
    assert_int_equal(builder_set_zones(builder, &load->zones), 0);
    add_policies(builder, load, &first, &second);
    policy = load->moved ? second : first;
    add_member(builder, load, policy, load->backwards ? "b.example" : "a.example");
    add_member(builder, load, policy, load->backwards ? "a.example" : "b.example");
    if (load->more)
        add_member(builder, load, policy, "c.example");
    if (load->twice)
        add_member(builder, load, second, "a.example");
    assert_int_equal(builder_freeze(builder, ignore_clash, NULL, &loaded), 0);
    return fixture_follow(loaded, NULL, load->time, NULL);
}

static uint64_t fingerprint(const struct load *load)
{
    struct snapshot *snapshot = make(load);
    uint64_t value = snapshot_fingerprint(snapshot);

    snapshot_unref(snapshot);
    assert_true(value < UINT64_C(1) << 53);
    return value;
}

static void assert_same(const struct load *a, const struct load *b)
{
    assert_true(fingerprint(a) == fingerprint(b));
}

static void assert_other(const struct load *a, const struct load *b)
{
    assert_true(fingerprint(a) != fingerprint(b));
}

static void it_depends_on_no_order_seed_or_division_into_policies(void **state)
{
    const struct load load = begin();
    struct load other = load;

    (void)state;
    other.seed = 2;
    assert_same(&load, &other);
    other.backwards = true;
    assert_same(&load, &other);
    other.moved = true;
    assert_same(&load, &other);
    other.twice = true;
    assert_same(&load, &other);
    other = load;
    other.twice = true;
    assert_same(&load, &other);
}

static void addresses_have_no_order(void **state)
{
    const struct load load = begin();
    struct load other = load;
    struct address addresses[2] = {load.first.addresses[1], load.first.addresses[0]};

    (void)state;
    other.first.addresses = addresses;
    assert_same(&load, &other);
    other.first.n_addresses = 1;
    assert_other(&load, &other);
}

static void it_changes_with_every_domain_and_its_kind(void **state)
{
    const struct load load = begin();
    struct load other = load, moved;

    (void)state;
    other.more = true;
    assert_other(&load, &other);
    other = load;
    other.without_second = true;
    assert_other(&load, &other);
    other = load;
    other.held = true;
    assert_other(&load, &other);
    other = load;
    other.kind = DOMAIN_CNAME;
    assert_other(&load, &other);
    /* Their aliases are of another policy's names. */
    moved = other;
    moved.moved = true;
    assert_other(&other, &moved);
}

static void it_changes_with_every_record_and_body(void **state)
{
    const struct load load = begin();
    struct load other = load, body;

    (void)state;
    other.first.ttl++;
    assert_other(&load, &other);
    other = load;
    other.first.rua = reports;
    other.first.n_rua = 1;
    assert_other(&load, &other);
    other = load;
    other.first.fixed_id = "1";
    assert_other(&load, &other);
    /* With the same id, only the body tells. */
    body = other;
    body.first.max_age++;
    assert_other(&other, &body);
}

/* A name that is made of the domain counts as what it is, however it was written. */
static void it_changes_with_the_names_of_challenges(void **state)
{
    const struct load load = begin();
    struct load with = load, fixed;

    (void)state;
    with.without_second = true;
    fixed = with;
    assert_same(&with, &fixed);
    with.first.acme_challenge = "%d.acme.example";
    assert_other(&with, &fixed);
    fixed.first.acme_challenge = "one.acme.example";
    assert_other(&with, &fixed);
    fixed = with;
    fixed.first.acme_challenge = "%d.ACME.Example.";
    assert_same(&with, &fixed);
    fixed.kind = DOMAIN_CNAME;
    assert_other(&with, &fixed);
    fixed = with;
    fixed.first.ttl++;
    assert_other(&with, &fixed);
    /* Divided into policies, the same names. */
    with = load;
    with.first.acme_challenge = with.second.acme_challenge = "%d.acme.example";
    fixed = with;
    fixed.moved = true;
    assert_same(&with, &fixed);
    fixed.second.acme_challenge = "second.example.acme.example";
    assert_other(&with, &fixed);
    with.second.acme_challenge = "second.example.acme.example";
    with.moved = false;
    fixed = with;
    fixed.second.acme_challenge = "%d.acme.example";
    assert_same(&with, &fixed);
    fixed.twice = with.twice = true;
    assert_same(&with, &fixed);
}

static void what_publishes_nothing_does_not_count(void **state)
{
    struct load load = begin(), other = load;

    (void)state;
    load.without_second = true;
    other.second.mode = POLICY_MODE_ABSENT;
    other.second.n_rua = 0;
    assert_same(&load, &other);
}

static void own_zones_count_without_their_serials(void **state)
{
    struct load load = begin(), other, catalog;

    (void)state;
    load.first.zones = load.second.zones = true;
    other = load;
    other.time = 1000;
    assert_same(&load, &other);
    other.first.zones = false;
    assert_other(&load, &other);
    other = load;
    other.zones.hostmaster = fixture_name("other.example");
    assert_other(&load, &other);
    other = load;
    other.zones.n_nameservers = 1;
    assert_other(&load, &other);
    other = load;
    other.zones.catalog = fixture_name("catalog.example");
    other.zones.catalog_parts = 1;
    assert_other(&load, &other);
    catalog = other;
    catalog.zones.catalog = fixture_name("catalog2.example");
    assert_other(&other, &catalog);
    catalog = other;
    catalog.zones.catalog_parts = 2;
    assert_other(&other, &catalog);
}

static void an_id_that_waits_counts_as_it_is_announced(void **state)
{
    const struct announcement waiting = {.policy = 0, .id = TEXT("old")};
    struct load load = begin(), before = load;
    struct snapshot *loaded = make(&load), *published = NULL;

    (void)state;
    before.first.fixed_id = "old";
    assert_int_equal(fixture_announce(loaded, loaded, &waiting, &published), 0);
    assert_true(snapshot_fingerprint(published) == fingerprint(&before));
    assert_true(snapshot_fingerprint(published) != snapshot_fingerprint(loaded));
    snapshot_unref(published);
    snapshot_unref(loaded);
}

/* Servers of several versions are compared, so it must not change without need. */
static void it_is_the_same_in_every_version(void **state)
{
    struct snapshot *overlay = fixture_snapshot(), *zones = fixture_zones();

    (void)state;
    assert_int_equal(snapshot_fingerprint(overlay), 0x16a41f987a84c3);
    assert_int_equal(snapshot_fingerprint(zones), 0xbf5d2bc7faccb);
    snapshot_unref(overlay);
    snapshot_unref(zones);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_depends_on_no_order_seed_or_division_into_policies),
        cmocka_unit_test(addresses_have_no_order),
        cmocka_unit_test(it_changes_with_every_domain_and_its_kind),
        cmocka_unit_test(it_changes_with_every_record_and_body),
        cmocka_unit_test(it_changes_with_the_names_of_challenges),
        cmocka_unit_test(what_publishes_nothing_does_not_count),
        cmocka_unit_test(own_zones_count_without_their_serials),
        cmocka_unit_test(an_id_that_waits_counts_as_it_is_announced),
        cmocka_unit_test(it_is_the_same_in_every_version),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
