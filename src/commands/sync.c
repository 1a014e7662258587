#include "commands/commands.h"

#include "os/fd.h"
#include "sync/sync.h"

enum { OPTION_DRY_RUN };

/* Which state to lock is in the configuration. So it is loaded again once that is locked: the lists
 * that were read before may be those of a run that was ending. */
static int sync_command(const struct command_arguments *arguments)
{
    CLEANUP(config_free_pointer)
    struct config *config = command_load_alone(arguments->config_path);
    bool dry_run = arguments->options[OPTION_DRY_RUN];
    CLEANUP(fd_close) int lock = -1;

    if (!config || !sync_can_run(config) || !sync_drop_root(config) ||
        !(dry_run || sync_lock(config, &lock)))
        return EXIT_REFUSED;
    if (!dry_run) {
        config_free(config);
        config = command_load_alone(arguments->config_path);
    }
    return config && sync_can_run(config) && sync_run(config, dry_run) ? EXIT_DONE : EXIT_REFUSED;
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
