/* Loading a configuration while one allocation after the other fails. */
#include "cmocka_all.h"
#include "config_summary.h"
#include "failing_malloc.h"
#include "temporary.h"

#include <errno.h>

/* Loads config.yaml. Returns 0 if it ended as EXPECTED, and a negative value if memory ran out. */
static int load(int expected)
{
    CLEANUP(diagnostics_deinit) struct diagnostics diagnostics = DIAGNOSTICS_INIT;
    struct config *config = NULL;
    const struct config_request request = {.path = "config.yaml"};
    int r = config_load(&request, &diagnostics, &config);

    if (r)
        assert_null(config);
    config_free(config);
    if (r < 0)
        assert_int_equal(r, -ENOMEM);
    return r < 0 ? r : r != expected;
}

static int load_valid(void)
{
    return load(0);
}

static int load_refused(void)
{
    return load(REPORTED);
}

static void a_configuration_is_loaded_whole_or_not_at_all(void **state)
{
    (void)state;
    temporary_write("config.yaml",
                    "listen: {http: {address: \"0.0.0.0\", path: /a/}}\n"
                    "defaults: {rua: [\"mailto:a@b.example\"], mx: [m.example, bücher.example]}\n"
                    "include: [\"*.inc\", none/*.inc]\n"
                    "policies:\n"
                    "  - {domain: a.example, mode: enforce, max_age: 1h, certificates: "
                    "/nonexistent/%d, policy_host: mta-sts.b.example,\n"
                    "     domains: [ü.example, a.example], domain_files: [a.list, \"*.list\"]}\n"
                    "  - {domain: b.example, mode: none, policy_host: [192.0.2.1, \"::1\"]}\n"
                    "  - {domain: c.example, rua: [], acme_challenge: \"%d.acme.example\"}\n");
    temporary_write("a.inc", "policies: [{domain: d.example, domain_files: b.txt}]\n");
    temporary_write("b.inc", "policies: [{domain: e.example, id: x}]\n");
    temporary_write("a.list", "one.example\none.example\nzwölf.example\n");
    temporary_write("b.txt", "two.example\n");
    assert_true(failing_malloc_each(load_valid) > 100);
}

static void a_refused_configuration_frees_all(void **state)
{
    (void)state;
    temporary_write("config.yaml",
                    "listen: {htp: 1, http: {address: x}}\n"
                    "threads: 0\n"
                    "include: [none.inc, config.yaml, \"*.inc\"]\n"
                    "policies:\n"
                    "  - {domain: a_b, mode: enforce, mx: [a.example, a.example], id: \"+\"}\n"
                    "  - {rua: x, policy_host: [a.example, b.example], domains: [c_d, a.example]}\n"
                    "  - {domain: a.example, domain_files: [a.list, none.list]}\n"
                    "  - {domain: e.example, mode: none, policy_host: mta-sts.e.example, "
                    "acme_challenge: x.mta-sts.e.example}\n");
    temporary_write("a.inc", "policies: [\n");
    temporary_write("b.inc", "policies: [*x]\n");
    temporary_write("a.list", "a b\n_.example\n");
    assert_true(failing_malloc_each(load_refused) > 100);
}

static void a_refused_file_is_so_even_without_nodes(void **state)
{
    (void)state;
    temporary_write("config.yaml", "a: [b\n");
    assert_true(failing_malloc_each(load_refused) > 5);
    temporary_write("config.yaml", "");
    assert_true(failing_malloc_each(load_refused) > 5);
}

#define TEST(FUNCTION) cmocka_unit_test_setup_teardown(FUNCTION, temporary_enter, temporary_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_configuration_is_loaded_whole_or_not_at_all),
        TEST(a_refused_configuration_frees_all),
        TEST(a_refused_file_is_so_even_without_nodes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
