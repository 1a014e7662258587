#include "fixture.h"

#include "cmocka_all.h"
#include "snapshot/retiring.h"

#include <stdio.h>

static const char *const rua[] = {"mailto:postmaster@example.net", "https://report.example/tls"};

static struct name mx[] = {{.length = 16, .text = "mail.example.net"}};

static const struct address addresses[] = {
    {.family = AF_INET, .octets = {192, 0, 2, 40}},
    {.family = AF_INET6, .octets = {0x20, 0x01, 0x0d, 0xb8, [15] = 0x40}},
};

struct name fixture_name(const char *text)
{
    struct name name = {.length = (uint8_t)strlen(text)};

    memcpy(name.text, text, name.length + 1);
    return name;
}

struct policy_spec fixture_full_spec(void)
{
    return (struct policy_spec){
        .primary = fixture_name("full.example"),
        .mode = POLICY_MODE_ENFORCE,
        .mx = mx,
        .n_mx = 1,
        .max_age = 604800,
        .rua = rua,
        .n_rua = 2,
        .addresses = addresses,
        .n_addresses = 2,
        .ttl = 3600,
        .retire = true,
    };
}

static int add(struct builder *builder, const struct policy_spec *spec)
{
    struct name member;
    uint32_t policy;
    int r = builder_add_policy(builder, spec, 0, &policy);

    if (r)
        return r;
    member.length =
        (uint8_t)snprintf(member.text, sizeof(member.text), "cname.%.200s", spec->primary.text);
    r = builder_add_member(builder, policy, DOMAIN_CNAME, false, &member, 0);
    if (r)
        return r;
    member.length =
        (uint8_t)snprintf(member.text, sizeof(member.text), "direct.%.200s", spec->primary.text);
    return builder_add_member(builder, policy, DOMAIN_DIRECT, false, &member, 0);
}

static int add_all(struct builder *builder)
{
    struct policy_spec spec = fixture_full_spec();
    int r = add(builder, &spec);

    spec.primary = fixture_name("only-mode.example");
    spec.n_rua = spec.n_addresses = 0;
    spec.fixed_id = "20260101";
    r = r ? r : add(builder, &spec);
    spec.primary = fixture_name("host.example");
    spec.policy_host = fixture_name("web.example.net");
    spec.acme_challenge = "%d.acme.example";
    r = r ? r : add(builder, &spec);
    spec.acme_challenge = NULL;
    spec.primary = fixture_name("none.example");
    spec.mode = POLICY_MODE_NONE;
    spec.n_mx = 0;
    spec.ttl = 60;
    r = r ? r : add(builder, &spec);
    spec = fixture_full_spec();
    spec.primary = fixture_name("only-rua.example");
    spec.mode = POLICY_MODE_ABSENT;
    return r ? r : add(builder, &spec);
}

int fixture_build(struct snapshot **out)
{
    CLEANUP(builder_free_pointer) struct builder *builder = NULL;
    int r = builder_new(42, &builder);

    r = r ? r : add_all(builder);
    return r ? r : builder_freeze(builder, NULL, NULL, out);
}

struct snapshot *fixture_snapshot(void)
{
    struct snapshot *snapshot = NULL;

    assert_int_equal(fixture_build(&snapshot), 0);
    return snapshot;
}

static int add_more_members(struct builder *builder, uint32_t policy, size_t n)
{
    int r = 0;

    for (size_t i = 0; i < n && r == 0; i++) {
        struct name member;

        member.length = (uint8_t)snprintf(member.text, sizeof(member.text), "more-%zu.example", i);
        r = builder_add_member(builder, policy, DOMAIN_DIRECT, false, &member, 0);
    }
    return r;
}

/* Adds the policies of fixture_build_zones. */
static int add_zone_policies(struct builder *builder, size_t n_more)
{
    struct policy_spec spec = fixture_full_spec();
    struct name member = fixture_name("member.example");
    uint32_t policy;
    int r;

    spec.zones = true;
    r = builder_add_policy(builder, &spec, 0, &policy);
    r = r ? r : builder_add_member(builder, policy, DOMAIN_DIRECT, false, &member, 0);
    r = r ? r : add_more_members(builder, policy, n_more);
    spec.primary = fixture_name("only-rua.example");
    spec.mode = POLICY_MODE_ABSENT;
    r = r ? r : builder_add_policy(builder, &spec, 0, &policy);
    spec = fixture_full_spec();
    spec.primary = fixture_name("overlay.example");
    return r ? r : builder_add_policy(builder, &spec, 0, &policy);
}

/* Makes what a load at a time gives after BEFORE was published. */
static int follow_up(const struct snapshot *loaded, const struct snapshot *before, int64_t time,
                     const struct announcement *waiting, struct snapshot **out)
{
    CLEANUP(past_deinit) struct past past = PAST_INIT;
    CLEANUP(domain_changes_deinit) struct domain_changes changes = DOMAIN_CHANGES_INIT;
    const struct snapshot_before follows = {&past, &changes, time};
    int r = past_of(before, &past);

    r = r || !before ? r : domain_changes_between(before, loaded, &changes);
    return r ? r : snapshot_follow(loaded, &follows, waiting, waiting ? 1 : 0, out);
}

static int build_zones(size_t n_more, uint32_t parts, struct snapshot **out)
{
    CLEANUP(builder_free_pointer) struct builder *builder = NULL;
    const struct name nameservers[] = {fixture_name("ns1.example"), fixture_name("ns2.example")};
    const struct zone_settings settings = {
        .nameservers = nameservers,
        .n_nameservers = ARRAY_LENGTH(nameservers),
        .hostmaster = fixture_name("hostmaster.example"),
        .catalog = fixture_name("cat.example"),
        .catalog_parts = parts,
    };
    CLEANUP(snapshot_unref_pointer) struct snapshot *loaded = NULL;
    int r = builder_new(42, &builder);

    r = r ? r : builder_set_zones(builder, &settings);
    r = r ? r : add_zone_policies(builder, n_more);
    r = r ? r : builder_freeze(builder, NULL, NULL, &loaded);
    return r ? r : follow_up(loaded, NULL, 1000, NULL, out);
}

int fixture_build_zones(size_t n_more, struct snapshot **out)
{
    return build_zones(n_more, 1, out);
}

struct snapshot *fixture_parts(size_t n_more, uint32_t parts)
{
    struct snapshot *snapshot = NULL;

    assert_int_equal(build_zones(n_more, parts, &snapshot), 0);
    return snapshot;
}

struct snapshot *fixture_zones(void)
{
    struct snapshot *snapshot = NULL;

    assert_int_equal(fixture_build_zones(0, &snapshot), 0);
    return snapshot;
}

struct notify *fixture_notify(struct snapshot *snapshot)
{
    struct notify *notify = NULL;

    assert_int_equal(notify_new(&notify), 0);
    assert_int_equal(notify_prepare(notify, snapshot, NULL), 0);
    notify_adopt(notify);
    return notify;
}

struct builder *fixture_begin_zones(const char *nameserver, const char *hostmaster,
                                    struct name catalog)
{
    const struct name name = fixture_name(nameserver);
    const struct zone_settings settings = {&name, 1, fixture_name(hostmaster), catalog, 1};
    struct builder *builder;

    assert_int_equal(builder_new(1, &builder), 0);
    assert_int_equal(builder_set_zones(builder, &settings), 0);
    return builder;
}

uint32_t fixture_add_reports(struct builder *builder, const char *primary, const char *uri,
                             uint32_t ttl)
{
    const struct policy_spec spec = {
        .primary = fixture_name(primary), .rua = &uri, .n_rua = 1, .ttl = ttl, .zones = true};
    uint32_t policy;

    assert_int_equal(builder_add_policy(builder, &spec, 0, &policy), 0);
    return policy;
}

void fixture_add_member(struct builder *builder, uint32_t policy, const char *domain)
{
    const struct name name = fixture_name(domain);

    assert_int_equal(builder_add_member(builder, policy, DOMAIN_DIRECT, false, &name, 0), 0);
}

struct snapshot *fixture_follow(const struct snapshot *loaded, const struct snapshot *before,
                                int64_t time, const struct announcement *waiting)
{
    struct snapshot *snapshot;

    assert_int_equal(follow_up(loaded, before, time, waiting, &snapshot), 0);
    return snapshot;
}

struct snapshot *fixture_end_zones(struct builder *builder, int64_t time,
                                   const struct snapshot *before,
                                   const struct announcement *waiting)
{
    CLEANUP(snapshot_unref_pointer) struct snapshot *loaded = NULL;

    assert_int_equal(builder_freeze(builder, NULL, NULL, &loaded), 0);
    builder_free(builder);
    return fixture_follow(loaded, before, time, waiting);
}

int fixture_announce(const struct snapshot *loaded, const struct snapshot *before,
                     const struct announcement *waiting, struct snapshot **out)
{
    CLEANUP(past_deinit) struct past past = PAST_INIT;
    CLEANUP(domain_changes_deinit) struct domain_changes changes = DOMAIN_CHANGES_INIT;
    const struct snapshot_before follows = {.past = &past, .changes = &changes};
    int r = past_of(before, &past);

    r = r ? r : domain_changes_between(before, loaded, &changes);
    return r ? r : snapshot_announce(loaded, &follows, waiting, waiting ? 1 : 0, out);
}

struct zone fixture_zone(const struct snapshot *snapshot, const char *name)
{
    struct zone zone;

    for (size_t i = 0; i < snapshot_n_zones(snapshot); i++) {
        snapshot_zone(snapshot, i, &zone);
        if (strcmp(zone.name.text, name) == 0)
            return zone;
    }
    fail_msg("no zone %s", name);
    return zone;
}

static int add_members(struct builder *builder, uint32_t policy, bool held, size_t n,
                       const char *const names[])
{
    int r = 0;

    for (size_t i = 0; i < n && r == 0; i++) {
        struct name name = fixture_name(names[i]);

        r = builder_add_member(builder, policy, DOMAIN_CNAME, held, &name, 0);
    }
    return r;
}

static int build_listed(struct snapshot **out)
{
    static const char *const published[] = {"www.example.net", "xn--bcher-kva.example"};
    static const char *const held[] = {"held.example", "held.waits.example"};
    CLEANUP(builder_free_pointer) struct builder *builder = NULL;
    struct policy_spec spec = fixture_full_spec();
    uint32_t policy;
    int r = builder_new(42, &builder);

    spec.certificates = "/certificates/%d.pem";
    r = r ? r : builder_add_policy(builder, &spec, 0, &policy);
    r = r ? r : add_members(builder, policy, false, 2, published);
    r = r ? r : add_members(builder, policy, true, 1, held);
    spec.primary = fixture_name("waits.example");
    r = r ? r : builder_add_policy(builder, &spec, 0, &policy);
    r = r ? r : add_members(builder, policy, true, 1, held + 1);
    spec.primary = fixture_name("only-rua.example");
    spec.mode = POLICY_MODE_ABSENT;
    r = r ? r : builder_add_policy(builder, &spec, 0, &policy);
    return r ? r : builder_freeze(builder, NULL, NULL, out);
}

int fixture_build_states(struct snapshot **out)
{
    CLEANUP(snapshot_unref_pointer) struct snapshot *listed = NULL;
    CLEANUP(retiring_set_deinit) struct retiring_set set = RETIRING_SET_INIT;
    struct retiring retiring = {.name = TEXT("left.example"), .until = 1790000000};
    struct text former = TEXT("gone.example 60 overlay 192.0.2.40");
    int r = build_listed(&listed);

    r = r ? r : retiring_set_add_former(&set, former, &retiring.former);
    r = r ? r : retiring_set_add(&set, &retiring);
    return r ? r : snapshot_retire(listed, &set, out);
}
