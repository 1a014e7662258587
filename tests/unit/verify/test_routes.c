#include "cmocka_all.h"
#include "verify/routes.h"

#include <sched.h>

static void an_address_of_ipv4_needs_no_look(void **state)
{
    struct routes routes = {0};
    struct address address;

    (void)state;
    assert_true(routes_find(&routes, TEXT("192.0.2.1"), &address));
    assert_int_equal(address.family, AF_INET);
    assert_false(routes_find(&routes, TEXT("mail.example.net"), &address));
    assert_int_equal(routes.n_skipped, 0);
}

/* A network of the process's own has no route at all; only root may make one. */
static void an_address_without_a_route_is_skipped_and_counted(void **state)
{
    struct routes routes = {0};
    struct address address;

    (void)state;
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0 && unshare(CLONE_NEWNET) != 0)
        fail_msg("no network namespace can be made");
    assert_false(routes_find(&routes, TEXT("2001:db8::1"), &address));
    assert_false(routes_find(&routes, TEXT("2001:db8::2"), &address));
    assert_int_equal(routes.n_skipped, 2);
    assert_true(routes_find(&routes, TEXT("192.0.2.1"), &address));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_of_ipv4_needs_no_look),
        cmocka_unit_test(an_address_without_a_route_is_skipped_and_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
