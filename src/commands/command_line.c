#include "commands/command_line.h"

#include "admin/version.h"
#include "base/buffer.h"
#include "base/quote.h"
#include "commands/external.h"
#include "config/config.h"

#include <getopt.h>
#include <stdio.h>

/* The options that every command has. They may stand before its name, too. */
enum { COMMON_CONFIG, COMMON_HELP, COMMON_VERSION, COMMON_COUNT };

static const struct command_option common_options[COMMON_COUNT] = {
    [COMMON_CONFIG] = {"config", 'c', "FILE",
                       "the configuration (default: " CONFIG_DEFAULT_PATH ")", NULL},
    [COMMON_HELP] = {"help", 'h', NULL, "show this help", NULL},
    [COMMON_VERSION] = {"version", 'V', NULL, "show the version", NULL},
};

enum {
    OPTIONS_MAX = COMMAND_OPTIONS_MAX + COMMON_COUNT,
    OPTION_NUMBER = 256, /* what getopt returns for a long option: its number, from this one on */
};

struct command_line {
    const struct command *commands;
    size_t n_commands;
    const struct command *command;
    struct command_arguments arguments;
    bool help;
    bool version;
};

/* What the command is before it has been found. */
static const struct command no_command = {0};

static size_t count_own_options(const struct command *command)
{
    size_t n = 0;

    while (command->options[n].name)
        n++;
    return n;
}

/* The options that a command understands: its own, and then the common ones. NULL past the last. */
static const struct command_option *option_at(const struct command *command, size_t number)
{
    size_t own = count_own_options(command);

    if (number < own)
        return &command->options[number];
    return number - own < COMMON_COUNT ? &common_options[number - own] : NULL;
}

static void print_choices(const struct command_choice *choices)
{
    for (; choices && choices->name; choices++)
        printf("                           %-11s %s\n", choices->name, choices->does);
}

static void print_options(const struct command *command)
{
    const struct command_option *option;

    fputs("\nOptions:\n", stdout);
    for (size_t i = 0; (option = option_at(command, i)) != NULL; i++) {
        char letter[] = "-?, ", words[32];

        letter[1] = option->letter;
        snprintf(words, sizeof(words), option->value ? "--%s %s" : "--%s", option->name,
                 option->value);
        printf("  %-4s%-19s  %s\n", option->letter ? letter : "", words, option->does);
        print_choices(option->choices);
    }
}

static void print_help(const struct command_line *line)
{
    fputs("Usage: pdns-mta-sts COMMAND [-c FILE] [ARGUMENT...]\n"
          "\n"
          "Answers PowerDNS's remote backend with the DNS records of MTA-STS and TLSRPT\n"
          "for every domain in its configuration.\n"
          "\n"
          "Commands:\n",
          stdout);
    for (size_t i = 0; i < line->n_commands; i++)
        printf("  %-8s %s\n", line->commands[i].name, line->commands[i].does);
    print_options(&no_command);
    fputs("\n'pdns-mta-sts COMMAND --help' tells more of a command.\n", stdout);
}

static void print_usage(const struct command *command)
{
    printf("Usage: pdns-mta-sts %s [-c FILE]", command->name);
    for (const struct command_option *option = command->options; option->name; option++)
        printf(option->value ? " [--%s %s]" : " [--%s]", option->name, option->value);
    for (const struct command_operand *operand = command->operands; operand->name; operand++)
        printf(operand->optional ? " [%s%s]" : " %s%s", operand->name,
               operand->repeated ? "..." : "");
    fputs("\n", stdout);
}

static void print_command_help(const struct command *command)
{
    print_usage(command);
    printf("\n%s", command->about);
    if (command->operands->name)
        fputs("\nOperands:\n", stdout);
    for (const struct command_operand *operand = command->operands; operand->name; operand++) {
        printf("  %-23s  %s\n", operand->name, operand->does);
        print_choices(operand->choices);
    }
    print_options(command);
}

/* Adds one of several words: "a", "a or b", "a, b or c". */
static void add_alternative(struct buffer *out, const char *dashes, const char *word, bool last)
{
    if (out->length)
        buffer_add_string(out, last ? " or " : ", ");
    buffer_printf(out, "%s%s", dashes, word);
}

static void report_option(const struct command *command, const char *word)
{
    CLEANUP(buffer_deinit) struct buffer known = BUFFER_INIT;
    char letter[] = {'-', (char)optopt, '\0'};
    const struct command_option *option;

    for (size_t i = 0; (option = option_at(command, i)) != NULL; i++)
        add_alternative(&known, "--", option->name, !option_at(command, i + 1));
    fprintf(stderr, "pdns-mta-sts: unknown option %s, expected %.*s\n",
            quote_text(text_from(strncmp(word, "--", 2) == 0 ? word : letter)).text,
            (int)known.length, known.data);
}

/* The options of a command in getopt's terms. */
struct getopt_tables {
    char letters[2 + 2 * OPTIONS_MAX + 1];
    struct option rows[OPTIONS_MAX + 1];
};

/* Without a command the first word that is no option ends the reading: it is the command. */
static struct getopt_tables getopt_tables(const struct command *command)
{
    struct getopt_tables tables = {0};
    const struct command_option *option;
    char *letter = tables.letters;

    if (!command->name)
        *letter++ = '+';
    *letter++ = ':';
    for (size_t i = 0; (option = option_at(command, i)) != NULL; i++) {
        tables.rows[i] =
            (struct option){option->name, option->value ? required_argument : no_argument, NULL,
                            OPTION_NUMBER + (int)i};
        if (!option->letter)
            continue;
        *letter++ = option->letter;
        if (option->value)
            *letter++ = ':';
    }
    return tables;
}

/* Takes an option that getopt has found, by its letter or its number. */
static void take_option(struct command_line *line, int found)
{
    size_t own = count_own_options(line->command), i = 0;

    if (found >= OPTION_NUMBER)
        i = (size_t)(found - OPTION_NUMBER);
    else
        while (option_at(line->command, i)->letter != found)
            i++;
    if (i < own)
        line->arguments.options[i] = optarg ? optarg : line->command->options[i].name;
    else if (i - own == COMMON_CONFIG)
        line->arguments.config_path = optarg;
    else if (i - own == COMMON_HELP)
        line->help = true;
    else
        line->version = true;
}

/* Reads options: those before the command, or once it is known those after it. Returns whether all
 * is understood; if not, stderr says why. */
static bool read_options(struct command_line *line, int argc, char *argv[])
{
    struct getopt_tables tables = getopt_tables(line->command);
    int found;

    opterr = 0;
    optind = 0;
    while ((found = getopt_long(argc, argv, tables.letters, tables.rows, NULL)) != -1) {
        if (found == '?') {
            report_option(line->command, argv[optind - 1]);
            return false;
        }
        if (found == ':') {
            fprintf(stderr, "pdns-mta-sts: option %s needs a value\n",
                    quote_text(text_from(argv[optind - 1])).text);
            return false;
        }
        take_option(line, found);
    }
    return true;
}

static bool find_command(struct command_line *line, const char *name)
{
    CLEANUP(buffer_deinit) struct buffer known = BUFFER_INIT;

    for (size_t i = 0; i < line->n_commands; i++) {
        if (name && strcmp(line->commands[i].name, name) == 0) {
            line->command = &line->commands[i];
            return true;
        }
        add_alternative(&known, "", line->commands[i].name, i + 1 == line->n_commands);
    }
    fprintf(stderr, "pdns-mta-sts: %s command%s%s, expected %.*s\n", name ? "unknown" : "missing",
            name ? " " : "", name ? quote_text(text_from(name)).text : "", (int)known.length,
            known.data);
    return false;
}

/* Whether a value is one of the choices, if there are any; if not, stderr says which there are. */
static bool check_choice(const struct command_choice *choices, const char *value)
{
    CLEANUP(buffer_deinit) struct buffer expected = BUFFER_INIT;

    if (!choices || !value)
        return true;
    for (; choices->name; choices++) {
        if (strcmp(choices->name, value) == 0)
            return true;
        add_alternative(&expected, "", choices->name, !choices[1].name);
    }
    fprintf(stderr, "pdns-mta-sts: found %s, expected %.*s\n", quote_text(text_from(value)).text,
            (int)expected.length, expected.data);
    return false;
}

size_t command_choose(const struct command_choice *choices, const char *word)
{
    size_t i = 0;

    while (strcmp(choices[i].name, word) != 0)
        i++;
    return i;
}

static bool check_operands(const struct command_line *line)
{
    const struct command_arguments *arguments = &line->arguments;
    const struct command_operand *rows = line->command->operands;
    size_t n = 0;

    for (; rows[n].name; n++) {
        if (n < arguments->n_operands) {
            if (!check_choice(rows[n].choices, arguments->operands[n]))
                return false;
        } else if (!rows[n].optional) {
            fprintf(stderr, "pdns-mta-sts: missing argument %s\n", rows[n].name);
            return false;
        }
    }
    if (arguments->n_operands > n && !(n && rows[n - 1].repeated)) {
        fprintf(stderr, "pdns-mta-sts: unexpected argument %s\n",
                quote_text(text_from(arguments->operands[n])).text);
        return false;
    }
    return true;
}

static bool check_arguments(const struct command_line *line)
{
    for (size_t i = 0; line->command->options[i].name; i++)
        if (!check_choice(line->command->options[i].choices, line->arguments.options[i]))
            return false;
    return check_operands(line);
}

/* Reads the whole command line. Returns whether it is understood; if not, stderr says why. */
static bool read_line(struct command_line *line, int argc, char *argv[])
{
    int skipped;

    if (!read_options(line, argc, argv))
        return false;
    if (optind == argc && (line->help || line->version))
        return true;
    if (!find_command(line, argv[optind]))
        return false;
    skipped = optind;
    if (line->command->program) {
        line->arguments.operands = argv + skipped;
        line->arguments.n_operands = (size_t)(argc - skipped);
        return true;
    }
    if (!read_options(line, argc - skipped, argv + skipped))
        return false;
    line->arguments.operands = argv + skipped + optind;
    line->arguments.n_operands = (size_t)(argc - skipped - optind);
    return line->help || line->version || check_arguments(line);
}

static int run_line(const struct command_line *line)
{
    if (line->command->program && !line->version)
        return external_run(line->command->program, &line->arguments, line->help);
    if (line->version)
        puts("pdns-mta-sts " PDNS_MTA_STS_VERSION);
    else if (line->help && line->command->name)
        print_command_help(line->command);
    else if (line->help)
        print_help(line);
    else
        return line->command->run(&line->arguments);
    return EXIT_DONE;
}

int command_line_run(const struct command *commands, size_t n_commands, int argc, char *argv[])
{
    struct command_line line = {
        .commands = commands,
        .n_commands = n_commands,
        .command = &no_command,
        .arguments.config_path = CONFIG_DEFAULT_PATH,
    };
    int r = EXIT_USAGE;

    if (read_line(&line, argc, argv))
        r = run_line(&line);
    if (r == EXIT_USAGE)
        fputs("Try 'pdns-mta-sts --help'.\n", stderr);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fputs("pdns-mta-sts: the output could not be written\n", stderr);
        r = EXIT_REFUSED;
    }
    return r;
}
