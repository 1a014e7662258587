#include "commands/command_line.h"
#include "base/quote.h"

#include "base/buffer.h"
#include "config/config.h"
#include "service/version.h"

#include <getopt.h>
#include <stdio.h>

/* The options that every command has, as getopt knows them. */
#define COMMON_LETTERS "c:hV"
#define COMMON_OPTIONS                                                                             \
    {"config", required_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'},                    \
    {                                                                                              \
        "version", no_argument, NULL, 'V'                                                          \
    }

enum {
    COMMON_COUNT = 3,
    OWN_OPTION = 256, /* what getopt returns for a command's first own option, beyond any letter */
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

static size_t count_options(const struct command *command)
{
    size_t n = 0;

    while (n < COMMAND_OPTIONS_MAX && command->options[n].name)
        n++;
    return n;
}

static size_t count_operands(const struct command *command)
{
    size_t n = 0;

    while (n < COMMAND_OPERANDS_MAX && command->operands[n].name)
        n++;
    return n;
}

static void print_common_options(void)
{
    fputs("  -c, --config FILE    the configuration (default: " CONFIG_DEFAULT_PATH ")\n"
          "  -h, --help           show this help\n"
          "  -V, --version        show the version\n",
          stdout);
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
    fputs("\nOptions:\n", stdout);
    print_common_options();
    fputs("\n'pdns-mta-sts COMMAND --help' tells more of a command.\n", stdout);
}

static void print_choices(command_choices choice)
{
    const struct command_choice *row;

    for (size_t i = 0; choice && (row = choice(i)) != NULL; i++)
        printf("                       %-11s %s\n", row->name, row->does);
}

static void print_option(const struct command_option *option)
{
    char letter[] = "-?, ", words[32];

    letter[1] = option->letter;
    snprintf(words, sizeof(words), "--%s %s", option->name, option->value);
    printf("  %-4s%-15s  %s\n", option->letter ? letter : "", words, option->does);
    print_choices(option->choice);
}

static void print_usage(const struct command *command)
{
    printf("Usage: pdns-mta-sts %s [-c FILE]", command->name);
    for (size_t i = 0; i < count_options(command); i++)
        printf(" [--%s %s]", command->options[i].name, command->options[i].value);
    for (size_t i = 0; i < count_operands(command); i++) {
        const struct command_operand *operand = &command->operands[i];

        printf(operand->optional ? " [%s%s]" : " %s%s", operand->name,
               operand->repeated ? "..." : "");
    }
    fputs("\n", stdout);
}

static void print_command_help(const struct command *command)
{
    print_usage(command);
    printf("\n%s", command->about);
    if (count_operands(command))
        fputs("\nOperands:\n", stdout);
    for (size_t i = 0; i < count_operands(command); i++) {
        printf("  %-19s  %s\n", command->operands[i].name, command->operands[i].does);
        print_choices(command->operands[i].choice);
    }
    fputs("\nOptions:\n", stdout);
    for (size_t i = 0; i < count_options(command); i++)
        print_option(&command->options[i]);
    print_common_options();
}

/* Puts words of an enumeration where they belong: "a", "a or b", "a, b or c". */
static void add_alternative(struct buffer *out, const char *dashes, const char *word, bool last)
{
    if (out->length)
        buffer_add_string(out, last ? " or " : ", ");
    buffer_printf(out, "%s%s", dashes, word);
}

static struct text written(const struct buffer *buffer)
{
    return (struct text){.data = buffer->data, .length = buffer->length};
}

static void report(const char *what, const char *found, struct text expected)
{
    fprintf(stderr, "pdns-mta-sts: found %s%s, expected %.*s\n", what,
            quote_text(text_from(found)).text, (int)expected.length, expected.data);
}

static void report_option(const struct command_line *line, const char *word)
{
    CLEANUP(buffer_deinit) struct buffer expected = BUFFER_INIT;
    char letter[] = {'-', (char)optopt, '\0'};

    for (size_t i = 0; i < count_options(line->command); i++)
        add_alternative(&expected, "--", line->command->options[i].name, false);
    add_alternative(&expected, "--", "config", false);
    add_alternative(&expected, "--", "help", false);
    add_alternative(&expected, "--", "version", true);
    report("option ", strncmp(word, "--", 2) == 0 ? word : letter, written(&expected));
}

/* Which of a command's own options getopt has found. */
static size_t own_option(const struct command *command, int option)
{
    size_t n = 0;

    if (option >= OWN_OPTION)
        return (size_t)(option - OWN_OPTION);
    while (n < count_options(command) && command->options[n].letter != option)
        n++;
    return n;
}

/* What getopt is to know of: the options that every command has, and a command's own. */
struct known_options {
    char letters[8 + 2 * COMMAND_OPTIONS_MAX];
    struct option rows[COMMON_COUNT + COMMAND_OPTIONS_MAX + 1];
};

/* Without a command the first word that is no option ends the reading: it is the command. */
static struct known_options getopt_tables(const struct command *command)
{
    struct known_options known = {.rows = {COMMON_OPTIONS}};
    size_t length = (size_t)snprintf(known.letters, sizeof(known.letters), "%s:" COMMON_LETTERS,
                                     command->name ? "" : "+");

    for (size_t i = 0; i < count_options(command); i++) {
        const struct command_option *option = &command->options[i];

        known.rows[COMMON_COUNT + i] =
            (struct option){option->name, required_argument, NULL, OWN_OPTION + (int)i};
        if (!option->letter)
            continue;
        known.letters[length++] = option->letter;
        known.letters[length++] = ':';
    }
    return known;
}

/* Reads options: those before the command, or if it is known those behind it. Returns whether all
 * is understood; if not, stderr says why. */
static bool read_options(struct command_line *line, int argc, char *argv[])
{
    struct known_options known = getopt_tables(line->command);
    int option;

    opterr = 0;
    optind = 0;
    while ((option = getopt_long(argc, argv, known.letters, known.rows, NULL)) != -1) {
        switch (option) {
        case 'c':
            line->arguments.config_path = optarg;
            break;
        case 'h':
            line->help = true;
            break;
        case 'V':
            line->version = true;
            break;
        case ':':
            report("nothing behind ", argv[optind - 1], TEXT("a value"));
            return false;
        case '?':
            report_option(line, argv[optind - 1]);
            return false;
        default:
            line->arguments.options[own_option(line->command, option)] = optarg;
        }
    }
    return true;
}

static bool find_command(struct command_line *line, const char *name)
{
    CLEANUP(buffer_deinit) struct buffer expected = BUFFER_INIT;

    for (size_t i = 0; name && i < line->n_commands; i++)
        if (strcmp(line->commands[i].name, name) == 0) {
            line->command = &line->commands[i];
            return true;
        }
    for (size_t i = 0; i < line->n_commands; i++)
        add_alternative(&expected, "", line->commands[i].name, i + 1 == line->n_commands);
    if (name)
        report("command ", name, written(&expected));
    else
        fprintf(stderr, "pdns-mta-sts: found no command, expected %.*s\n", (int)expected.length,
                expected.data);
    return false;
}

/* Whether a value is one of the choices, where there are any; if not, stderr says which there are.
 */
static bool check_choice(command_choices choice, const char *what, const char *value)
{
    CLEANUP(buffer_deinit) struct buffer expected = BUFFER_INIT;
    const struct command_choice *row;

    if (!choice || !value)
        return true;
    for (size_t i = 0; (row = choice(i)) != NULL; i++)
        if (strcmp(row->name, value) == 0)
            return true;
    for (size_t i = 0; (row = choice(i)) != NULL; i++)
        add_alternative(&expected, "", row->name, !choice(i + 1));
    report(what, value, written(&expected));
    return false;
}

static bool check_operands(const struct command_line *line)
{
    const struct command_arguments *arguments = &line->arguments;
    size_t n = count_operands(line->command);
    const struct command_operand *rows = line->command->operands;

    for (size_t i = 0; i < n; i++) {
        if (i < arguments->n_operands) {
            if (!check_choice(rows[i].choice, "", arguments->operands[i]))
                return false;
        } else if (!rows[i].optional) {
            fprintf(stderr, "pdns-mta-sts: found no %s, expected one\n", rows[i].name);
            return false;
        }
    }
    if (arguments->n_operands > n && !(n && rows[n - 1].repeated)) {
        report("", arguments->operands[n], TEXT("nothing more"));
        return false;
    }
    return true;
}

static bool check_arguments(const struct command_line *line)
{
    for (size_t i = 0; i < count_options(line->command); i++)
        if (!check_choice(line->command->options[i].choice, "", line->arguments.options[i]))
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
    if (!read_options(line, argc - skipped, argv + skipped))
        return false;
    line->arguments.operands = argv + skipped + optind;
    line->arguments.n_operands = (size_t)(argc - skipped - optind);
    return line->help || line->version || check_arguments(line);
}

static int run(const struct command_line *line)
{
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
        r = run(&line);
    if (r == EXIT_USAGE)
        fputs("Try 'pdns-mta-sts --help'.\n", stderr);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fputs("pdns-mta-sts: the output could not be written\n", stderr);
        r = EXIT_REFUSED;
    }
    return r;
}
