#include "commands/commands.h"

static const struct command commands[] = {
    {
        .name = "serve",
        .does = "answer PowerDNS in the foreground; SIGHUP reloads, SIGTERM stops",
        .about = "Runs the service in the foreground, with its log on stderr. SIGHUP reads the\n"
                 "configuration again; SIGTERM and SIGINT stop the service.\n",
        .options = {{"log-level", 'l', "LEVEL", "what is logged, and all before it (default: info)",
                     serve_log_levels}},
        .run = serve_run,
    },
    {
        .name = "check",
        .does = "read the configuration, list every error and warning, print totals",
        .about = "Reads the configuration and all that it names. Errors and warnings go to stderr\n"
                 "with file, line and column, totals to stdout. The exit code is 0 if the service\n"
                 "would accept the configuration, and 1 if not.\n",
        .run = check_run,
    },
    {
        .name = "records",
        .does = "print every record that would be answered",
        .about = "Prints what the service would answer: every record, one a line, in the order of\n"
                 "the configuration.\n",
        .operands = {{"DOMAIN", "only the records of these domains", .optional = true,
                      .repeated = true}},
        .options = {{"format", 0, "FORMAT", "how a record looks (default: zone)", records_formats}},
        .run = records_run,
    },
    {
        .name = "lookup",
        .does = "print the answer to one question",
        .about = "Prints the answer to one question as 'dig +noall +answer' would; CNAME records\n"
                 "are followed as long as their targets are names of the service. If the name has\n"
                 "no record of the type nothing is printed. The exit code is 1 if the name is not\n"
                 "of the service, so that PowerDNS answers it from elsewhere or not at all.\n",
        .operands = {{.name = "NAME", .does = "a name, such as _mta-sts.example.net"},
                     {.name = "TYPE", .does = "a record type, or ANY"}},
        .run = lookup_run,
    },
    {
        .name = "verify",
        .does = "look at every domain as senders see it, and say what is wrong",
        .program = "pdns-mta-sts-verify",
    },
    {
        .name = "sync",
        .does = "find the members of policies with members: synced",
        .program = "pdns-mta-sts-sync",
    },
    {
        .name = "policy",
        .does = "print the policy of a domain",
        .about = "Prints the policy of a domain, byte for byte as senders get it over HTTPS. The\n"
                 "exit code is 1 if the domain has none.\n",
        .operands = {{.name = "DOMAIN", .does = "a domain of the configuration"}},
        .run = policy_run,
    },
    {
        .name = "history",
        .does = "print the policies that a domain had, and which of them senders may still hold",
        .about =
            "Prints each policy that the service has served for a domain's policy, the latest\n"
            "first: when it was served first and last, and until when a sender that fetched\n"
            "it may act by it. The service keeps this in its state.\n",
        .operands = {{.name = "DOMAIN", .does = "a domain of the configuration"}},
        .run = history_run,
    },
    {
        .name = "export",
        .does = "print a configuration for another program",
        .about = "Prints what another program needs to know of the domains in the configuration.\n",
        .operands = {{"KIND", "for which program", .choices = export_kinds}},
        .options = {{"per-certificate", 0, "N",
                     "the most names of one certificate, up to 100 (default: 1)", NULL}},
        .run = export_run,
    },
};

int main(int argc, char *argv[])
{
    return command_line_run(commands, ARRAY_LENGTH(commands), argc, argv);
}
