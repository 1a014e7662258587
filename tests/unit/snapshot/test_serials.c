#include "cmocka_all.h"
#include "fixture.h"

/* A policy of one member. */
static struct snapshot *one_policy(const char *member, const char *rua, int64_t time,
                                   const struct snapshot *before)
{
    struct builder *builder = fixture_begin_zones("ns.example", "h.example", (struct name){0});

    fixture_add_member(builder, fixture_add_reports(builder, "changing.example", rua, 60), member);
    return fixture_end_zones(builder, time, before, NULL);
}

static void a_serial_rises_with_the_records_and_with_nothing_else(void **state)
{
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *first = one_policy("a.example", "mailto:a@b.c", 10, NULL);
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *same = one_policy("b.example", "mailto:a@b.c", 20, first);
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *other = one_policy("b.example", "mailto:x@b.c", 30, same);
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *old = one_policy("b.example", "mailto:y@b.c", 5, other);

    (void)state;
    assert_int_equal(fixture_zone(first, "_tls.changing.example").serial, 10);
    assert_int_equal(fixture_zone(same, "_tls.changing.example").serial, 10);
    assert_int_equal(fixture_zone(same, "_tls.b.example").serial, 20);
    assert_int_equal(fixture_zone(other, "_tls.b.example").serial, 30);
    assert_int_equal(fixture_zone(old, "_tls.b.example").serial, 31);
}

/* A policy of one domain under some name server and hostmaster. */
static struct snapshot *under(const char *nameserver, const char *hostmaster, int64_t time,
                              const struct snapshot *before)
{
    struct builder *builder =
        fixture_begin_zones(nameserver, hostmaster, fixture_name("cat.example"));
    struct policy_spec spec = fixture_full_spec();
    uint32_t policy;

    spec.zones = true;
    assert_int_equal(builder_add_policy(builder, &spec, 0, &policy), 0);
    return fixture_end_zones(builder, time, before, NULL);
}

/* A load with 40 members more or fewer, and a catalog of so many parts. */
static struct snapshot *divided(size_t n_more, uint32_t parts, int64_t time,
                                const struct snapshot *before)
{
    CLEANUP(snapshot_unref_pointer) struct snapshot *loaded = fixture_parts(n_more, parts);

    return fixture_follow(loaded, before, time, NULL);
}

static void a_new_zone_raises_the_serial_of_its_part_of_the_catalog_alone(void **state)
{
    CLEANUP(snapshot_unref_pointer) struct snapshot *first = divided(40, 64, 10, NULL);
    CLEANUP(snapshot_unref_pointer) struct snapshot *same = divided(40, 64, 20, first);
    CLEANUP(snapshot_unref_pointer) struct snapshot *more = divided(41, 64, 30, same);
    CLEANUP(snapshot_unref_pointer) struct snapshot *fewer_parts = divided(41, 63, 40, more);
    struct zone zone;
    bool touched[64] = {false};

    (void)state;
    for (size_t i = 0; i < snapshot_n_zones(more); i++) {
        snapshot_zone(more, i, &zone);
        if (!zone.catalog && zone.serial == 30)
            touched[zone.part] = true;
    }
    for (uint32_t part = 0; part < 64; part++) {
        snapshot_catalog(same, part, &zone);
        assert_int_equal(zone.serial, 10);
        snapshot_catalog(more, part, &zone);
        assert_int_equal(zone.serial, touched[part] ? 30 : 10);
    }
    snapshot_catalog(fewer_parts, 62, &zone);
    assert_int_equal(zone.serial, 40);
}

static void another_authority_is_a_change(void **state)
{
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *first = under("a.example", "h.example", 10, NULL);
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *same = under("a.example", "h.example", 20, first);
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *other = under("a.example", "i.example", 30, same);
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *third = under("b.example", "i.example", 40, other);

    (void)state;
    assert_int_equal(fixture_zone(same, "cat.example").serial, 10);
    assert_int_equal(fixture_zone(other, "cat.example").serial, 30);
    assert_int_equal(fixture_zone(other, "_tls.full.example").serial, 30);
    assert_int_equal(fixture_zone(third, "cat.example").serial, 40);
    assert_int_equal(fixture_zone(third, "_tls.full.example").serial, 40);
}

/* Two policies, the first of which changes with the member that is in one of them. */
static struct snapshot *member_of(bool second, int64_t time, const struct snapshot *before)
{
    struct builder *builder = fixture_begin_zones("ns.example", "h.example", (struct name){0});
    const uint32_t policies[] = {
        fixture_add_reports(builder, "first.example", "mailto:a@b.example", second ? 61 : 60),
        fixture_add_reports(builder, "second.example", "mailto:a@b.example", 70),
    };

    fixture_add_member(builder, policies[second], "member.example");
    return fixture_end_zones(builder, time, before, NULL);
}

static void a_domain_that_moves_never_gets_a_lower_serial(void **state)
{
    CLEANUP(snapshot_unref_pointer) struct snapshot *first = member_of(false, 10, NULL);
    CLEANUP(snapshot_unref_pointer) struct snapshot *moved = member_of(true, 20, first);
    CLEANUP(snapshot_unref_pointer) struct snapshot *same = member_of(true, 30, moved);
    CLEANUP(snapshot_unref_pointer) struct snapshot *back = member_of(false, 20, same);

    (void)state;
    assert_int_equal(fixture_zone(moved, "_tls.member.example").serial, 20);
    assert_int_equal(fixture_zone(moved, "_tls.second.example").serial, 10);
    assert_int_equal(fixture_zone(same, "_tls.member.example").serial, 20);
    assert_int_equal(fixture_zone(back, "_tls.member.example").serial, 21);
    assert_int_equal(fixture_zone(back, "_tls.second.example").serial, 10);
}

static void a_zone_that_comes_back_has_a_higher_serial_than_it_had(void **state)
{
    CLEANUP(snapshot_unref_pointer) struct snapshot *first = member_of(false, 10, NULL);
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *gone = under("a.example", "h.example", 10, first);
    CLEANUP(snapshot_unref_pointer) struct snapshot *overlay = fixture_snapshot();
    CLEANUP(snapshot_unref_pointer) struct snapshot *none = fixture_follow(overlay, gone, 10, NULL);
    CLEANUP(snapshot_unref_pointer) struct snapshot *back = member_of(false, 10, none);
    CLEANUP(snapshot_unref_pointer) struct snapshot *later = member_of(false, 20, none);

    (void)state;
    assert_int_equal(fixture_zone(gone, "_tls.full.example").serial, 11);
    assert_int_equal(snapshot_n_zones(none), 0);
    assert_int_equal(fixture_zone(back, "_tls.member.example").serial, 12);
    assert_int_equal(fixture_zone(later, "_tls.member.example").serial, 20);
}

/* A policy whose one zone waits for the certificate. */
static struct snapshot *announced(bool held, int64_t time, const struct snapshot *before)
{
    const struct name nameserver = fixture_name("ns.example");
    const struct zone_settings settings = {&nameserver, 1, fixture_name("h.example"), {0}, 0};
    struct policy_spec spec = fixture_full_spec();
    struct builder *builder;
    uint32_t policy;

    spec.n_rua = spec.n_addresses = 0;
    spec.zones = true;
    spec.held = held;
    assert_int_equal(builder_new(1, &builder), 0);
    assert_int_equal(builder_set_zones(builder, &settings), 0);
    assert_int_equal(builder_add_policy(builder, &spec, 0, &policy), 0);
    return fixture_end_zones(builder, time, before, NULL);
}

static void a_zone_that_was_held_back_has_a_serial(void **state)
{
    CLEANUP(snapshot_unref_pointer) struct snapshot *held = announced(true, 10, NULL);
    CLEANUP(snapshot_unref_pointer) struct snapshot *shown = announced(false, 20, held);

    (void)state;
    assert_int_equal(snapshot_n_zones(held), 0);
    assert_int_equal(fixture_zone(shown, "_mta-sts.full.example").serial, 10);
}

static void an_id_that_waits_lowers_no_serial_of_a_late_domain(void **state)
{
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *first = one_policy("a.example", "mailto:a@b.c", 10, NULL);
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *late = one_policy("b.example", "mailto:a@b.c", 20, first);
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *loaded = one_policy("b.example", "mailto:x@b.c", 30, late);
    CLEANUP(snapshot_unref_pointer) struct snapshot *waiting = NULL;

    (void)state;
    assert_int_equal(fixture_zone(late, "_tls.b.example").serial, 20);
    assert_int_equal(fixture_zone(loaded, "_tls.b.example").serial, 30);
    assert_int_equal(fixture_announce(loaded, late, NULL, &waiting), 0);
    assert_true(fixture_zone(waiting, "_tls.b.example").serial >= 20);
}

/* A policy with an id and one without, in one of which there may be a member. */
struct two {
    const char *hostmaster, *id;
    uint32_t ttl; /* of the second policy */
    enum { NOWHERE, IN_FIRST, IN_SECOND } member;
    bool waits; /* the id of the first policy, while the one before is announced */
};

static const struct announcement id_before = {.policy = 0, .id = {"one", 3}};

static struct snapshot *two_policies(const struct two *two, int64_t time,
                                     const struct snapshot *before)
{
    struct builder *builder = fixture_begin_zones("ns.example", two->hostmaster, (struct name){0});
    const struct policy_spec spec = {
        .primary = fixture_name("first.example"),
        .mode = POLICY_MODE_NONE,
        .max_age = 60,
        .fixed_id = two->id,
        .ttl = 60,
        .zones = true,
    };
    uint32_t first, second;

    assert_int_equal(builder_add_policy(builder, &spec, 0, &first), 0);
    second = fixture_add_reports(builder, "second.example", "mailto:a@b.example", two->ttl);
    if (two->member)
        fixture_add_member(builder, two->member == IN_FIRST ? first : second, "member.example");
    return fixture_end_zones(builder, time, before, two->waits ? &id_before : NULL);
}

/* What is published of it while the id that the first policy had still waits. */
static struct snapshot *while_one_waits(struct snapshot *loaded, const struct snapshot *before)
{
    struct snapshot *waiting;

    assert_int_equal(fixture_announce(loaded, before, &id_before, &waiting), 0);
    return waiting;
}

static void a_domain_that_moves_to_an_id_that_waits_gets_two_serials(void **state)
{
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *first =
        two_policies(&(struct two){"h.example", "one", 60, IN_SECOND, false}, 10, NULL);
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *before =
        two_policies(&(struct two){"h.example", "one", 61, IN_SECOND, false}, 20, first);
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *loaded =
        two_policies(&(struct two){"h.example", "two", 61, IN_FIRST, true}, 5, before);
    CLEANUP(snapshot_unref_pointer) struct snapshot *waiting = while_one_waits(loaded, before);

    (void)state;
    assert_int_equal(fixture_zone(before, "_tls.member.example").serial, 20);
    assert_int_equal(fixture_zone(waiting, "_mta-sts.first.example").serial, 10);
    assert_int_equal(fixture_zone(waiting, "_mta-sts.member.example").serial, 21);
    assert_int_equal(fixture_zone(loaded, "_mta-sts.member.example").serial, 22);
}

static void a_zone_that_comes_back_while_an_id_waits_has_a_higher_serial(void **state)
{
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *first =
        two_policies(&(struct two){"h.example", "one", 60, IN_SECOND, false}, 10, NULL);
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *gone =
        two_policies(&(struct two){"h.example", "one", 60, NOWHERE, false}, 5, first);
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *loaded =
        two_policies(&(struct two){"h.example", "two", 60, IN_SECOND, true}, 5, gone);
    CLEANUP(snapshot_unref_pointer) struct snapshot *waiting = while_one_waits(loaded, gone);

    (void)state;
    assert_int_equal(fixture_zone(first, "_tls.member.example").serial, 10);
    assert_int_equal(fixture_zone(waiting, "_tls.member.example").serial, 11);
    assert_int_equal(fixture_zone(loaded, "_tls.member.example").serial, 11);
}

static void another_authority_is_a_change_while_an_id_waits(void **state)
{
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *before =
        two_policies(&(struct two){"h.example", "one", 60, NOWHERE, false}, 10, NULL);
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *loaded =
        two_policies(&(struct two){"i.example", "two", 60, NOWHERE, true}, 20, before);
    CLEANUP(snapshot_unref_pointer) struct snapshot *waiting = while_one_waits(loaded, before);

    (void)state;
    assert_int_equal(fixture_zone(waiting, "_mta-sts.first.example").serial, 19);
    assert_int_equal(fixture_zone(loaded, "_mta-sts.first.example").serial, 20);
}

static void an_id_that_waits_has_a_serial_below_its_own(void **state)
{
    CLEANUP(snapshot_unref_pointer) struct snapshot *before = fixture_zones();
    const struct announcement same_id = {.policy = 0, .id = snapshot_policy(before, 0)->id};
    const struct announcement old_id = {.policy = 0, .id = TEXT("old")};
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *same = fixture_follow(before, before, 2000, &same_id);
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *loaded = fixture_follow(before, NULL, 2000, &old_id);
    CLEANUP(snapshot_unref_pointer) struct snapshot *unchanged = NULL, *waiting = NULL;

    (void)state;
    /* What is published stays the same for now, and so do the serials. */
    assert_int_equal(fixture_announce(same, before, &same_id, &unchanged), 0);
    assert_int_equal(fixture_zone(unchanged, "_mta-sts.full.example").serial, 1000);
    assert_int_equal(fixture_zone(unchanged, "mta-sts.member.example").serial, 1000);
    assert_int_equal(fixture_announce(loaded, before, &old_id, &waiting), 0);
    assert_int_equal(fixture_zone(waiting, "_mta-sts.full.example").serial, 1999);
    assert_int_equal(fixture_zone(loaded, "_mta-sts.full.example").serial, 2000);
    assert_int_equal(fixture_zone(waiting, "_tls.only-rua.example").serial, 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_serial_rises_with_the_records_and_with_nothing_else),
        cmocka_unit_test(a_new_zone_raises_the_serial_of_its_part_of_the_catalog_alone),
        cmocka_unit_test(another_authority_is_a_change),
        cmocka_unit_test(a_domain_that_moves_never_gets_a_lower_serial),
        cmocka_unit_test(a_zone_that_comes_back_has_a_higher_serial_than_it_had),
        cmocka_unit_test(a_zone_that_was_held_back_has_a_serial),
        cmocka_unit_test(an_id_that_waits_lowers_no_serial_of_a_late_domain),
        cmocka_unit_test(a_domain_that_moves_to_an_id_that_waits_gets_two_serials),
        cmocka_unit_test(a_zone_that_comes_back_while_an_id_waits_has_a_higher_serial),
        cmocka_unit_test(another_authority_is_a_change_while_an_id_waits),
        cmocka_unit_test(an_id_that_waits_has_a_serial_below_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
