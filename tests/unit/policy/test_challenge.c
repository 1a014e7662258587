#include "policy/challenge.h"

#include "cmocka_all.h"
#include "dns/name.h"

static void a_template_makes_names_of_legal_labels(void **state)
{
    static const struct {
        const char *template;
        int fault;
    } cases[] = {
        {"%d", 0},
        {"%d.acme.example", 0},
        {"%d.ACME.example.", 0},
        {"one.example", 0},
        {"_a-b.%d.x%%y.example", 0},
        {"%d.%d", 0},
        {"", CHALLENGE_LABEL},
        {".", CHALLENGE_LABEL},
        {"%d..example", CHALLENGE_LABEL},
        {".%d.example", CHALLENGE_LABEL},
        {"%d.example..", CHALLENGE_LABEL},
        {"a%d.example", CHALLENGE_LABEL},
        {"%d%d.example", CHALLENGE_LABEL},
        {"%d%%.example", CHALLENGE_LABEL},
        {"%D.example", CHALLENGE_PERCENT},
        {"a.example%", CHALLENGE_PERCENT},
        {"a b.example", CHALLENGE_CHARACTER},
        {"*.example", CHALLENGE_CHARACTER},
        {"a\\.example", CHALLENGE_CHARACTER},
        {"mta-sts.%d", CHALLENGE_AT_OWNER},
        {"x.MTA-STS.%d.", CHALLENGE_AT_OWNER},
        {"_acme-challenge.mta-sts.%d", CHALLENGE_AT_OWNER},
        {"_mta-sts.%d", CHALLENGE_AT_OWNER},
        {"%d._MTA-STS.%d.", CHALLENGE_AT_OWNER},
        {"_tls.%d", CHALLENGE_AT_OWNER},
        {"_smtp._tls.%d", CHALLENGE_AT_OWNER},
        {"xmta-sts.%d", 0},
        {"_smtp.%d", 0},
        {"mta-sts.x.%d", 0},
        {"mta-sts.%d.example", 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        assert_int_equal(challenge_check(text_from(cases[i].template)), cases[i].fault);
    assert_int_equal(challenge_check(text_of("a\0b", 3)), CHALLENGE_CHARACTER);
}

static void labels_have_at_most_63_octets(void **state)
{
    char label[140];

    (void)state;
    memset(label, 'a', 64);
    assert_int_equal(challenge_check(text_of(label, 63)), 0);
    assert_int_equal(challenge_check(text_of(label, 64)), CHALLENGE_LABEL);
    for (size_t i = 0; i < 63; i++)
        memcpy(label + 2 * i, "%%", 2);
    assert_int_equal(challenge_check(text_of(label, (size_t)2 * 63)), 0);
}

static void both_names_have_at_most_253_octets(void **state)
{
    char domain[NAME_TEXT_MAX], to[NAME_TEXT_MAX];

    (void)state;
    memset(domain, 'd', sizeof(domain));
    assert_int_equal(challenge_check_domain(TEXT("a"), text_of(domain, 229)), 0);
    assert_int_equal(challenge_check_domain(TEXT("a"), text_of(domain, 230)), CHALLENGE_TOO_LONG);
    assert_int_equal(challenge_check_domain(TEXT("%d.abc."), text_of(domain, 229)), 0);
    assert_int_equal(challenge_check_domain(TEXT("%d.%d"), text_of(domain, 126)), 0);
    assert_int_equal(challenge_write(TEXT("%d.%d"), text_of(domain, 126), to), NAME_TEXT_MAX);
    assert_int_equal(challenge_check_domain(TEXT("%d.%d"), text_of(domain, 127)),
                     CHALLENGE_TOO_LONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_template_makes_names_of_legal_labels),
        cmocka_unit_test(labels_have_at_most_63_octets),
        cmocka_unit_test(both_names_have_at_most_253_octets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
