/* The option table engine, by a table of the tests' own, and the shape of the real tables. */
#include "cmocka_all.h"
#include "config/options.h"
#include "config/schema.h"
#include "open_text.h"

#include <stdio.h>

struct inner {
    bool flag;
    uint32_t seconds;
};

struct outer {
    bool has_inner;
    struct inner inner;
    uint32_t number;
    int color;
    const char *path;
    struct listen_address address;
    bool either;
    const uint32_t *numbers;
    size_t n_numbers;
};

/* Refuses lists that begin with 7. */
static int check_numbers(const struct option_input *input, const void *items, size_t n)
{
    return n && *(const uint32_t *)items == 7 ? option_report(input, "a seven") : 0;
}

#define AT(MEMBER) .offset = offsetof(struct outer, MEMBER)

static const struct option inner_rows[] = {
    {"flag", &option_boolean, AT(inner.flag), .fallback = "yes", .restart = true},
    {"seconds", &option_duration, AT(inner.seconds), .min = 60, .max = 604800, .fallback = "1h"},
};

static const struct option_table inner_table = {inner_rows, ARRAY_LENGTH(inner_rows)};

static const struct option_choice colors[] = {{"red", 3}, {"green", 5}, {"blue", 7}, {NULL, 0}};
static const struct option_choice sides[] = {{"left", false}, {"right", true}, {NULL, 0}};

static const struct option outer_rows[] = {
    {"inner", &option_section, AT(has_inner), .section = &inner_table},
    {"number", &option_integer, AT(number), .min = 2, .max = 10, .required = true, .restart = true},
    {"color", &option_choice, AT(color), .choices = colors},
    {"path", &option_url_path, AT(path)},
    {"address", &option_address, AT(address), .port = 99},
    {"side", &option_boolean, AT(either), .choices = sides},
    {"numbers", &option_integer, AT(numbers), .n_offset = offsetof(struct outer, n_numbers),
     .max = 9, .max_items = 3, .list = true, .check = check_numbers},
};

static const struct option_table outer_table = {outer_rows, ARRAY_LENGTH(outer_rows)};

/* A reading of a mapping by the table above. */
struct reading {
    struct sources sources;
    struct arena arena;
    struct diagnostics diagnostics;
    struct load_context context;
    struct outer outer;
    struct option_keys keys;
};

static void reading_of_table(struct reading *reading, const char *text,
                             const struct option_table *table)
{
    CLEANUP(file_deinit) struct file file = FILE_INIT;
    struct node *root;
    uint16_t number;

    *reading = (struct reading){0};
    reading->context =
        (struct load_context){&reading->arena, &reading->sources, &reading->diagnostics, {0}};
    assert_int_equal(sources_add(&reading->sources, "f", &(struct source_origin){0}, &number), 0);
    open_text(text_from(text), &file);
    assert_int_equal(node_read(&reading->context, &file, number, &root), 0);
    assert_int_equal(options_set_defaults(&reading->context, table, &reading->outer), 0);
    assert_int_equal(options_read(&reading->context, table, root, &reading->outer, &reading->keys),
                     0);
}

static void reading_init(struct reading *reading, const char *text)
{
    reading_of_table(reading, text, &outer_table);
}

static void reading_deinit(struct reading *reading)
{
    sources_deinit(&reading->sources);
    arena_deinit(&reading->arena);
    diagnostics_deinit(&reading->diagnostics);
}

/* The error of a number is at this place, and says this. */
static void assert_diagnostic(const struct reading *reading, size_t number, const char *expected)
{
    const struct diagnostic *found = &reading->diagnostics.kept[SEVERITY_ERROR][number];
    char line[512];

    snprintf(line, sizeof(line), "%s%s", found->place, found->text);
    assert_string_equal(line, expected);
}

static void assert_error(const char *text, const char *expected)
{
    CLEANUP(reading_deinit) struct reading reading;

    reading_init(&reading, text);
    assert_int_equal(reading.diagnostics.total[SEVERITY_ERROR], expected != NULL);
    if (expected)
        assert_diagnostic(&reading, 0, expected);
}

static void absent_keys_keep_their_defaults(void **state)
{
    CLEANUP(reading_deinit) struct reading reading;

    (void)state;
    reading_init(&reading, "{number: 2}");
    assert_int_equal(reading.diagnostics.total[SEVERITY_ERROR], 0);
    assert_false(reading.outer.has_inner);
    assert_true(reading.outer.inner.flag);
    assert_int_equal(reading.outer.inner.seconds, 3600);
    assert_int_equal(reading.outer.number, 2);
    assert_int_equal(reading.outer.color, 0);
    assert_null(reading.outer.path);
    assert_int_equal(reading.keys.present, 1 << 1);
    assert_int_equal(reading.keys.invalid, 0);
}

static void values_become_typed(void **state)
{
    CLEANUP(reading_deinit) struct reading reading;

    (void)state;
    reading_init(&reading, "{inner: {flag: false, seconds: 2m}, number: 10, color: green,\n"
                           "path: /a//, address: 192.0.2.1, side: right, numbers: [3, 1, 2]}");
    assert_int_equal(reading.diagnostics.total[SEVERITY_ERROR], 0);
    assert_false(reading.outer.inner.flag);
    assert_int_equal(reading.outer.inner.seconds, 120);
    assert_int_equal(reading.outer.number, 10);
    assert_int_equal(reading.outer.color, 5);
    assert_string_equal(reading.outer.path, "/a");
    assert_string_equal(reading.outer.address.text, "192.0.2.1:99");
    assert_true(reading.outer.has_inner);
    assert_true(reading.outer.either);
    assert_int_equal(reading.outer.n_numbers, 3);
    assert_int_equal(reading.outer.numbers[0], 3);
    assert_int_equal(reading.outer.numbers[1], 1);
    assert_int_equal(reading.outer.numbers[2], 2);
    assert_int_equal(reading.keys.present, (1 << ARRAY_LENGTH(outer_rows)) - 1);
    assert_int_equal(reading.keys.invalid, 0);
}

static void wrong_values_are_reported_and_leave_what_was_there(void **state)
{
    CLEANUP(reading_deinit) struct reading reading;

    (void)state;
    reading_init(&reading,
                 "{inner: {seconds: 59, flag: no}, number: 11, color: pink, numbers: [1, 2, 1]}");
    assert_int_equal(reading.diagnostics.total[SEVERITY_ERROR], 4);
    assert_diagnostic(&reading, 0,
                      "f:1:19: found \"59\", expected 60 to 604800 seconds, or a number with s, "
                      "m, h, d or w");
    assert_diagnostic(&reading, 1, "f:1:42: found \"11\", expected a whole number from 2 to 10");
    assert_diagnostic(&reading, 2, "f:1:53: found \"pink\", expected red, green or blue");
    assert_diagnostic(&reading, 3, "f:1:75: \"1\" is listed already under numbers");
    assert_int_equal(reading.outer.inner.seconds, 3600);
    assert_false(reading.outer.inner.flag);
    assert_int_equal(reading.outer.number, 0);
    assert_int_equal(reading.outer.n_numbers, 0);
    assert_int_equal(reading.keys.invalid, 1 << 0 | 1 << 1 | 1 << 2 | 1 << 6);
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

static size_t comparisons;

static int compare_and_count(const void *a, const void *b)
{
    comparisons++;
    return memcmp(a, b, sizeof(uint32_t));
}

static void a_long_list_takes_few_comparisons_for_each_value(void **state)
{
    enum { N = 10000 };
    CLEANUP(buffer_deinit) struct buffer text = BUFFER_INIT;
    CLEANUP(reading_deinit) struct reading reading;
    struct option_type type = option_integer;
    const struct option row = {"numbers",   &type,
                               AT(numbers), .n_offset = offsetof(struct outer, n_numbers),
                               .max = N,    .list = true};

    (void)state;
    type.compare = compare_and_count;
    for (unsigned int i = 0; i < N; i++)
        buffer_printf(&text, "%s%u", i ? ", " : "numbers: [", i);
    buffer_add_string(&text, "]");
    reading_of_table(&reading, buffer_string(&text), &(struct option_table){&row, 1});
    assert_int_equal(reading.diagnostics.total[SEVERITY_ERROR], 0);
    assert_int_equal(reading.outer.n_numbers, N);
    assert_true(comparisons < N * 100);
}

static void required_keys_must_be_there(void **state)
{
    (void)state;
    assert_error("{color: red}", "f:1:1: missing key number");
    /* A wrong value is no missing one. */
    assert_error("{number: x}", "f:1:10: found \"x\", expected a whole number from 2 to 10");
}

static void unknown_keys_are_answered_with_the_known_ones(void **state)
{
    (void)state;
    assert_error("{number: 2, zzz: 1}", "f:1:13: unknown key \"zzz\", expected inner, "
                                        "number, color, path, address, side or numbers");
    assert_error("{number: 2, colour: red}",
                 "f:1:13: unknown key \"colour\", expected inner, number, color, path, "
                 "address, side or numbers (is color meant?)");
    assert_error("{number: 2, inner: {flog: yes}}",
                 "f:1:21: unknown key \"flog\", expected flag or seconds (is flag meant?)");
    assert_error("{number: 2, adres: x}",
                 "f:1:13: unknown key \"adres\", expected inner, number, color, path, "
                 "address, side or numbers (is address meant?)");
    /* Short keys are not near everything. */
    assert_error("{number: 2, x: 1}", "f:1:13: unknown key \"x\", expected inner, number, "
                                      "color, path, address, side or numbers");
}

static void keys_that_differ_and_need_a_restart_are_named(void **state)
{
    CLEANUP(buffer_deinit) struct buffer names = BUFFER_INIT;
    const struct outer before = {.number = 2, .color = 3, .inner = {true, 60}};
    const struct outer after = {.number = 3, .color = 5, .inner = {false, 61}, .has_inner = true};

    (void)state;
    options_name_restart(&outer_table, &before, &before, &names);
    assert_int_equal(names.length, 0);
    options_name_restart(&outer_table, &before, &after, &names);
    assert_string_equal(buffer_string(&names), "inner.flag, number");
}

static void what_a_row_expects_is_said_with_its_range(void **state)
{
    static const char *const expected[] = {
        "a mapping",
        "a whole number from 2 to 10",
        "red, green or blue",
        "a path of at most 255 letters, digits and - . _ ~ / that begins with /",
        "an IP address and port such as 127.0.0.1:99 or [::1]:99",
        "left or right",
        "a whole number from 0 to 9, or a list of these",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(expected); i++) {
        CLEANUP(buffer_deinit) struct buffer text = BUFFER_INIT;

        option_describe(&outer_rows[i], &text);
        assert_string_equal(buffer_string(&text), expected[i]);
    }
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
    assert_int_equal(policy.spec.max_age, 604800);
    assert_int_equal(policy.spec.ttl, 3600);
    assert_null(policy.spec.fixed_id);
    assert_int_equal(policy.spec.mode, POLICY_MODE_ABSENT);
    assert_int_equal(policy.records, DOMAIN_CNAME);
    assert_false(policy.spec.zones);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absent_keys_keep_their_defaults),
        cmocka_unit_test(values_become_typed),
        cmocka_unit_test(wrong_values_are_reported_and_leave_what_was_there),
        cmocka_unit_test(lists_may_be_one_value_and_have_their_limits),
        cmocka_unit_test(a_long_list_takes_few_comparisons_for_each_value),
        cmocka_unit_test(required_keys_must_be_there),
        cmocka_unit_test(unknown_keys_are_answered_with_the_known_ones),
        cmocka_unit_test(keys_that_differ_and_need_a_restart_are_named),
        cmocka_unit_test(what_a_row_expects_is_said_with_its_range),
        cmocka_unit_test(every_default_of_the_configuration_is_valid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
