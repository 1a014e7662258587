#include "commands/commands.h"

#include "base/quote.h"
#include "os/listen_address.h"
#include "verify/check.h"
#include "verify/verify.h"

#include <arpa/inet.h>
#include <stdio.h>

enum {
    OPTION_FORMAT,
    OPTION_CHECK,
    OPTION_RESOLVER,
    OPTION_ANCHOR,
    OPTION_CA,
    OPTION_NO_SMTP,
    OPTION_SAVE
};

static const struct command_choice formats[] = {
    {"text", "causes with their remedies"},
    {"json", "one object, for programs"},
    {NULL, NULL},
};

/* Reads a list of checks, with commas. Returns whether all exist; if not, stderr says so. */
static bool read_checks(const char *list, uint32_t *out)
{
    while (list && *list) {
        struct text name = {list, strcspn(list, ",")};
        enum check_name check;

        if (!check_find(name, &check)) {
            fprintf(stderr, "pdns-mta-sts: unknown check %s; there are", quote_text(name).text);
            for (check = 0; check < CHECK_COUNT; check++)
                fprintf(stderr, "%s %s", check ? "," : "", checks[check].name);
            fputs("\n", stderr);
            return false;
        }
        *out |= UINT32_C(1) << check;
        list += name.length + (list[name.length] == ',');
    }
    return true;
}

/* Reads "192.0.2.1:53" into libunbound's form, "192.0.2.1@53". Returns whether it is an address. */
static bool read_resolver(const char *address, char out[static INET6_ADDRSTRLEN + 8])
{
    struct listen_address parsed;
    char host[INET6_ADDRSTRLEN];

    if (!listen_address_parse(text_from(address), 53, &parsed)) {
        fprintf(
            stderr,
            "pdns-mta-sts: %s is no address; write 192.0.2.1, 192.0.2.1:53 or [2001:db8::1]:53\n",
            quote_text(text_from(address)).text);
        return false;
    }
    if (parsed.socket.any.sa_family == AF_INET)
        inet_ntop(AF_INET, &parsed.socket.v4.sin_addr, host, sizeof(host));
    else
        inet_ntop(AF_INET6, &parsed.socket.v6.sin6_addr, host, sizeof(host));
    /* Ports are at the same place in both. */
    snprintf(out, INET6_ADDRSTRLEN + 8, "%s@%u", host, ntohs(parsed.socket.v4.sin_port));
    return true;
}

static bool read_verify_options(const struct command_arguments *arguments,
                                char resolver[static INET6_ADDRSTRLEN + 8],
                                struct verify_options *out)
{
    const char *const *options = arguments->options;

    *out = (struct verify_options){
        .json = options[OPTION_FORMAT] && strcmp(options[OPTION_FORMAT], "json") == 0,
        .ca_file = options[OPTION_CA],
        .no_smtp = options[OPTION_NO_SMTP],
        .save = options[OPTION_SAVE],
    };
    if (options[OPTION_ANCHOR] && strcmp(options[OPTION_ANCHOR], "none") == 0)
        out->no_trust_anchor = true;
    else
        out->trust_anchor = options[OPTION_ANCHOR];
    if (options[OPTION_RESOLVER]) {
        if (!read_resolver(options[OPTION_RESOLVER], resolver))
            return false;
        out->resolver = resolver;
    }
    return read_checks(options[OPTION_CHECK], &out->checks);
}

static int verify_command(const struct command_arguments *arguments)
{
    CLEANUP(config_free_pointer) struct config *config = NULL;
    CLEANUP(free_pointer) struct domain *domains = NULL;
    char resolver[INET6_ADDRSTRLEN + 8];
    struct verify_options options;

    if (!read_verify_options(arguments, resolver, &options))
        return EXIT_USAGE;
    config = command_load(arguments->config_path);
    if (!config)
        return EXIT_REFUSED;
    domains = command_find_domains(config->snapshot, arguments);
    if (!domains)
        return EXIT_REFUSED;
    return verify_run(config, domains, arguments->n_operands, &options) == VERIFY_CLEAN
               ? EXIT_DONE
               : EXIT_REFUSED;
}

static const struct command commands[] = {
    {
        .name = "verify",
        .does = "look at every domain as senders see it, and say what is wrong",
        .about =
            "Looks at every domain, or at those that are named, as the strictest senders do,\n"
            "and compares what it sees with the configuration. It prints each cause once, with\n"
            "the domains that it concerns and what to do. The exit code is 0 if there are no\n"
            "errors, and 1 if there are.\n",
        .operands = {{"DOMAIN", "only these domains", .optional = true, .repeated = true}},
        .options =
            {[OPTION_FORMAT] = {"format", 0, "FORMAT", "text (default) or json", formats},
             [OPTION_CHECK] = {"check", 0, "LIST", "only these checks, with commas", NULL},
             [OPTION_RESOLVER] = {"resolver", 0, "ADDRESS",
                                  "ask this resolver (default: the root servers)", NULL},
             [OPTION_ANCHOR] = {"trust-anchor", 0, "FILE", "DNSSEC's trust anchor, or none", NULL},
             [OPTION_CA] = {"ca-file", 0, "FILE", "the trusted CAs (default: the system's)", NULL},
             [OPTION_NO_SMTP] = {"no-smtp", 0, NULL, "connect to no mail server", NULL},
             [OPTION_SAVE] = {"save", 0, NULL, "keep the result for the service to show", NULL}},
        .run = verify_command,
    },
};

int main(int argc, char *argv[])
{
    return command_line_run(commands, ARRAY_LENGTH(commands), argc, argv);
}
