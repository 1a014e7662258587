/* The option table engine, by a table of the tests' own, and the shape of the real tables. */
#include "cmocka_all.h"
#include "config/options.h"
#include "config/schema.h"

struct inner {
    bool flag;
    uint32_t seconds;
};

struct outer {
    struct inner inner;
    uint32_t number;
    int color;
    const char *path;
    struct listen_address address;
    struct option_list numbers;
};

static bool equal_numbers(const void *a, const void *b)
{
    return *(const uint32_t *)a == *(const uint32_t *)b;
}

static struct option_type type_number; /* as option_integer, but without repetition in lists */

/* Refuses lists that begin with 7. */
static int check_numbers(const struct option_context *context, const struct option *option,
                         const struct node *node, const void *value)
{
    const struct option_list *list = value;

    if (list->n == 0 || *(const uint32_t *)list->items != 7)
        return 0;
    option_report(context, option, node, "a seven");
    return REPORTED;
}

static const struct option inner_rows[] = {
    {"flag", &option_boolean, .offset = offsetof(struct inner, flag), .fallback = "yes"},
    {"seconds", &option_duration, .offset = offsetof(struct inner, seconds), .min = 60,
     .max = 604800, .fallback = "1h"},
};

static const struct option_table inner_table = {inner_rows, ARRAY_LENGTH(inner_rows)};

static const struct option_choice colors[] = {{"red", 3}, {"green", 5}, {"blue", 7}, {NULL, 0}};

static const struct option outer_rows[] = {
    {"inner", &option_section, .offset = offsetof(struct outer, inner), .section = &inner_table},
    {"number", &option_integer, .offset = offsetof(struct outer, number), .min = 2, .max = 10,
     .required = true},
    {"color", &option_choice, .offset = offsetof(struct outer, color), .choices = colors},
    {"path", &option_url_path, .offset = offsetof(struct outer, path)},
    {"address", &option_address, .offset = offsetof(struct outer, address), .port = 99},
    {"numbers", &type_number, .offset = offsetof(struct outer, numbers), .max = 9, .max_items = 3,
     .list = true, .check = check_numbers},
};

static const struct option_table outer_table = {outer_rows, ARRAY_LENGTH(outer_rows)};

/* A reading of a mapping by the table above. */
struct reading {
    struct sources sources;
    struct arena arena;
    struct diagnostics diagnostics;
    struct option_context context;
    struct outer outer;
    struct option_marks marks;
};

static void reading_init(struct reading *reading, const char *text)
{
    struct node *root;
    uint16_t number;

    *reading = (struct reading){0};
    reading->context =
        (struct option_context){&reading->arena, &reading->sources, &reading->diagnostics};
    assert_int_equal(sources_add(&reading->sources, "f", &number), 0);
    assert_int_equal(node_parse(text_from(text), number, &reading->sources, &reading->arena,
                                &reading->diagnostics, &root),
                     0);
    assert_int_equal(options_set_defaults(&reading->context, &outer_table, &reading->outer), 0);
    assert_int_equal(
        options_read(&reading->context, &outer_table, root, &reading->outer, &reading->marks), 0);
}

static void reading_deinit(struct reading *reading)
{
    sources_deinit(&reading->sources);
    arena_deinit(&reading->arena);
    diagnostics_deinit(&reading->diagnostics);
}

static void assert_error(const char *text, const char *expected)
{
    CLEANUP(reading_deinit) struct reading reading;

    reading_init(&reading, text);
    assert_int_equal(reading.diagnostics.total[SEVERITY_ERROR], expected != NULL);
    if (expected)
        assert_string_equal(reading.diagnostics.lines[SEVERITY_ERROR][0], expected);
}

static void absent_keys_keep_their_defaults(void **state)
{
    CLEANUP(reading_deinit) struct reading reading;

    (void)state;
    reading_init(&reading, "{number: 2}");
    assert_int_equal(reading.diagnostics.total[SEVERITY_ERROR], 0);
    assert_true(reading.outer.inner.flag);
    assert_int_equal(reading.outer.inner.seconds, 3600);
    assert_int_equal(reading.outer.number, 2);
    assert_int_equal(reading.outer.color, 0);
    assert_null(reading.outer.path);
    assert_int_equal(reading.marks.present, 1 << 1);
    assert_int_equal(reading.marks.invalid, 0);
}

static void values_become_typed(void **state)
{
    CLEANUP(reading_deinit) struct reading reading;
    const uint32_t *numbers;

    (void)state;
    reading_init(&reading, "{inner: {flag: false, seconds: 2m}, number: 10, color: green,\n"
                           "path: /a//, address: 192.0.2.1, numbers: [3, 1, 2]}");
    assert_int_equal(reading.diagnostics.total[SEVERITY_ERROR], 0);
    assert_false(reading.outer.inner.flag);
    assert_int_equal(reading.outer.inner.seconds, 120);
    assert_int_equal(reading.outer.number, 10);
    assert_int_equal(reading.outer.color, 5);
    assert_string_equal(reading.outer.path, "/a");
    assert_string_equal(reading.outer.address.text, "192.0.2.1:99");
    assert_int_equal(reading.outer.numbers.n, 3);
    numbers = reading.outer.numbers.items;
    assert_int_equal(numbers[0], 3);
    assert_int_equal(numbers[1], 1);
    assert_int_equal(numbers[2], 2);
    assert_int_equal(reading.marks.present, (1 << ARRAY_LENGTH(outer_rows)) - 1);
    assert_int_equal(reading.marks.invalid, 0);
}

static void wrong_values_are_reported_and_leave_what_was_there(void **state)
{
    CLEANUP(reading_deinit) struct reading reading;

    (void)state;
    reading_init(&reading,
                 "{inner: {seconds: 59, flag: no}, number: 11, color: pink, numbers: [1, 2, 1]}");
    assert_int_equal(reading.diagnostics.total[SEVERITY_ERROR], 4);
    assert_string_equal(reading.diagnostics.lines[SEVERITY_ERROR][0],
                        "f:1:19: found \"59\", expected 60 to 604800 seconds, or a number with s, "
                        "m, h, d or w");
    assert_string_equal(reading.diagnostics.lines[SEVERITY_ERROR][1],
                        "f:1:42: found \"11\", expected a whole number from 2 to 10");
    assert_string_equal(reading.diagnostics.lines[SEVERITY_ERROR][2],
                        "f:1:53: found \"pink\", expected red, green or blue");
    assert_string_equal(reading.diagnostics.lines[SEVERITY_ERROR][3],
                        "f:1:75: found \"1\" again, expected each numbers once");
    assert_int_equal(reading.outer.inner.seconds, 3600);
    assert_false(reading.outer.inner.flag);
    assert_int_equal(reading.outer.number, 0);
    assert_int_equal(reading.outer.numbers.n, 0);
    assert_int_equal(reading.marks.invalid, 1 << 0 | 1 << 1 | 1 << 2 | 1 << 5);
}

static void lists_may_be_one_value_and_have_their_limits(void **state)
{
    (void)state;
    assert_error("{number: 2, numbers: 4}", NULL);
    assert_error("{number: 2, numbers: []}", NULL);
    assert_error("{number: 2, numbers: [1, 2, 3, 4]}",
                 "f:1:22: found 4 values of numbers, expected at most 3");
    assert_error("{number: 2, numbers: [1, []]}",
                 "f:1:26: found a list, expected a whole number from 0 to 9, or a list of these");
    assert_error("{number: 2, numbers: [7]}",
                 "f:1:22: found a seven, expected a whole number from 0 to 9, or a list of these");
}

static void required_keys_must_be_there(void **state)
{
    (void)state;
    assert_error("{color: red}", "f:1:1: found a mapping without the key number, expected it");
    /* A wrong value is no missing one. */
    assert_error("{number: x}", "f:1:10: found \"x\", expected a whole number from 2 to 10");
}

static void unknown_keys_are_answered_with_the_known_ones(void **state)
{
    (void)state;
    assert_error("{number: 2, zzz: 1}", "f:1:13: found unknown key \"zzz\", expected inner, "
                                        "number, color, path, address or numbers");
    assert_error("{number: 2, colour: red}",
                 "f:1:13: found unknown key \"colour\", expected inner, number, color, path, "
                 "address or numbers (is color meant?)");
    assert_error("{number: 2, inner: {flog: yes}}",
                 "f:1:21: found unknown key \"flog\", expected flag or seconds (is flag meant?)");
    assert_error("{number: 2, adres: x}",
                 "f:1:13: found unknown key \"adres\", expected inner, number, color, path, "
                 "address or numbers (is address meant?)");
    /* Short keys are not near everything. */
    assert_error("{number: 2, x: 1}", "f:1:13: found unknown key \"x\", expected inner, number, "
                                      "color, path, address or numbers");
}

struct description {
    struct buffer text;
    size_t without_help;
};

static void describe(const struct option_description *row, void *context)
{
    struct description *description = context;

    description->without_help += !row->option->help || !*row->option->help;
    buffer_printf(&description->text, "%s: %s%s%s%s\n", row->key, row->type,
                  row->option->fallback ? " = " : "",
                  row->option->fallback ? row->option->fallback : "",
                  row->option->required ? " (required)" : "");
}

static void the_keys_of_the_configuration_are_these(void **state)
{
    struct description description = {.text = BUFFER_INIT};

    (void)state;
    assert_int_equal(options_describe(&main_table, describe, &description), 0);
    buffer_add(&description.text, "", 1);
    assert_string_equal(
        description.text.data,
        "listen: a mapping\n"
        "listen.http: a mapping\n"
        "listen.http.address: an IP address and port such as 127.0.0.1:8053 or [::1]:8053 = "
        "127.0.0.1:8053\n"
        "listen.http.path: a path of at most 255 letters, digits and - . _ ~ / that begins with / "
        "= /dns\n"
        "listen.http.keepalive: yes or no = no\n"
        "listen.unix: a mapping\n"
        "listen.unix.path: an absolute path of at most 107 bytes = /run/pdns-mta-sts/pdns.sock\n"
        "listen.unix.mode: permissions as three octal digits, such as \"0660\" = 0660\n"
        "listen.unix.group: the name of a group of this system\n"
        "listen.policy: a mapping\n"
        "listen.policy.address: an IP address and port such as 127.0.0.1:8080 or [::1]:8080 = "
        "127.0.0.1:8080\n"
        "listen.admin: a mapping\n"
        "listen.admin.address: an IP address and port such as 127.0.0.1:8054 or [::1]:8054 = "
        "127.0.0.1:8054\n"
        "threads: a whole number from 1 to 64 = 1\n"
        "defaults: a mapping\n"
        "include: a file name or glob, or a list of these\n"
        "policies: a list\n"
        "policies.domain: a domain name (required)\n"
        "policies.domains: a domain name, or a list of these\n"
        "policies.domain_files: a file name or glob, or a list of these\n"
        "policies.mode: enforce, testing or none\n"
        "policies.mx: a host name, or *. and a host name, or a list of these\n"
        "policies.max_age: 0 to 31557600 seconds, or a number with s, m, h, d or w = 1w\n"
        "policies.id: auto, or 1 to 32 letters and digits = auto\n"
        "policies.announce_delay: 0 to 604800 seconds, or a number with s, m, h, d or w = 0\n"
        "policies.certificates: an absolute path of at most 255 bytes with %d for the domain (%% "
        "is %)\n"
        "policies.rua: a mailto: or https: URI, or a list of these\n"
        "policies.policy_host: an IP address or one host name, or a list of these\n"
        "policies.ttl: 0 to 2147483647 seconds, or a number with s, m, h, d or w = 1h\n"
        "policies.records: cname or direct = cname\n"
        "policies.authority: overlay or zones = overlay\n"
        "zones: a mapping\n"
        "zones.nameservers: a host name, or a list of these (required)\n"
        "zones.hostmaster: a host name (required)\n"
        "zones.catalog: a host name\n");
    assert_int_equal(description.without_help, 0);
    buffer_deinit(&description.text);
}

static void every_default_of_the_configuration_is_valid(void **state)
{
    CLEANUP(reading_deinit) struct reading reading;
    struct file_settings file = {0};
    struct policy_settings policy = {0};

    (void)state;
    reading_init(&reading, "{number: 2}");
    assert_int_equal(options_set_defaults(&reading.context, &main_table, &file), 0);
    assert_int_equal(options_set_defaults(&reading.context, &policy_table, &policy), 0);
    assert_int_equal(reading.diagnostics.total[SEVERITY_ERROR], 0);
    assert_int_equal(file.settings.threads, 1);
    assert_string_equal(file.settings.http.path, "/dns");
    assert_string_equal(file.settings.listeners[LISTENER_REMOTE].address.text, "127.0.0.1:8053");
    assert_false(file.settings.http.keepalive);
    assert_int_equal(policy.max_age, 604800);
    assert_int_equal(policy.ttl, 3600);
    assert_null(policy.id);
    assert_int_equal(policy.mode, POLICY_MODE_ABSENT);
    assert_int_equal(policy.records, DOMAIN_CNAME);
    assert_int_equal(policy.authority, AUTHORITY_OVERLAY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absent_keys_keep_their_defaults),
        cmocka_unit_test(values_become_typed),
        cmocka_unit_test(wrong_values_are_reported_and_leave_what_was_there),
        cmocka_unit_test(lists_may_be_one_value_and_have_their_limits),
        cmocka_unit_test(required_keys_must_be_there),
        cmocka_unit_test(unknown_keys_are_answered_with_the_known_ones),
        cmocka_unit_test(the_keys_of_the_configuration_are_these),
        cmocka_unit_test(every_default_of_the_configuration_is_valid),
    };

    type_number = option_integer;
    type_number.equals = equal_numbers;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
