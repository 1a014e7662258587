/* Retiring domains in a snapshot: what they have, and what becomes of the others. */
#include "snapshot/retiring.h"

#include "cmocka_all.h"
#include "fixture.h"

#include <stdio.h>

#define WEB "full.example 3600 overlay 192.0.2.40 2001:db8::40"

/* A set of retiring domains, all with one former policy. */
static void add(struct retiring_set *set, const char *name, int64_t until, const char *text)
{
    struct retiring retiring = {.name = text_from(name), .until = until};

    assert_int_equal(retiring_set_add_former(set, text_from(text), &retiring.former), 0);
    assert_int_equal(retiring_set_add(set, &retiring), 0);
}

/* Frees the set and the loaded snapshot. */
static struct snapshot *retire(struct snapshot *loaded, struct retiring_set *set)
{
    struct snapshot *snapshot = NULL;

    assert_int_equal(snapshot_retire(loaded, set, &snapshot), 0);
    snapshot_unref(loaded);
    retiring_set_deinit(set);
    return snapshot;
}

static struct domain find(const struct snapshot *snapshot, const char *name)
{
    struct domain domain = {0};

    assert_true(snapshot_find(snapshot, text_from(name), &domain));
    return domain;
}

static bool has(const struct snapshot *snapshot, const char *name)
{
    struct domain domain;

    return snapshot_find(snapshot, text_from(name), &domain);
}

/* The contents of the rows of a domain at an owner, with commas. */
static const char *rows(const struct snapshot *snapshot, const char *name, enum owner owner)
{
    static char text[512];
    struct domain domain = find(snapshot, name);
    struct rows found = domain_rows(&domain, owner);
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < found.n; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s:%.*s", i ? "," : "",
                                 record_type_text(found.first[i].type).data,
                                 (int)found.first[i].content.length, found.first[i].content.data);
    return text;
}

static void it_goes_on_with_mode_none_and_the_policy_host_that_it_had(void **state)
{
    static const char body[] = "version: STSv1\r\nmode: none\r\nmax_age: 86400\r\n";
    struct retiring_set set = RETIRING_SET_INIT;
    struct snapshot *snapshot;
    struct domain domain;
    char id[POLICY_ID_MAX + 1], txt[80];

    (void)state;
    add(&set, "gone.example", 1000, WEB);
    snapshot = retire(fixture_snapshot(), &set);
    domain = find(snapshot, "gone.example");
    assert_int_equal(domain.kind, DOMAIN_DIRECT);
    assert_false(domain.held);
    assert_int_equal(domain.policy->mode, POLICY_MODE_NONE);
    assert_true(text_equals(domain.policy->body, text_from(body)));
    policy_derive_id(text_from(body), id);
    snprintf(txt, sizeof(txt), "TXT:\"v=STSv1; id=%s\"", id);
    assert_string_equal(rows(snapshot, "gone.example", OWNER_MTA_STS), txt);
    assert_string_equal(rows(snapshot, "gone.example", OWNER_POLICY_HOST),
                        "A:192.0.2.40,AAAA:2001:db8::40");
    assert_string_equal(rows(snapshot, "gone.example", OWNER_TLSRPT), "");
    assert_string_equal(rows(snapshot, "gone.example", OWNER_TLS_PARENT), "");
    assert_int_equal(domain.policy->ttl, 3600);
    assert_int_equal(snapshot_until(snapshot, &domain), 1000);
    snapshot_unref(snapshot);
}

static void without_a_policy_host_only_the_txt_record_stays(void **state)
{
    struct retiring_set set = RETIRING_SET_INIT;
    struct snapshot *snapshot;

    (void)state;
    add(&set, "gone.example", 1000, "full.example 60 overlay");
    snapshot = retire(fixture_snapshot(), &set);
    assert_string_not_equal(rows(snapshot, "gone.example", OWNER_MTA_STS), "");
    assert_string_equal(rows(snapshot, "gone.example", OWNER_POLICY_HOST), "");
    assert_int_equal(find(snapshot, "gone.example").policy->ttl, 60);
    snapshot_unref(snapshot);
}

static void the_policy_host_may_be_an_alias(void **state)
{
    struct retiring_set set = RETIRING_SET_INIT;
    struct snapshot *snapshot;

    (void)state;
    add(&set, "gone.example", 1000, "full.example 60 overlay web.example.net");
    snapshot = retire(fixture_snapshot(), &set);
    assert_string_equal(rows(snapshot, "gone.example", OWNER_POLICY_HOST), "CNAME:web.example.net");
    snapshot_unref(snapshot);
}

static void its_certificate_can_be_renewed_as_long_as_it_has_a_policy_host(void **state)
{
    struct retiring_set set = RETIRING_SET_INIT;
    struct snapshot *snapshot;

    (void)state;
    add(&set, "gone.example", 1000, "full.example 60 overlay web.example.net acme=%d.acme.example");
    add(&set, "odd.example", 1000, "full.example 60 overlay 192.0.2.40 acme=%d%d%.example acme=..");
    snapshot = retire(fixture_snapshot(), &set);
    assert_string_equal(rows(snapshot, "gone.example", OWNER_ACME_CHALLENGE),
                        "CNAME:%d.acme.example");
    assert_string_equal(rows(snapshot, "gone.example", OWNER_POLICY_HOST), "CNAME:web.example.net");
    assert_string_equal(rows(snapshot, "odd.example", OWNER_ACME_CHALLENGE), "");
    assert_string_equal(rows(snapshot, "odd.example", OWNER_POLICY_HOST), "A:192.0.2.40");
    snapshot_unref(snapshot);
}

/* What the state says of a long domain is no reason to write beyond a name. */
static void a_name_that_is_too_long_for_a_challenge_has_none(void **state)
{
    char name[NAME_TEXT_MAX + 1];
    struct retiring_set set = RETIRING_SET_INIT;
    struct snapshot *snapshot;

    (void)state;
    memset(name, 'a', sizeof(name));
    for (size_t i = 63; i < 230; i += 64)
        name[i] = '.';
    name[230] = '\0';
    add(&set, name, 1000, "full.example 60 overlay web.example.net acme=a.example");
    snapshot = retire(fixture_snapshot(), &set);
    assert_string_equal(rows(snapshot, name, OWNER_ACME_CHALLENGE), "");
    assert_string_equal(rows(snapshot, name, OWNER_POLICY_HOST), "CNAME:web.example.net");
    snapshot_unref(snapshot);
}

static void a_domain_with_reports_alone_retires_in_its_place(void **state)
{
    struct retiring_set set = RETIRING_SET_INIT;
    struct snapshot *snapshot, *plain = fixture_snapshot();
    size_t before = 0, after = 0;
    struct domain domain, other;

    (void)state;
    add(&set, "cname.only-rua.example", 1000, WEB);
    snapshot = retire(fixture_snapshot(), &set);
    assert_string_not_equal(rows(snapshot, "cname.only-rua.example", OWNER_MTA_STS), "");
    assert_string_equal(rows(snapshot, "cname.only-rua.example", OWNER_TLSRPT),
                        "TXT:\"v=TLSRPTv1; "
                        "rua=mailto:postmaster@example.net,https://report.example/tls\"");
    assert_string_equal(rows(snapshot, "cname.only-rua.example", OWNER_TLS_PARENT), "ENT:");
    assert_string_equal(rows(snapshot, "direct.only-rua.example", OWNER_MTA_STS), "");
    assert_int_equal(snapshot_n_domains(snapshot), snapshot_n_domains(plain));
    assert_int_equal(snapshot_n_all_domains(snapshot), snapshot_n_domains(plain));
    while (snapshot_next_domain(plain, &before, &domain)) {
        assert_true(snapshot_next_domain(snapshot, &after, &other));
        assert_true(text_equals(domain.name, other.name));
    }
    assert_false(snapshot_next_domain(snapshot, &after, &other));
    snapshot_unref(plain);
    snapshot_unref(snapshot);
}

static void a_domain_listed_under_a_mode_does_not_retire(void **state)
{
    struct retiring_set set = RETIRING_SET_INIT;
    struct snapshot *snapshot;
    struct domain domain;

    (void)state;
    add(&set, "full.example", 1000, WEB);
    add(&set, "cname.none.example", 1000, WEB);
    snapshot = retire(fixture_snapshot(), &set);
    domain = find(snapshot, "full.example");
    assert_int_equal(domain.policy->mode, POLICY_MODE_ENFORCE);
    assert_int_equal(snapshot_until(snapshot, &domain), 0);
    assert_int_equal(find(snapshot, "cname.none.example").kind, DOMAIN_CNAME);
    assert_int_equal(snapshot_n_retiring(snapshot), 0);
    assert_int_equal(snapshot_n_all_policies(snapshot), snapshot_n_policies(snapshot));
    snapshot_unref(snapshot);
}

static void it_is_counted_apart(void **state)
{
    struct retiring_set set = RETIRING_SET_INIT;
    struct snapshot *snapshot, *plain = fixture_snapshot();
    size_t n_domains = snapshot_n_domains(plain), n_policies = snapshot_n_policies(plain);

    (void)state;
    assert_int_equal(snapshot_n_retiring(plain), 0);
    assert_true(snapshot_first_until(plain) == INT64_MAX);
    assert_int_equal(snapshot_last_until(plain), 0);
    add(&set, "b.gone.example", 3000, WEB);
    add(&set, "a.gone.example", 1000, WEB);
    add(&set, "only-rua.example", 2000, WEB);
    add(&set, "c.gone.example", 1500, "full.example 60 overlay");
    snapshot = retire(fixture_snapshot(), &set);
    assert_int_equal(snapshot_n_retiring(snapshot), 4);
    assert_int_equal(snapshot_first_until(snapshot), 1000);
    assert_int_equal(snapshot_last_until(snapshot), 3000);
    assert_int_equal(snapshot_n_domains(snapshot), n_domains);
    assert_int_equal(snapshot_n_all_domains(snapshot), n_domains + 3);
    assert_int_equal(find(snapshot, "direct.only-rua.example").policy->n_domains, 3);
    assert_int_equal(snapshot_n_policies(snapshot), n_policies);
    /* The same former policy, written twice, is one; with reports it is another. */
    assert_int_equal(snapshot_n_all_policies(snapshot), n_policies + 3);
    assert_true(snapshot_size(snapshot) > snapshot_size(plain));
    snapshot_unref(plain);
    snapshot_unref(snapshot);
}

/* Without the retiring domains whose time is over at NOW. */
static struct snapshot *without_expired(const struct snapshot *snapshot, int64_t now)
{
    struct retiring_set set = RETIRING_SET_INIT;
    struct snapshot *left = NULL;

    assert_int_equal(retiring_set_add_all(&set, snapshot), 0);
    retiring_set_expire(&set, now);
    assert_int_equal(snapshot_retire(snapshot, &set, &left), 0);
    retiring_set_deinit(&set);
    return left;
}

static void when_its_time_is_over_it_is_gone_or_has_reports_alone(void **state)
{
    struct retiring_set set = RETIRING_SET_INIT;
    struct snapshot *plain = fixture_snapshot(), *all, *one, *none;

    (void)state;
    add(&set, "gone.example", 1000, WEB);
    add(&set, "cname.only-rua.example", 2000, "full.example 60 overlay");
    all = retire(fixture_snapshot(), &set);
    one = without_expired(all, 1000);
    assert_true(has(all, "gone.example"));
    assert_false(has(one, "gone.example"));
    assert_int_equal(snapshot_n_retiring(one), 1);
    assert_int_equal(snapshot_first_until(one), 2000);
    assert_int_equal(find(one, "cname.only-rua.example").policy->ttl, 60);
    none = without_expired(one, 2000);
    assert_int_equal(find(none, "cname.only-rua.example").kind, DOMAIN_CNAME);
    assert_int_equal(snapshot_n_retiring(none), 0);
    assert_true(snapshot_fingerprint(none) == snapshot_fingerprint(plain));
    assert_true(snapshot_fingerprint(one) != snapshot_fingerprint(plain));
    /* Nothing of it is another one's. */
    snapshot_unref(all);
    snapshot_unref(one);
    assert_string_equal(rows(none, "cname.only-rua.example", OWNER_TLSRPT),
                        "CNAME:_smtp._tls.only-rua.example");
    snapshot_unref(none);
    snapshot_unref(plain);
}

static void until_the_very_second_it_stays(void **state)
{
    struct retiring_set set = RETIRING_SET_INIT;
    struct snapshot *all, *left;

    (void)state;
    add(&set, "gone.example", 1000, WEB);
    all = retire(fixture_snapshot(), &set);
    left = without_expired(all, 999);
    assert_true(has(left, "gone.example"));
    snapshot_unref(all);
    snapshot_unref(left);
}

static void it_has_own_zones_and_is_in_the_catalog(void **state)
{
    struct retiring_set set = RETIRING_SET_INIT;
    struct snapshot *plain = fixture_zones(), *snapshot;
    struct domain domain;
    struct zone zone;

    (void)state;
    add(&set, "gone.example", 1000, "full.example 60 zones 192.0.2.40");
    add(&set, "other.example", 1000, WEB);
    snapshot = retire(fixture_zones(), &set);
    assert_int_equal(snapshot_n_zones(snapshot), snapshot_n_zones(plain) + 2);
    domain = find(snapshot, "gone.example");
    assert_true(domain_has_zone(&domain, OWNER_MTA_STS));
    assert_true(domain_has_zone(&domain, OWNER_POLICY_HOST));
    assert_false(domain_has_zone(&domain, OWNER_TLS_PARENT));
    snapshot_domain_zone(snapshot, &domain, OWNER_POLICY_HOST, &zone);
    assert_string_equal(zone.name.text, "mta-sts.gone.example");
    domain = find(snapshot, "other.example");
    assert_false(domain_has_zone(&domain, OWNER_MTA_STS));
    snapshot_unref(plain);
    snapshot_unref(snapshot);
}

static void in_own_zones_no_alias_stands_at_an_apex(void **state)
{
    struct retiring_set set = RETIRING_SET_INIT;
    struct snapshot *snapshot;
    struct domain domain;

    (void)state;
    add(&set, "only-rua.example", 1000, "full.example 60 overlay web.example.net");
    snapshot = retire(fixture_zones(), &set);
    domain = find(snapshot, "only-rua.example");
    assert_true(domain_has_zone(&domain, OWNER_MTA_STS));
    assert_true(domain_has_zone(&domain, OWNER_TLS_PARENT));
    assert_string_equal(rows(snapshot, "only-rua.example", OWNER_POLICY_HOST), "");
    snapshot_unref(snapshot);
}

static void without_name_servers_it_has_no_own_zones(void **state)
{
    struct retiring_set set = RETIRING_SET_INIT;
    struct snapshot *snapshot;
    struct domain domain;

    (void)state;
    add(&set, "gone.example", 1000, "full.example 60 zones 192.0.2.40");
    snapshot = retire(fixture_snapshot(), &set);
    domain = find(snapshot, "gone.example");
    assert_false(domain_has_zone(&domain, OWNER_MTA_STS));
    assert_string_equal(rows(snapshot, "gone.example", OWNER_POLICY_HOST), "A:192.0.2.40");
    snapshot_unref(snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_goes_on_with_mode_none_and_the_policy_host_that_it_had),
        cmocka_unit_test(without_a_policy_host_only_the_txt_record_stays),
        cmocka_unit_test(the_policy_host_may_be_an_alias),
        cmocka_unit_test(its_certificate_can_be_renewed_as_long_as_it_has_a_policy_host),
        cmocka_unit_test(a_name_that_is_too_long_for_a_challenge_has_none),
        cmocka_unit_test(a_domain_with_reports_alone_retires_in_its_place),
        cmocka_unit_test(a_domain_listed_under_a_mode_does_not_retire),
        cmocka_unit_test(it_is_counted_apart),
        cmocka_unit_test(when_its_time_is_over_it_is_gone_or_has_reports_alone),
        cmocka_unit_test(until_the_very_second_it_stays),
        cmocka_unit_test(it_has_own_zones_and_is_in_the_catalog),
        cmocka_unit_test(in_own_zones_no_alias_stands_at_an_apex),
        cmocka_unit_test(without_name_servers_it_has_no_own_zones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
