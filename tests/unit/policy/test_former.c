/* Former policies: what retiring domains keep, as a text. */
#include "policy/former.h"

#include "cmocka_all.h"

static struct name name(const char *text)
{
    struct name name = {.length = (uint8_t)strlen(text)};

    memcpy(name.text, text, name.length + 1);
    return name;
}

static const struct address addresses[] = {
    {.family = AF_INET, .octets = {192, 0, 2, 40}},
    {.family = AF_INET6, .octets = {0x20, 0x01, 0x0d, 0xb8, [15] = 0x40}},
};

static struct text write_former(struct buffer *out, const struct policy_spec *spec,
                                const struct zone_settings *zones)
{
    struct arena arena = ARENA_INIT;
    struct policy policy;

    assert_int_equal(policy_records_make(&arena, spec, zones, &policy), 0);
    former_write(out, &policy);
    arena_deinit(&arena);
    assert_false(out->failed);
    return buffer_text(out);
}

static void assert_written(const struct policy_spec *spec, const struct zone_settings *zones,
                           const char *expected)
{
    struct buffer out = BUFFER_INIT;

    write_former(&out, spec, zones);
    assert_string_equal(buffer_string(&out), expected);
    buffer_deinit(&out);
}

static void it_has_ttl_authority_and_policy_host(void **state)
{
    const struct name nameserver = name("ns1.example");
    const struct zone_settings zones = {&nameserver, 1, name("hostmaster.example"), {0}, 0};
    struct policy_spec spec = {
        .primary = name("full.example"),
        .mode = POLICY_MODE_NONE,
        .ttl = 3600,
        .addresses = addresses,
        .n_addresses = ARRAY_LENGTH(addresses),
    };

    (void)state;
    assert_written(&spec, NULL, "full.example 3600 overlay 192.0.2.40 2001:db8::40");
    spec.ttl = 60;
    spec.zones = true;
    assert_written(&spec, &zones, "full.example 60 zones 192.0.2.40 2001:db8::40");
    spec.n_addresses = 0;
    assert_written(&spec, &zones, "full.example 60 zones");
    spec.policy_host = name("web.example.net");
    assert_written(&spec, NULL, "full.example 60 overlay web.example.net");
    spec.acme_challenge = "%d.ACME.example.";
    assert_written(&spec, NULL, "full.example 60 overlay web.example.net acme=%d.acme.example");
    spec.policy_host = name("");
    assert_written(&spec, &zones, "full.example 60 zones acme=%d.acme.example");
    spec.acme_challenge = NULL;
    spec.certificates = "/my certs/%d.crt";
    assert_written(&spec, &zones, "full.example 60 zones certificates=/my certs/%d.crt");
}

static void it_reads_what_it_has_written(void **state)
{
    struct arena arena = ARENA_INIT;
    struct former former;

    (void)state;
    assert_int_equal(
        former_read(&arena, TEXT("full.example 3600 overlay 192.0.2.40 2001:db8::40"), &former), 0);
    assert_int_equal(former.ttl, 3600);
    assert_false(former.zones);
    assert_int_equal(former.policy_host.length, 0);
    assert_int_equal(former.n_addresses, 2);
    assert_int_equal(former.addresses[0].family, AF_INET);
    assert_int_equal(former.addresses[1].family, AF_INET6);
    assert_int_equal(former_read(&arena, TEXT("full.example 60 zones web.example.net"), &former),
                     0);
    assert_int_equal(former.ttl, 60);
    assert_true(former.zones);
    assert_int_equal(former.n_addresses, 0);
    assert_string_equal(former.policy_host.text, "web.example.net");
    assert_null(former.acme_challenge);
    assert_int_equal(former_read(&arena, TEXT("full.example 60 zones acme=%d.a.example"), &former),
                     0);
    assert_string_equal(former.acme_challenge, "%d.a.example");
    assert_null(former.certificates);
    assert_int_equal(former_read(&arena,
                                 TEXT("full.example 60 overlay 192.0.2.1 acme=%d.a.example"
                                      " certificates=/my certs/acme=%%/%d.crt"),
                                 &former),
                     0);
    assert_int_equal(former.n_addresses, 1);
    assert_string_equal(former.acme_challenge, "%d.a.example");
    assert_string_equal(former.certificates, "/my certs/acme=%%/%d.crt");
    arena_deinit(&arena);
}

static void it_begins_with_the_primary(void **state)
{
    (void)state;
    assert_true(text_equals(former_primary(TEXT("a.example 60 zones")), TEXT("a.example")));
    assert_true(text_equals(former_primary(TEXT("a.example")), TEXT("a.example")));
    assert_int_equal(former_primary(TEXT("")).length, 0);
}

static void what_it_does_not_understand_is_passed_over(void **state)
{
    static const char *const texts[] = {"", " ", "x", "x 99999999999 overlay",
                                        "x x overlay a..b -"};
    struct arena arena = ARENA_INIT;
    struct former former;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        assert_int_equal(former_read(&arena, text_from(texts[i]), &former), 0);
        assert_int_equal(former.ttl, 3600);
        assert_false(former.zones);
        assert_int_equal(former.n_addresses, 0);
        assert_int_equal(former.policy_host.length, 0);
    }
    assert_int_equal(former_read(&arena, TEXT("a.example 7 zones certificates=x/%d"), &former), 0);
    assert_null(former.certificates);
    assert_int_equal(former_read(&arena, TEXT("a.example 7 zones certificates=/%x"), &former), 0);
    assert_null(former.certificates);
    assert_int_equal(former_read(&arena, TEXT("a.example 7 zones ? 192.0.2.1 _ ::1"), &former), 0);
    assert_int_equal(former.n_addresses, 2);
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_has_ttl_authority_and_policy_host),
        cmocka_unit_test(it_reads_what_it_has_written),
        cmocka_unit_test(it_begins_with_the_primary),
        cmocka_unit_test(what_it_does_not_understand_is_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
