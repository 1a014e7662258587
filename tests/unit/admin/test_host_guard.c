/* Which hosts the pages about domains may be asked for by. */
#include "admin/host_guard.h"
#include "cmocka_all.h"

#include <arpa/inet.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>

static struct host_guard guard = {.own = {.length = 11, .text = "ns1.example"}};

/* A socket at an address, which this machine need not have. */
static int socket_at(const char *address)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    bool is_v4 = inet_pton(AF_INET, address, &v4.sin_addr) == 1;
    int fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;

    assert_true(fd >= 0);
    assert_true(is_v4 || inet_pton(AF_INET6, address, &v6.sin6_addr) == 1);
    assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &yes, sizeof(yes)), 0);
    if (is_v4)
        assert_int_equal(bind(fd, (const struct sockaddr *)&v4, sizeof(v4)), 0);
    else
        assert_int_equal(bind(fd, (const struct sockaddr *)&v6, sizeof(v6)), 0);
    return fd;
}

static void check(int fd, const char *host, bool good)
{
    char fault[HOST_GUARD_FAULT_MAX];

    if (host_guard_check(&guard, fd, text_from(host), fault) != (good ? 0 : HOST_GUARD_FOREIGN))
        fail_msg("%s", host);
}

static const char *const own_hosts[] = {
    "",
    "127.0.0.1",
    "127.0.0.1:8054",
    "192.0.2.1:1",
    "[::1]",
    "[::1]:80",
    "localhost",
    "LocalHost.:80",
    "a.b.localhost",
    "ns1.example",
    "NS1.Example:8054",
    "ns1.example.",
};

static const char *const foreign_hosts[] = {
    "evil.example",
    "evil.example:8054",
    "localhost.evil.example",
    "notlocalhost",
    ".localhost",
    "sub.ns1.example",
    "ns1",
    "127.0.0.1.evil.example",
    "127.1",
    "[::1",
    "_a.evil.example",
    "a b",
    "::1",
    "[127.0.0.1]",
    "-",
    "ns1.example.evil",
    "%6cocalhost",
    "localhost..",
    ":8054",
};

/* Checks all hosts over a connection to an address, at which FOREIGN ones are good or not. */
static void check_all(const char *address, bool foreign)
{
    int fd = socket_at(address);

    for (size_t i = 0; i < ARRAY_LENGTH(own_hosts); i++)
        check(fd, own_hosts[i], true);
    for (size_t i = 0; i < ARRAY_LENGTH(foreign_hosts); i++)
        check(fd, foreign_hosts[i], foreign);
    close(fd);
}

static void a_loopback_address_is_asked_by_own_hosts_alone(void **state)
{
    static const char *const loopbacks[] = {"127.0.0.1", "127.0.99.1", "::1", "::ffff:127.0.0.1"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(loopbacks); i++)
        check_all(loopbacks[i], false);
}

static void other_addresses_are_asked_by_any_host(void **state)
{
    static const char *const others[] = {"192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
        check_all(others[i], true);
}

static void what_cannot_be_told_is_taken_for_a_loopback_address(void **state)
{
    (void)state;
    check(-1, "evil.example", false);
    check(-1, "localhost", true);
}

static void the_fault_says_what_was_found_and_what_to_do(void **state)
{
    const struct host_guard nameless = {0};
    char fault[HOST_GUARD_FAULT_MAX];

    (void)state;
    assert_int_equal(host_guard_check(&guard, -1, TEXT("a\x1b.example:80"), fault),
                     HOST_GUARD_FOREIGN);
    assert_string_equal(fault,
                        "found the Host field \"a\\x1b.example:80\", expected an IP address, "
                        "localhost or ns1.example: a proxy in front has to set it to the "
                        "address that it connects to");
    assert_int_equal(host_guard_check(&nameless, -1, TEXT("ns1.example"), fault),
                     HOST_GUARD_FOREIGN);
    assert_string_equal(fault,
                        "found the Host field \"ns1.example\", expected an IP address "
                        "or localhost: a proxy in front has to set it to the address that it "
                        "connects to");
}

static void the_machine_is_asked_by_its_name(void **state)
{
    char own[HOST_NAME_MAX + 1], fault[HOST_GUARD_FAULT_MAX];
    struct host_guard started;
    struct name name;

    (void)state;
    assert_int_equal(gethostname(own, sizeof(own)), 0);
    assert_int_equal(host_guard_init(&started), 0);
    assert_int_equal(host_guard_check(&started, -1, text_from(own), fault),
                     name_from_host(text_from(own), &name) == 0 ? 0 : HOST_GUARD_FOREIGN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loopback_address_is_asked_by_own_hosts_alone),
        cmocka_unit_test(other_addresses_are_asked_by_any_host),
        cmocka_unit_test(what_cannot_be_told_is_taken_for_a_loopback_address),
        cmocka_unit_test(the_fault_says_what_was_found_and_what_to_do),
        cmocka_unit_test(the_machine_is_asked_by_its_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
