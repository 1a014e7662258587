#include "commands.h"
#include "config.h"

#include <getopt.h>
#include <stdio.h>

enum { EXIT_USAGE = 2 };

struct command {
    const char *name;
    const char *does;
    int (*run)(const char *config_path);
};

static const struct command commands[] = {
    {"serve", "answer PowerDNS in the foreground; SIGHUP reloads, SIGTERM stops", serve_run},
    {"check", "read the configuration, list every error and warning, print totals", check_run},
};

static void print_help(void)
{
    fputs("Usage: pdns-mta-sts COMMAND [-c FILE]\n"
          "\n"
          "Answers PowerDNS's remote backend with the DNS records of MTA-STS and TLSRPT\n"
          "for every domain in its configuration.\n"
          "\n"
          "Commands:\n",
          stdout);
    for (size_t i = 0; i < ARRAY_LENGTH(commands); i++)
        printf("  %-8s %s\n", commands[i].name, commands[i].does);
    fputs("\n"
          "Options:\n"
          "  -c, --config FILE  the configuration (default: " CONFIG_DEFAULT_PATH ")\n"
          "  -h, --help         show this help, or that of a command\n"
          "  -V, --version      show the version\n",
          stdout);
}

static void print_command_help(const struct command *command)
{
    printf("Usage: pdns-mta-sts %s [-c FILE]\n"
           "\n"
           "%s: %s.\n"
           "\n"
           "Options:\n"
           "  -c, --config FILE  the configuration (default: " CONFIG_DEFAULT_PATH ")\n"
           "  -h, --help         show this help\n"
           "  -V, --version      show the version\n",
           command->name, command->name, command->does);
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

struct arguments {
    const struct command *command;
    const char *config_path;
    bool help;
    bool version;
};

/* Says which option is not known: a letter, or the word that getopt has just left behind. */
static void report_option(char *argv[])
{
    char letter[] = {'-', (char)optopt, '\0'};

    fprintf(stderr, "pdns-mta-sts: found option %s, expected --config, --help or --version\n",
            optopt ? letter : argv[optind - 1]);
}

/* Reads the options, which may stand before or behind the command. Returns whether all is
 * understood; if not, stderr says why. */
static bool parse_options(int argc, char *argv[], struct arguments *arguments)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
    };
    int option;

    opterr = 0;
    while ((option = getopt_long(argc, argv, ":c:hV", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            arguments->config_path = optarg;
            break;
        case 'h':
            arguments->help = true;
            break;
        case 'V':
            arguments->version = true;
            break;
        case ':':
            fprintf(stderr, "pdns-mta-sts: found nothing behind -%c, expected a value\n", optopt);
            return false;
        default:
            report_option(argv);
            return false;
        }
    }
    return true;
}

static bool parse_arguments(int argc, char *argv[], struct arguments *arguments)
{
    if (!parse_options(argc, argv, arguments))
        return false;
    if (optind < argc) {
        arguments->command = find_command(argv[optind]);
        if (!arguments->command) {
            fprintf(stderr, "pdns-mta-sts: found command '%s', expected serve or check\n",
                    argv[optind]);
            return false;
        }
    } else if (!arguments->help && !arguments->version) {
        fputs("pdns-mta-sts: found no command, expected serve or check\n", stderr);
        return false;
    }
    if (optind + 1 < argc) {
        fprintf(stderr, "pdns-mta-sts: found '%s', expected nothing more\n", argv[optind + 1]);
        return false;
    }
    return true;
}

static int run(const struct arguments *arguments)
{
    if (arguments->version)
        puts("pdns-mta-sts " PDNS_MTA_STS_VERSION);
    else if (arguments->help && arguments->command)
        print_command_help(arguments->command);
    else if (arguments->help)
        print_help();
    else
        return arguments->command->run(arguments->config_path);
    return 0;
}

int main(int argc, char *argv[])
{
    struct arguments arguments = {.config_path = CONFIG_DEFAULT_PATH};
    int r = EXIT_USAGE;

    if (parse_arguments(argc, argv, &arguments))
        r = run(&arguments);
    else
        fputs("Try 'pdns-mta-sts --help'.\n", stderr);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fputs("pdns-mta-sts: the output could not be written\n", stderr);
        r = 1;
    }
    return r;
}
