#include "commands/commands.h"

int policy_run(const struct command_arguments *arguments)
{
    CLEANUP(config_free_pointer) struct config *config = NULL;
    CLEANUP(free_pointer) struct domain *domain = NULL;

    config = command_load(arguments->config_path);
    domain = config ? command_find_domains(config->snapshot, arguments) : NULL;
    if (!domain)
        return EXIT_REFUSED;
    if (domain->policy->mode == POLICY_MODE_ABSENT) {
        fprintf(stderr, "pdns-mta-sts: the policy of %s has no mode, so there is no policy body\n",
                quote_text(domain->name).text);
        return EXIT_REFUSED;
    }
    fwrite(domain->policy->body.data, 1, domain->policy->body.length, stdout);
    return EXIT_DONE;
}
