/* What the case folders cannot hold: files that cannot be kept as data, sizes, and many errors. */
#include "cmocka_all.h"
#include "config/files.h"
#include "config_summary.h"
#include "temporary.h"

#include <errno.h>
#include <time.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define POLICY                                                                                     \
    "policies:\n"                                                                                  \
    "  - domain: example.net\n"                                                                    \
    "    rua: \"mailto:a@example.net\"\n"

/* Loads a configuration; returns its messages in a buffer of the caller's. */
static int load(const char *path, struct config **config, struct buffer *messages)
{
    CLEANUP(diagnostics_deinit) struct diagnostics diagnostics = DIAGNOSTICS_INIT;
    const struct config_request request = {.path = path};
    int r = config_load(&request, &diagnostics, config);

    config_messages(&diagnostics, messages);
    return r;
}

static void assert_refused(const char *path, const char *expected)
{
    CLEANUP(buffer_deinit) struct buffer messages = BUFFER_INIT;
    struct config *config = NULL;

    assert_int_equal(load(path, &config, &messages), REPORTED);
    assert_null(config);
    assert_string_equal(buffer_string(&messages), expected);
}

static struct config *assert_loaded(const char *path, const char *expected)
{
    CLEANUP(buffer_deinit) struct buffer messages = BUFFER_INIT;
    struct config *config = NULL;

    assert_int_equal(load(path, &config, &messages), 0);
    assert_string_equal(buffer_string(&messages), expected);
    assert_non_null(config);
    return config;
}

static void a_missing_file_is_refused(void **state)
{
    (void)state;
    assert_refused("none.yaml", "cannot read none.yaml: No such file or directory\n");
    assert_refused("none/none.yaml", "cannot read none/none.yaml: No such file or directory\n");
}

static void what_is_no_regular_file_is_refused_without_blocking(void **state)
{
    (void)state;
    assert_int_equal(mkfifo("fifo", 0600), 0);
    assert_int_equal(mkdir("directory", 0700), 0);
    temporary_write("config.yaml", "include: fifo\n" POLICY "    domain_files: fifo\n");
    assert_refused("fifo", "cannot read fifo: it is a FIFO\n");
    assert_refused("directory", "cannot read directory: it is a directory\n");
    assert_refused("/dev/null", "cannot read /dev/null: it is a device\n");
    assert_refused("config.yaml", "config.yaml:1:10: cannot read fifo: it is a FIFO\n"
                                  "config.yaml:5:19: cannot read fifo: it is a FIFO\n");
}

static void an_unreadable_file_that_a_glob_names_is_refused(void **state)
{
    (void)state;
    assert_int_equal(mkdir("d", 0700), 0);
    assert_int_equal(symlink("nowhere", "d/dangling.list"), 0);
    assert_int_equal(symlink("loop.yaml", "d/loop.yaml"), 0);
    temporary_write("config.yaml", "include: d/*.yaml\n" POLICY "    domain_files: d/*.list\n");
    assert_refused("config.yaml",
                   "config.yaml:1:10: cannot read d/loop.yaml: Too many levels of symbolic links\n"
                   "config.yaml:5:19: cannot read d/dangling.list: No such file or directory\n");
}

static void a_directory_that_cannot_be_searched_is_no_empty_one(void **state)
{
    (void)state;
    assert_int_equal(symlink("loop", "loop"), 0);
    temporary_write("config.yaml", POLICY "    domain_files: loop/*.list\n");
    assert_refused("config.yaml", "config.yaml:4:19: cannot read a directory of \"loop/*.list\"\n");
}

/* Loads config.yaml after what matched in MATCHED, which takes over what matches now. Returns the
 * result of the load. */
static int load_again(struct glob_set *matched, const char *expected)
{
    CLEANUP(diagnostics_deinit) struct diagnostics diagnostics = DIAGNOSTICS_INIT;
    CLEANUP(buffer_deinit) struct buffer messages = BUFFER_INIT;
    const struct config_request request = {.path = "config.yaml", .matched_before = matched};
    struct config *config = NULL;
    int r = config_load(&request, &diagnostics, &config);

    config_messages(&diagnostics, &messages);
    assert_string_equal(buffer_string(&messages), expected);
    if (r == 0) {
        glob_set_deinit(matched);
        *matched = config->matched;
        config->matched = GLOB_SET_INIT;
    }
    config_free(config);
    return r;
}

#define MISSING "config.yaml:4:14: warning: \"/proc/self/cwd/synced/example.net.list\" is missing"

/* Loads the configuration after another one, which is freed. */
static struct config *follow(struct config *before, const char *expected)
{
    CLEANUP(diagnostics_deinit) struct diagnostics diagnostics = DIAGNOSTICS_INIT;
    CLEANUP(buffer_deinit) struct buffer messages = BUFFER_INIT;
    const struct config_request request = {.path = "config.yaml", .before = before->snapshot};
    struct config *config = NULL;

    assert_int_equal(config_load(&request, &diagnostics, &config), 0);
    config_messages(&diagnostics, &messages);
    assert_string_equal(buffer_string(&messages), expected);
    config_free(before);
    return config;
}

static void members_stay_while_their_list_is_missing(void **state)
{
    struct config *config;
    struct domain domain;

    (void)state;
    assert_int_equal(mkdir("synced", 0700), 0);
    temporary_write("synced/example.net.list", "a.example\nb.example\n");
    temporary_write("config.yaml", "state: /proc/self/cwd\n"
                                   "policies:\n"
                                   "  - domain: example.net\n"
                                   "    members: synced\n"
                                   "    mx: mail.example.net\n"
                                   "    rua: \"mailto:a@example.net\"\n"
                                   "    domains: c.example\n");
    config = assert_loaded("config.yaml", "");
    assert_int_equal(config->n_lists, 1);
    assert_true(config->lists[0].changed > 0);
    assert_int_equal(rename("synced", "away"), 0);
    for (int i = 0; i < 2; i++) {
        config = follow(config, MISSING ": the 2 members from it stay until the service stops; run "
                                        "pdns-mta-sts sync\n");
        assert_int_equal(config->lists[0].changed, 0);
        assert_int_equal(snapshot_n_domains(config->snapshot), 4);
        assert_true(snapshot_find(config->snapshot, TEXT("a.example"), &domain));
        assert_true(domain.synced);
    }
    config_free(config);
    config = assert_loaded("config.yaml", MISSING ", so the policy has no members from it: run "
                                                  "pdns-mta-sts sync\n");
    assert_int_equal(snapshot_n_domains(config->snapshot), 2);
    config_free(config);
    assert_int_equal(rename("away", "synced"), 0);
}

static void a_glob_that_matched_at_the_last_load_must_match_again(void **state)
{
    CLEANUP(glob_set_deinit) struct glob_set matched = GLOB_SET_INIT;

    (void)state;
    assert_int_equal(mkdir("disk", 0700), 0);
    temporary_write("disk/b.list", "b.example\n");
    temporary_write("config.yaml",
                    POLICY "    domain_files: ['none/*.list', 'disk/*.list', 'disk/?.list']\n");
    assert_int_equal(load_again(&matched, "config.yaml:4:20: warning: \"none/*.list\" matches no "
                                          "file\n"
                                          "config.yaml:4:50: warning: \"disk/b.list\" is the list "
                                          "file named already at config.yaml:4:35\n"),
                     0);
    assert_int_equal(rename("disk", "away"), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(
            load_again(
                &matched,
                "config.yaml:4:35: \"disk/*.list\" matched files at the last load and matches none "
                "now: mount its directory, or if this is right, remove the glob or restart the "
                "service\n"
                "config.yaml:4:50: \"disk/?.list\" matched files at the last load and matches none "
                "now: mount its directory, or if this is right, remove the glob or restart the "
                "service\n"
                "config.yaml:4:20: warning: \"none/*.list\" matches no file\n"),
            REPORTED);
    temporary_write("config.yaml", POLICY "    domain_files: 'none/*.list'\n");
    assert_int_equal(load_again(&matched, "config.yaml:4:19: warning: \"none/*.list\" matches no "
                                          "file\n"),
                     0);
    temporary_write("config.yaml", POLICY "    domain_files: 'disk/*.list'\n");
    assert_int_equal(load_again(&matched, "config.yaml:4:19: warning: \"disk/*.list\" matches no "
                                          "file\n"),
                     0);
}

static void a_file_over_its_limit_is_refused(void **state)
{
    (void)state;
    temporary_write_hole("big.yaml", CONFIG_YAML_SIZE_MAX + 1);
    temporary_write_hole("big.list", CONFIG_LIST_SIZE_MAX + 1);
    temporary_write("config.yaml", "include: big.yaml\n" POLICY "    domain_files: big.list\n");
    assert_refused("big.yaml", "cannot read big.yaml: it has more than 67108864 bytes\n");
    assert_refused("config.yaml",
                   "config.yaml:1:10: cannot read big.yaml: it has more than 67108864 bytes\n"
                   "config.yaml:5:19: cannot read big.list: it has more than 536870912 bytes\n");
}

static void files_are_named_by_the_directory_of_the_configuration(void **state)
{
    char path[256];

    assert_int_equal(mkdir("etc", 0700), 0);
    assert_int_equal(mkdir("etc/d", 0700), 0);
    temporary_write("etc/config.yaml", "include: d/*.yaml\n");
    temporary_write("etc/d/a.yaml", POLICY "    domain_files: [a.list, /nowhere/b.list]\n");
    temporary_write("etc/d/a.list", "a_b\n");
    assert_refused("etc/config.yaml",
                   "etc/d/a.list:1:1: found an underscore in \"a_b\", expected letters, digits and "
                   "hyphens\n"
                   "etc/d/a.yaml:4:28: cannot read /nowhere/b.list: No such file or directory\n");
    temporary_write("etc/d/a.yaml", POLICY "    domain_files: /nowhere/*.list\n");
    temporary_append("etc/d/a.yaml", "  - domain: a_b\n");
    snprintf(path, sizeof(path), "%s/etc/config.yaml", (char *)*state);
    {
        CLEANUP(buffer_deinit) struct buffer expected = BUFFER_INIT;

        buffer_printf(&expected,
                      "%s/etc/d/a.yaml:5:13: found an underscore in \"a_b\", expected letters, "
                      "digits and hyphens\n"
                      "%s/etc/d/a.yaml:4:19: warning: \"/nowhere/*.list\" matches no file\n"
                      "%s/etc/d/a.yaml:5:5: warning: the policy has neither mode nor rua, so it "
                      "publishes nothing\n",
                      (char *)*state, (char *)*state, (char *)*state);
        assert_refused(path, buffer_string(&expected));
    }
}

static void a_directory_with_glob_characters_stands_for_itself(void **state)
{
    struct config *config;
    struct domain domain;

    (void)state;
    assert_int_equal(mkdir("conf[1]*\\", 0700), 0);
    assert_int_equal(mkdir("conf1", 0700), 0);
    temporary_write("conf[1]*\\/config.yaml", POLICY "    domain_files: [\"*.list\", b.txt]\n");
    temporary_write("conf[1]*\\/a.list", "right.example\n");
    temporary_write("conf[1]*\\/b.txt", "literal.example\n");
    temporary_write("conf1/a.list", "wrong.example\n");
    config = assert_loaded("conf[1]*\\/config.yaml", "");
    assert_true(snapshot_find(config->snapshot, TEXT("right.example"), &domain));
    assert_true(snapshot_find(config->snapshot, TEXT("literal.example"), &domain));
    assert_false(snapshot_find(config->snapshot, TEXT("wrong.example"), &domain));
    config_free(config);
}

static void file_names_that_do_not_print_are_escaped(void **state)
{
    (void)state;
    temporary_write("a\n\x1b.yaml", "");
    assert_refused("a\n\x1b.yaml", "a\\x0a\\x1b.yaml: the file is empty, expected a mapping\n");
}

/* Also where they stand inside of a message. */
static void file_names_in_messages_are_escaped(void **state)
{
    (void)state;
    assert_int_equal(mkdir("\x1b[m", 0700), 0);
    temporary_write("\x1b[m/\xff.list", "a.example\n");
    temporary_write("\x1b[m/a.yaml", POLICY "    domain_files: '*.list'\n");
    temporary_write("config.yaml",
                    "include: '*/a.yaml'\n"
                    "policies:\n"
                    "  - {domain: a.example, rua: 'mailto:a@example.net', domains: a.example}\n"
                    "  - {domain: b.example, rua: 'mailto:a@example.net',\n"
                    "     domain_files: ['*/*.list', '*/*.list']}\n");
    assert_refused("config.yaml",
                   "\\x1b[m/\\xff.list:1:1: \"a.example\" is listed already at config.yaml:3:14 "
                   "under policy \"a.example\"; a domain can have one policy\n"
                   "\\x1b[m/\\xff.list:1:1: \"a.example\" is listed already at config.yaml:3:14 "
                   "under policy \"a.example\"; a domain can have one policy\n"
                   "config.yaml:5:33: warning: \"\\x1b[m/\\xff.list\" is the list file named "
                   "already at config.yaml:5:21\n"
                   "config.yaml:3:63: warning: \"a.example\" is listed already at "
                   "config.yaml:3:14\n");
    temporary_write("config.yaml", "include: ['*/a.yaml', '*/b.yaml']\n");
    temporary_write("\x1b[m/\xff.list", "a.example\na.example\n");
    assert_int_equal(symlink("a.yaml", "\x1b[m/b.yaml"), 0);
    assert_refused("config.yaml",
                   "config.yaml:1:23: \"\\x1b[m/b.yaml\" is included already at config.yaml:1:11\n"
                   "\\x1b[m/\\xff.list:2:1: warning: \"a.example\" is listed already at "
                   "\\x1b[m/\\xff.list:1:1\n");
}

static void the_first_50_errors_are_listed_and_the_others_counted(void **state)
{
    CLEANUP(buffer_deinit) struct buffer text = BUFFER_INIT, expected = BUFFER_INIT;

    (void)state;
    buffer_add_string(&text, POLICY "    domains:\n");
    for (unsigned int i = 0; i < 60; i++) {
        buffer_printf(&text, "    - a_%u.example\n", i);
        if (i < DIAGNOSTICS_KEPT)
            buffer_printf(&expected,
                          "config.yaml:%u:7: found an underscore in \"a_%u.example\", expected "
                          "letters, digits and hyphens\n",
                          i + 5, i);
    }
    buffer_add_string(&expected, "… and 10 more errors\n");
    temporary_write("config.yaml", buffer_string(&text));
    assert_refused("config.yaml", buffer_string(&expected));
}

/* Libyaml gives an offset alone, and a long file comes in many pieces. */
static void what_is_no_text_far_into_a_file_is_refused_with_its_place(void **state)
{
    CLEANUP(buffer_deinit) struct buffer text = BUFFER_INIT;

    (void)state;
    buffer_add_string(&text, "\xef\xbb\xbfpolicies:\n- domain: example.net\n  domains:\n");
    for (unsigned int i = 0; i < 10000; i++)
        buffer_printf(&text, "  - d\xc3\xbc%u.example\n", i);
    buffer_add_string(&text, "  - \xc3\xbc\xff.example\n");
    temporary_write("config.yaml", buffer_string(&text));
    assert_refused("config.yaml",
                   "config.yaml:10004:6: found invalid UTF-8, expected UTF-8 text\n");
}

static void assert_numbered_domains(const struct config *config, unsigned int n)
{
    size_t cursor = 0;
    struct domain domain;
    char name[32];

    assert_int_equal(snapshot_n_domains(config->snapshot), n + 1);
    assert_true(snapshot_next_domain(config->snapshot, &cursor, &domain));
    for (unsigned int i = 0; i < n; i++) {
        snprintf(name, sizeof(name), "d%u.example", i);
        assert_true(snapshot_next_domain(config->snapshot, &cursor, &domain));
        assert_true(text_equals(domain.name, text_from(name)));
        assert_int_equal(domain.kind, DOMAIN_CNAME);
    }
    assert_false(snapshot_next_domain(config->snapshot, &cursor, &domain));
}

static void ten_thousand_domains_load_from_the_configuration(void **state)
{
    static const struct {
        const char *start, *format, *end;
    } forms[] = {{"    domains:\n", "    - d%u.example\n", ""},
                 {"    domains: [", "d%u.example, ", "]\n"}};

    (void)state;
    for (size_t form = 0; form < ARRAY_LENGTH(forms); form++) {
        CLEANUP(buffer_deinit) struct buffer text = BUFFER_INIT;
        struct config *config;

        buffer_printf(&text, POLICY "%s", forms[form].start);
        for (unsigned int i = 0; i < 10000; i++) {
            char line[64];

            snprintf(line, sizeof(line), form ? "d%u.example, " : "    - d%u.example\n", i);
            buffer_add_string(&text, line);
        }
        buffer_add_string(&text, forms[form].end);
        temporary_write("config.yaml", buffer_string(&text));
        config = assert_loaded("config.yaml", "");
        assert_numbered_domains(config, 10000);
        config_free(config);
    }
}

static void ten_thousand_domains_load_from_list_files(void **state)
{
    CLEANUP(buffer_deinit) struct buffer text = BUFFER_INIT;
    struct config *config;

    (void)state;
    for (unsigned int i = 0; i < 10000; i++)
        buffer_printf(&text, "# number %u\r\n\r\n\td%u.example  # mail\r\n", i, i);
    temporary_write("a.list", buffer_string(&text));
    temporary_write("config.yaml", POLICY "    domain_files: \"*.list\"\n");
    config = assert_loaded("config.yaml", "");
    assert_numbered_domains(config, 10000);
    config_free(config);
}

static void two_thousand_included_files_load(void **state)
{
    struct config *config;

    (void)state;
    assert_int_equal(mkdir("p", 0700), 0);
    for (unsigned int i = 0; i < 2000; i++) {
        char path[64], text[128];

        snprintf(path, sizeof(path), "p/%u.yaml", i);
        snprintf(text, sizeof(text),
                 "policies: [{domain: d%u.example, rua: \"mailto:a@b.example\"}]", i);
        temporary_write(path, text);
    }
    temporary_write("config.yaml", "include: p/*\n");
    config = assert_loaded("config.yaml", "");
    assert_int_equal(snapshot_n_policies(config->snapshot), 2000);
    config_free(config);
}

/* Says yes when it has been asked often enough. */
struct patience {
    size_t left, asked;
};

static bool is_over(void *context)
{
    struct patience *patience = context;

    patience->asked++;
    return patience->left == 0 || patience->left-- == 0;
}

/* Loads config.yaml as long as it is asked less often than that. */
static int load_patiently(struct patience *patience)
{
    CLEANUP(diagnostics_deinit) struct diagnostics diagnostics = DIAGNOSTICS_INIT;
    const struct config_request request = {.path = "config.yaml", .cancel = {is_over, patience}};
    struct config *config = NULL;
    int r = config_load(&request, &diagnostics, &config);

    assert_int_equal(r == 0, config != NULL);
    config_free(config);
    return r;
}

static void a_load_ends_wherever_it_is_cancelled(void **state)
{
    CLEANUP(buffer_deinit) struct buffer list = BUFFER_INIT, text = BUFFER_INIT;
    size_t n = 0;

    (void)state;
    for (unsigned int i = 0; i < 10000; i++)
        buffer_printf(&list, "# comment\nd%u.example\n", i);
    temporary_write("a.list", buffer_string(&list));
    temporary_write("a.inc", "policies: [{domain: b.example, rua: 'mailto:a@b.example'}]\n");
    buffer_add_string(&text, "include: '*.inc'\n" POLICY
                             "    domain_files: ['*.list', a.list]\n    domains:\n");
    for (unsigned int i = 0; i < 1000; i++)
        buffer_printf(&text, "    - e%u.example\n", i);
    temporary_write("config.yaml", buffer_string(&text));
    for (int r = -ECANCELED; r != 0; n++) {
        struct patience patience = {.left = n};

        r = load_patiently(&patience);
        if (r) {
            assert_int_equal(r, -ECANCELED);
            assert_int_equal(patience.asked, n + 1);
        }
    }
    assert_true(n > 40);
}

static void names_of_files_have_a_limit_and_so_have_globs(void **state)
{
    CLEANUP(buffer_deinit) struct buffer text = BUFFER_INIT, messages = BUFFER_INIT;
    struct config *config = NULL;

    (void)state;
    temporary_write("a.list", "a.example\n");
    buffer_add_string(&text, POLICY "    domain_files: [a.list");
    for (size_t i = 0; i < CONFIG_NAMES_MAX; i++)
        buffer_add_string(&text, ", none/*");
    buffer_add_string(&text, "]\n");
    temporary_write("config.yaml", buffer_string(&text));
    assert_int_equal(load("config.yaml", &config, &messages), REPORTED);
    assert_non_null(strstr(buffer_string(&messages), ": more than 65535 file names and globs\n"));
}

static void the_default_listener_is_enabled(void **state)
{
    struct config *config;

    (void)state;
    temporary_write("config.yaml", POLICY);
    config = assert_loaded("config.yaml", "");
    assert_true(config->settings.listeners[LISTENER_REMOTE].enabled);
    assert_int_equal(config->settings.listeners[LISTENER_REMOTE].address.socket.any.sa_family,
                     AF_INET);
    assert_int_equal(config->settings.listeners[LISTENER_REMOTE].address.length,
                     sizeof(struct sockaddr_in));
    config_free(config);
}

static void assert_restart(const struct settings *before, const struct settings *after,
                           const char *expected)
{
    CLEANUP(buffer_deinit) struct buffer out = BUFFER_INIT;

    config_name_restart(before, after, &out);
    assert_string_equal(buffer_string(&out), expected);
}

static void settings_that_need_a_restart_are_named(void **state)
{
    struct settings before = {
        .threads = 1,
        .listeners[LISTENER_REMOTE] = {.enabled = true, .address.text = "127.0.0.1:8053"},
        .http = {.path = "/dns"},
        .listeners[LISTENER_UNIX] = {.enabled = true,
                                     .unix_address = {.path = "/run/a.sock", .mode = 0660}},
    };
    struct settings after = before;

    (void)state;
    assert_restart(&before, &after, "");
    after.threads = 2;
    after.http.path = "/other";
    after.http.keepalive = true;
    after.listeners[LISTENER_REMOTE].address.text[0] = '2';
    assert_restart(&before, &after,
                   "listen.http.address, listen.http.path, listen.http.keepalive, threads");
    after = before;
    after.listeners[LISTENER_UNIX].unix_address = (struct unix_address){"/run/b.sock", 0600, 1};
    assert_restart(&before, &after, "listen.unix.path, listen.unix.mode, listen.unix.group");
}

static void listeners_that_came_or_went_are_named_alone(void **state)
{
    struct settings before = {
        .threads = 1,
        .listeners[LISTENER_REMOTE] = {.enabled = true, .address.text = "127.0.0.1:8053"},
        .http = {.path = "/dns"},
    };
    struct settings after = {
        .threads = 1,
        .listeners[LISTENER_UNIX] = {.enabled = true, .unix_address = {.path = "/run/a.sock"}}};

    (void)state;
    assert_restart(&before, &after, "listen.http, listen.unix");
    assert_restart(&after, &before, "listen.http, listen.unix");
    after.listeners[LISTENER_POLICY] = before.listeners[LISTENER_REMOTE];
    assert_restart(&before, &after, "listen.http, listen.unix, listen.policy");
    before = after;
    after.listeners[LISTENER_POLICY].address.text[0] = '2';
    assert_restart(&before, &after, "listen.policy.address");
}

static void freeing_nothing_is_allowed(void **state)
{
    (void)state;
    config_free(NULL);
}

#define TEST(FUNCTION) cmocka_unit_test_setup_teardown(FUNCTION, temporary_enter, temporary_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_missing_file_is_refused),
        TEST(what_is_no_regular_file_is_refused_without_blocking),
        TEST(an_unreadable_file_that_a_glob_names_is_refused),
        TEST(a_directory_that_cannot_be_searched_is_no_empty_one),
        TEST(members_stay_while_their_list_is_missing),
        TEST(a_glob_that_matched_at_the_last_load_must_match_again),
        TEST(a_file_over_its_limit_is_refused),
        TEST(files_are_named_by_the_directory_of_the_configuration),
        TEST(a_directory_with_glob_characters_stands_for_itself),
        TEST(file_names_that_do_not_print_are_escaped),
        TEST(file_names_in_messages_are_escaped),
        TEST(the_first_50_errors_are_listed_and_the_others_counted),
        TEST(what_is_no_text_far_into_a_file_is_refused_with_its_place),
        TEST(ten_thousand_domains_load_from_the_configuration),
        TEST(ten_thousand_domains_load_from_list_files),
        TEST(two_thousand_included_files_load),
        TEST(a_load_ends_wherever_it_is_cancelled),
        TEST(names_of_files_have_a_limit_and_so_have_globs),
        TEST(the_default_listener_is_enabled),
        cmocka_unit_test(settings_that_need_a_restart_are_named),
        cmocka_unit_test(listeners_that_came_or_went_are_named_alone),
        TEST(freeing_nothing_is_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
