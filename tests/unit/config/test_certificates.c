#include "config/certificates.h"

#include "cmocka_all.h"
#include "fixture.h"
#include "temporary.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_held(struct certificates *certificates, const char *domain)
{
    bool held;

    assert_int_equal(certificates_look(certificates, text_from(domain), &held), 0);
    return held;
}

static void without_a_pattern_nothing_is_held_back(void **state)
{
    CLEANUP(certificates_deinit) struct certificates certificates = CERTIFICATES_INIT;

    (void)state;
    certificates_begin(&certificates, NULL);
    assert_false(is_held(&certificates, "a.example"));
}

static void a_domain_is_held_back_until_its_file_exists(void **state)
{
    CLEANUP(certificates_deinit) struct certificates certificates = CERTIFICATES_INIT;

    (void)state;
    certificates_begin(&certificates, "a%%b-%d/%d.pem");
    assert_true(is_held(&certificates, "a.example"));
    assert_int_equal(mkdir("a%b-a.example", 0700), 0);
    assert_true(is_held(&certificates, "a.example"));
    temporary_write("a%b-a.example/a.example.pem", "");
    assert_false(is_held(&certificates, "a.example"));
    assert_true(is_held(&certificates, "b.example"));
    assert_int_equal(certificates.n_unknown, 0);
}

static void a_link_counts_if_it_leads_to_a_file(void **state)
{
    CLEANUP(certificates_deinit) struct certificates certificates = CERTIFICATES_INIT;

    (void)state;
    certificates_begin(&certificates, "%d");
    assert_int_equal(symlink("target", "a.example"), 0);
    assert_true(is_held(&certificates, "a.example"));
    temporary_write("target", "");
    assert_false(is_held(&certificates, "a.example"));
}

static void a_file_that_nobody_may_read_counts(void **state)
{
    CLEANUP(certificates_deinit) struct certificates certificates = CERTIFICATES_INIT;

    (void)state;
    certificates_begin(&certificates, "%d");
    temporary_write("a.example", "");
    assert_int_equal(chmod("a.example", 0), 0);
    assert_false(is_held(&certificates, "a.example"));
}

static void a_file_is_not_read(void **state)
{
    CLEANUP(certificates_deinit) struct certificates certificates = CERTIFICATES_INIT;

    (void)state;
    certificates_begin(&certificates, "%d");
    /* Opening a pipe without a writer would block. */
    assert_int_equal(mkfifo("a.example", 0600), 0);
    assert_false(is_held(&certificates, "a.example"));
}

static void what_cannot_be_told_is_held_back_and_counted(void **state)
{
    CLEANUP(certificates_deinit) struct certificates certificates = CERTIFICATES_INIT;

    (void)state;
    certificates_begin(&certificates, "%d/x");
    assert_int_equal(symlink("loop", "loop"), 0);
    assert_true(is_held(&certificates, "a.example"));
    assert_int_equal(certificates.n_unknown, 0);
    assert_true(is_held(&certificates, "loop"));
    assert_int_equal(mkdir("b.example", 0700), 0);
    assert_int_equal(mkdir("b.example/x", 0700), 0);
    assert_true(is_held(&certificates, "b.example"));
    assert_int_equal(certificates.n_unknown, 2);
    assert_int_equal(certificates.error, ELOOP);
    assert_string_equal(buffer_string(&certificates.first), "loop/x");
    certificates_begin(&certificates, "%d/x");
    assert_int_equal(certificates.n_unknown, 0);
    assert_true(is_held(&certificates, "b.example"));
    assert_int_equal(certificates.error, EISDIR);
    assert_string_equal(buffer_string(&certificates.first), "b.example/x");
}

static void the_first_domains_that_are_held_back_are_named(void **state)
{
    CLEANUP(buffer_deinit) struct buffer out = BUFFER_INIT;
    struct policy_spec spec = fixture_full_spec();
    struct builder *builder;
    struct snapshot *snapshot;
    uint32_t policy;

    (void)state;
    assert_int_equal(builder_new(1, &builder), 0);
    assert_int_equal(builder_add_policy(builder, &spec, 0, &policy), 0);
    for (char letter = 'a'; letter < 'h'; letter++) {
        char text[] = "x.example";
        struct name name;

        text[0] = letter;
        name = fixture_name(text);
        assert_int_equal(builder_add_member(builder, policy, DOMAIN_CNAME, letter != 'b', &name, 0),
                         0);
    }
    assert_int_equal(builder_freeze(builder, NULL, NULL, &snapshot), 0);
    certificates_name_held(snapshot, &out);
    assert_string_equal(buffer_string(&out),
                        "a.example, c.example, d.example, e.example, f.example and 1 more");
    builder_free(builder);
    snapshot_unref(snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, temporary_enter, temporary_leave)
        TEST(without_a_pattern_nothing_is_held_back),
        TEST(a_domain_is_held_back_until_its_file_exists),
        TEST(a_link_counts_if_it_leads_to_a_file),
        TEST(a_file_that_nobody_may_read_counts),
        TEST(a_file_is_not_read),
        TEST(what_cannot_be_told_is_held_back_and_counted),
        TEST(the_first_domains_that_are_held_back_are_named),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
