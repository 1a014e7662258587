#include "commands/commands.h"

#include <errno.h>

static void print_diagnostic(enum severity severity, const char *place, const char *text,
                             void *context)
{
    const enum severity *least = context;

    if (severity <= *least)
        fprintf(stderr, "%s%s%s\n", place, diagnostics_mark(severity, place), text);
}

struct config *command_load_and_report(const char *path, enum severity least,
                                       struct diagnostics *diagnostics)
{
    const struct place_text name = place_text((struct place){.file = path});
    struct config *config = NULL;
    int r = config_load(&(struct config_request){.path = path}, diagnostics, &config);

    diagnostics_each(diagnostics, print_diagnostic, &least);
    if (r < 0)
        fprintf(stderr, "%s: %s\n", name.text, strerror(-r));
    else if (r > 0)
        fprintf(stderr, "%s: refused, errors: %zu, warnings: %zu\n", name.text,
                diagnostics->total[SEVERITY_ERROR], diagnostics->total[SEVERITY_WARNING]);
    return config;
}

struct config *command_load(const char *path)
{
    CLEANUP(diagnostics_deinit) struct diagnostics diagnostics = DIAGNOSTICS_INIT;

    return command_load_and_report(path, SEVERITY_ERROR, &diagnostics);
}

int command_out_of_memory(void)
{
    fprintf(stderr, "pdns-mta-sts: %s\n", strerror(ENOMEM));
    return EXIT_REFUSED;
}

bool command_find_domain(const struct snapshot *snapshot, const char *operand, struct domain *out)
{
    struct quoted quoted = quote_text(text_from(operand));
    struct name name;
    int fault = name_from_domain(text_from(operand), &name);

    if (fault == 0 && snapshot_find(snapshot, name_text(&name), out))
        return true;
    if (fault < 0)
        command_out_of_memory();
    else if (fault > 0)
        fprintf(stderr, "pdns-mta-sts: found %s in %s, expected %s\n", name_fault_found(fault),
                quoted.text, name_fault_expected(fault));
    else
        fprintf(stderr, "pdns-mta-sts: %s is not a domain of the configuration\n", quoted.text);
    return false;
}
