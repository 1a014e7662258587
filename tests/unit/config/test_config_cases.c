/* Every folder below tests/data/config is a test: its config.yaml is loaded from inside it. In
 * valid/ the file `summary` says what comes of it and `expected`, if there, which warnings; in
 * invalid/ the file `expected` says all messages. */
#include "cmocka_all.h"
#include "config_summary.h"

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

/* Reads a file of the case; nothing where there is none. */
static void read_expected(const char *name, struct buffer *out)
{
    FILE *file = fopen(name, "r");

    if (file) {
        char *bytes;

        while ((bytes = buffer_reserve(out, 4096))) {
            size_t n = fread(bytes, 1, 4096, file);

            out->length += n;
            if (n == 0)
                break;
        }
        fclose(file);
    }
    assert_false(out->failed);
}

static void assert_as_expected(struct buffer *found, const char *name)
{
    CLEANUP(buffer_deinit) struct buffer expected = BUFFER_INIT;

    read_expected(name, &expected);
    if (strcmp(buffer_string(found), buffer_string(&expected)) != 0)
        print_error("found:\n%sexpected in the file %s:\n%s", found->data, name, expected.data);
    assert_string_equal(found->data, expected.data);
}

static const struct config_request request = {.path = "config.yaml"};

static void enter(const char *folder)
{
    assert_int_equal(chdir(TEST_DATA), 0);
    assert_int_equal(chdir("config"), 0);
    assert_int_equal(chdir(folder), 0);
}

static void loads_as_expected(void **state)
{
    CLEANUP(diagnostics_deinit) struct diagnostics diagnostics = DIAGNOSTICS_INIT;
    CLEANUP(buffer_deinit) struct buffer messages = BUFFER_INIT, summary = BUFFER_INIT;
    struct config *config = NULL;
    int r;

    enter(*state);
    r = config_load(&request, &diagnostics, &config);
    config_messages(&diagnostics, &messages);
    assert_as_expected(&messages, "expected");
    assert_int_equal(r, 0);
    config_summary(config, &summary);
    assert_as_expected(&summary, "summary");
    config_free(config);
}

static void is_refused_as_expected(void **state)
{
    CLEANUP(diagnostics_deinit) struct diagnostics diagnostics = DIAGNOSTICS_INIT;
    CLEANUP(buffer_deinit) struct buffer messages = BUFFER_INIT;
    struct config *config = NULL;
    int r;

    enter(*state);
    r = config_load(&request, &diagnostics, &config);
    config_messages(&diagnostics, &messages);
    assert_as_expected(&messages, "expected");
    assert_int_equal(r, REPORTED);
    assert_true(diagnostics.total[SEVERITY_ERROR] > 0);
    assert_null(config);
}

/* Makes a test of every folder below config/KIND. Returns how many there are now. */
static size_t add_cases(const char *kind, CMUnitTestFunction function, struct CMUnitTest *tests,
                        size_t n, size_t room)
{
    char path[4096];
    struct dirent **entries;
    int found;

    snprintf(path, sizeof(path), "%s/config/%s", TEST_DATA, kind);
    found = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < found; i++) {
        char *name = NULL;

        if (entries[i]->d_name[0] != '.' && n < room &&
            asprintf(&name, "%s/%s", kind, entries[i]->d_name) > 0)
            tests[n++] = (struct CMUnitTest){name, function, NULL, NULL, name};
        free(entries[i]);
    }
    if (found >= 0)
        free(entries);
    return n;
}

static void there_are_cases_of_both_kinds(void **state)
{
    const size_t *numbers = *state;

    assert_true(numbers[0] > 1);
    assert_true(numbers[1] > numbers[0]);
    assert_true(numbers[1] < numbers[2]);
}

int main(void)
{
    static struct CMUnitTest tests[1000];
    size_t numbers[3] = {0, 0, ARRAY_LENGTH(tests)};
    int failed;

    tests[0] = (struct CMUnitTest){"there are cases of both kinds", there_are_cases_of_both_kinds,
                                   NULL, NULL, numbers};
    numbers[0] = add_cases("valid", loads_as_expected, tests, 1, ARRAY_LENGTH(tests));
    numbers[1] =
        add_cases("invalid", is_refused_as_expected, tests, numbers[0], ARRAY_LENGTH(tests));
    failed = _cmocka_run_group_tests("config_cases", tests, numbers[1], NULL, NULL);
    for (size_t i = 1; i < numbers[1]; i++)
        free(tests[i].initial_state);
    return failed;
}
