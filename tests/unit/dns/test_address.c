#include "cmocka_all.h"
#include "dns/address.h"

static void addresses_are_ipv4_or_ipv6(void **state)
{
    struct address address;

    (void)state;
    assert_true(address_from_text(TEXT("192.0.2.1"), &address));
    assert_int_equal(address.family, AF_INET);
    assert_memory_equal(address.octets, "\xc0\x00\x02\x01", 4);
    assert_true(address_from_text(TEXT("2001:db8::1"), &address));
    assert_int_equal(address.family, AF_INET6);
    assert_false(address_from_text(TEXT(""), &address));
    assert_false(address_from_text(TEXT("192.0.2"), &address));
    assert_false(address_from_text(TEXT("192.0.2.256"), &address));
    assert_false(address_from_text(TEXT("192.0.2.1\0"), &address));
    assert_false(address_from_text(TEXT("2001:db8::g"), &address));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_ipv4_or_ipv6),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
