#include "cmocka_all.h"
#include "os/listen_address.h"

static void assert_address(const char *text, const char *expected, int family, in_port_t port)
{
    struct listen_address address;
    const struct sockaddr_in *v4 = &address.socket.v4;
    const struct sockaddr_in6 *v6 = &address.socket.v6;

    assert_true(listen_address_parse(text_from(text), 8053, &address));
    assert_string_equal(address.text, expected);
    assert_int_equal(address.socket.any.sa_family, family);
    assert_int_equal(ntohs(family == AF_INET ? v4->sin_port : v6->sin6_port), port);
    assert_int_equal(address.length, family == AF_INET ? sizeof(*v4) : sizeof(*v6));
}

static void addresses_have_a_port_or_get_the_default(void **state)
{
    (void)state;
    assert_address("127.0.0.1:8080", "127.0.0.1:8080", AF_INET, 8080);
    assert_address("127.0.0.1", "127.0.0.1:8053", AF_INET, 8053);
    assert_address("0.0.0.0:1", "0.0.0.0:1", AF_INET, 1);
    assert_address("192.0.2.1:65535", "192.0.2.1:65535", AF_INET, 65535);
    assert_address("192.0.2.1:00080", "192.0.2.1:80", AF_INET, 80);
    assert_address("[::1]:8080", "[::1]:8080", AF_INET6, 8080);
    assert_address("[2001:db8::1]", "[2001:db8::1]:8053", AF_INET6, 8053);
    assert_address("[::]", "[::]:8053", AF_INET6, 8053);
    assert_address("[0000:0000:0000:0000:0000:ffff:192.168.100.200]:65535",
                   "[0000:0000:0000:0000:0000:ffff:192.168.100.200]:65535", AF_INET6, 65535);
}

static void everything_else_is_refused(void **state)
{
    static const char *const texts[] = {"",
                                        ":",
                                        ":8053",
                                        "8053",
                                        "localhost:8053",
                                        "127.0.0.1:",
                                        "127.0.0.1:0",
                                        "127.0.0.1:65536",
                                        "127.0.0.1:99999",
                                        "127.0.0.1:000080",
                                        "127.0.0.1:+80",
                                        "127.0.0.1:-1",
                                        "127.0.0.1: 80",
                                        "127.0.0.1:80 ",
                                        "127.0.0.1:8x",
                                        "127.0.0.1:80:80",
                                        " 127.0.0.1",
                                        "127.0.0",
                                        "127.0.0.256",
                                        "256.0.0.1:80",
                                        "*:8053",
                                        "::1",
                                        "::1:8053",
                                        "::1]:8053",
                                        "[::1",
                                        "[::1]8053",
                                        "[::1]:",
                                        "[::1]:0",
                                        "[::1]x",
                                        "[]:80",
                                        "[127.0.0.1]:80",
                                        "[::g]:80",
                                        "[fe80::1%lo]:80",
                                        "[[::1]]:80",
                                        "[::1]]:80"};
    struct listen_address address = {.length = 123};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        if (listen_address_parse(text_from(texts[i]), 8053, &address))
            fail_msg("%s was taken", texts[i]);
    }
    assert_false(listen_address_parse(TEXT("127.0.0.1\0:80"), 8053, &address));
    assert_int_equal(address.length, 123);
}

static void assert_loopback(const char *text, bool expected)
{
    struct listen_address address;

    assert_true(listen_address_parse(text_from(text), 1, &address));
    assert_int_equal(listen_address_is_loopback(&address), expected);
}

static void loopback_addresses_are_known(void **state)
{
    (void)state;
    assert_loopback("127.0.0.1", true);
    assert_loopback("127.255.1.2", true);
    assert_loopback("[::1]", true);
    assert_loopback("[::ffff:127.0.0.1]", true);
    assert_loopback("0.0.0.0", false);
    assert_loopback("128.0.0.1", false);
    assert_loopback("1.0.0.127", false);
    assert_loopback("[::]", false);
    assert_loopback("[::2]", false);
    assert_loopback("[::ffff:192.0.2.1]", false);
}

static void assert_overlap(const char *a, const char *b, bool expected)
{
    struct listen_address left, right;

    assert_true(listen_address_parse(text_from(a), 80, &left));
    assert_true(listen_address_parse(text_from(b), 80, &right));
    assert_int_equal(listen_address_overlaps(&left, &right), expected);
    assert_int_equal(listen_address_overlaps(&right, &left), expected);
}

static void an_address_overlaps_with_itself_and_with_all(void **state)
{
    (void)state;
    assert_overlap("127.0.0.1", "127.0.0.1", true);
    assert_overlap("[::1]", "[::1]", true);
    assert_overlap("[::1]", "[0:0::1]:80", true);
    assert_overlap("[::ffff:127.0.0.1]", "127.0.0.1", true);
    assert_overlap("0.0.0.0", "127.0.0.1", true);
    assert_overlap("0.0.0.0", "[::ffff:127.0.0.1]", true);
    assert_overlap("[::]", "127.0.0.1", true);
    assert_overlap("[::]", "0.0.0.0", true);
    assert_overlap("[::]", "[2001:db8::1]", true);
    assert_overlap("127.0.0.1", "127.0.0.2", false);
    assert_overlap("127.0.0.1", "[::1]", false);
    assert_overlap("0.0.0.0", "[::1]", false);
    assert_overlap("127.0.0.1:80", "127.0.0.1:81", false);
    assert_overlap("[::]:80", "0.0.0.0:81", false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_have_a_port_or_get_the_default),
        cmocka_unit_test(everything_else_is_refused),
        cmocka_unit_test(loopback_addresses_are_known),
        cmocka_unit_test(an_address_overlaps_with_itself_and_with_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
