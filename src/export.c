#include "commands.h"
#include "snapshot.h"

struct kind {
    struct command_choice choice;
    /* Prints it all to stdout, and what is wrong to stderr. Returns the exit code. */
    int (*print)(const struct config *config);
};

/* A line for each certificate: one for each policy host whose policy there is. */
static int print_dehydrated(const struct config *config)
{
    struct domain domain;
    size_t cursor = 0;

    while (!ferror(stdout) && snapshot_next_domain(config->snapshot, &cursor, &domain))
        if (domain.policy->mode != POLICY_MODE_ABSENT)
            printf("%s%.*s\n", owner_prefix(OWNER_POLICY_HOST).data, (int)domain.name.length,
                   domain.name.data);
    return EXIT_DONE;
}

static const struct kind kinds[] = {
    {{"dehydrated", "domains.txt, a certificate for each policy host"}, print_dehydrated},
};

const struct command_choice *export_kind(size_t number)
{
    return number < ARRAY_LENGTH(kinds) ? &kinds[number].choice : NULL;
}

int export_run(const struct command_arguments *arguments)
{
    CLEANUP(command_free_config) struct config *config = NULL;
    const struct kind *kind = kinds;

    while (strcmp(kind->choice.name, arguments->operands[0]) != 0)
        kind++; /* it is one of the choices */
    config = command_load(arguments->config_path);
    return config ? kind->print(config) : EXIT_REFUSED;
}
