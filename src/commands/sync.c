#include "commands/commands.h"

#include "sync/sync.h"

enum { OPTION_DRY_RUN };

static int sync_command(const struct command_arguments *arguments)
{
    CLEANUP(config_free_pointer)
    struct config *config = command_load_alone(arguments->config_path);

    if (!config)
        return EXIT_REFUSED;
    return sync_run(config, arguments->options[OPTION_DRY_RUN]) ? EXIT_DONE : EXIT_REFUSED;
}

static const struct command commands[] = {
    {
        .name = "sync",
        .does = "find the members of policies with members: synced",
        .about =
            "Asks for the MX records of every domain of PowerDNS, or of those that a command\n"
            "prints, and makes the lists of members for the service to read at its next reload.\n"
            "It prints what it adds and removes, and which mail servers no policy covers. The\n"
            "exit code is 1 if the run is refused or the domains cannot be read; then nothing\n"
            "has changed.\n",
        .options = {[OPTION_DRY_RUN] = {"dry-run", 0, NULL, "change nothing", NULL}},
        .run = sync_command,
    },
};

int main(int argc, char *argv[])
{
    return command_line_run(commands, ARRAY_LENGTH(commands), argc, argv);
}
