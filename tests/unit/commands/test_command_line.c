/* Reading the arguments after a table. What is printed is checked with the program itself. */
#include "cmocka_all.h"
#include "commands/command_line.h"
#include "config/config.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static const struct command_choice colours[] = {
    {"red", "like fire"}, {"blue", "like water"}, {NULL, NULL}};

static struct command_arguments seen;
static int runs;

static int note(const struct command_arguments *arguments)
{
    seen = *arguments;
    runs++;
    return EXIT_REFUSED;
}

static const struct command commands[] = {
    {.name = "plain", .does = "nothing", .about = "", .run = note},
    {
        .name = "rich",
        .does = "nothing",
        .about = "",
        .operands = {{"COLOUR", "a colour", .choices = colours},
                     {"WORD", "words", .optional = true, .repeated = true}},
        .options = {{"first", 0, "ONE", "one", NULL}, {"second", 's', "COLOUR", "two", colours}},
        .run = note,
    },
};

/* Runs a command line, of words with a space between, without output. Returns the exit code. */
static int run(const char *words)
{
    static char text[256], *argv[16];
    int argc = 0, silent = open("/dev/null", O_WRONLY), out = dup(1), err = dup(2), r;

    snprintf(text, sizeof(text), "program %s", words);
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    argv[argc] = NULL;
    fflush(stdout);
    dup2(silent, 1);
    dup2(silent, 2);
    runs = 0;
    r = command_line_run(commands, ARRAY_LENGTH(commands), argc, argv);
    dup2(out, 1);
    dup2(err, 2);
    close(silent);
    close(out);
    close(err);
    return r;
}

static void a_command_gets_its_arguments(void **state)
{
    (void)state;
    assert_int_equal(run("plain"), EXIT_REFUSED);
    assert_string_equal(seen.config_path, CONFIG_DEFAULT_PATH);
    assert_int_equal(seen.n_operands, 0);
    assert_int_equal(run("rich red a b -c file --first=1 -s blue"), EXIT_REFUSED);
    assert_string_equal(seen.config_path, "file");
    assert_string_equal(seen.options[0], "1");
    assert_string_equal(seen.options[1], "blue");
    assert_int_equal(seen.n_operands, 3);
    assert_string_equal(seen.operands[0], "red");
    assert_string_equal(seen.operands[2], "b");
}

static void options_stand_before_and_behind_the_command(void **state)
{
    (void)state;
    assert_int_equal(run("-c one plain"), EXIT_REFUSED);
    assert_string_equal(seen.config_path, "one");
    assert_int_equal(run("--config one plain --config two"), EXIT_REFUSED);
    assert_string_equal(seen.config_path, "two");
    assert_int_equal(run("rich -- red --first"), EXIT_REFUSED);
    assert_string_equal(seen.operands[1], "--first");
    assert_null(seen.options[0]);
}

static void help_and_version_run_no_command(void **state)
{
    static const char *const lines[] = {"-h", "--help rich", "rich --help", "rich --help x",
                                        "-V", "plain -V",    "-h obey",     "--version -h"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(lines); i++) {
        int expected = strcmp(lines[i], "-h obey") == 0 ? EXIT_USAGE : EXIT_DONE;

        assert_int_equal(run(lines[i]), expected);
        assert_int_equal(runs, 0);
    }
}

static void wrong_usage_runs_no_command(void **state)
{
    static const char *const lines[] = {
        "",         "obey",   "plain x",           "plain --first 1", "--first 1 rich red",
        "rich",     "rich x", "rich red -s",       "rich red -s x",   "rich red -x",
        "plain -c", "-c",     "rich red --help=x",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(lines); i++) {
        assert_int_equal(run(lines[i]), EXIT_USAGE);
        assert_int_equal(runs, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_gets_its_arguments),
        cmocka_unit_test(options_stand_before_and_behind_the_command),
        cmocka_unit_test(help_and_version_run_no_command),
        cmocka_unit_test(wrong_usage_runs_no_command),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
