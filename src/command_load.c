#include "commands.h"

static void print_diagnostic(enum severity severity, const char *text, void *context)
{
    const enum severity *least = context;

    if (severity <= *least)
        fprintf(stderr, "%s\n", text);
}

struct config *command_load_and_report(const char *path, enum severity least,
                                       struct diagnostics *diagnostics)
{
    struct config *config = NULL;
    int r = config_load(path, 0, diagnostics, &config);

    diagnostics_each(diagnostics, print_diagnostic, &least);
    if (r < 0)
        fprintf(stderr, "%s: %s\n", path, strerror(-r));
    else if (r > 0)
        fprintf(stderr, "%s: refused, errors: %zu, warnings: %zu\n", path,
                diagnostics->total[SEVERITY_ERROR], diagnostics->total[SEVERITY_WARNING]);
    return config;
}

struct config *command_load(const char *path)
{
    CLEANUP(diagnostics_deinit) struct diagnostics diagnostics = DIAGNOSTICS_INIT;

    return command_load_and_report(path, SEVERITY_ERROR, &diagnostics);
}

void command_free_config(struct config **config)
{
    config_free(*config);
}
