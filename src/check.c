#include "commands.h"

#include "config.h"

#include <errno.h>

static void print_diagnostic(enum severity severity, const char *text, void *context)
{
    (void)severity;
    (void)context;
    fprintf(stderr, "%s\n", text);
}

static void count_records(const struct snapshot *snapshot, size_t counts[RECORD_TYPE_COUNT])
{
    struct domain domain;
    size_t cursor = 0;

    while (snapshot_next_domain(snapshot, &cursor, &domain))
        for (enum owner owner = 0; owner < OWNER_COUNT; owner++) {
            struct rows rows = domain_rows(&domain, owner);

            for (size_t i = 0; i < rows.n; i++)
                counts[rows.first[i].type]++;
        }
}

/* Empty non-terminals are no records. */
static void print_totals(const struct snapshot *snapshot, const struct diagnostics *diagnostics)
{
    size_t counts[RECORD_TYPE_COUNT] = {0};

    count_records(snapshot, counts);
    printf("policies: %zu\n", snapshot_n_policies(snapshot));
    printf("domains: %zu\n", snapshot_n_domains(snapshot));
    for (enum record_type type = RECORD_A; type < RECORD_TYPE_COUNT; type++)
        printf("%s records: %zu\n", record_type_text(type).data, counts[type]);
    printf("warnings: %zu\n", diagnostics->total[SEVERITY_WARNING]);
}

int check_run(const char *config_path)
{
    CLEANUP(diagnostics_deinit) struct diagnostics diagnostics = DIAGNOSTICS_INIT;
    struct config *config = NULL;
    int r = config_load(config_path, 0, &diagnostics, &config);

    diagnostics_each(&diagnostics, print_diagnostic, NULL);
    if (r < 0)
        fprintf(stderr, "%s: %s\n", config_path, strerror(-r));
    else if (r > 0)
        fprintf(stderr, "%s: refused, errors: %zu, warnings: %zu\n", config_path,
                diagnostics.total[SEVERITY_ERROR], diagnostics.total[SEVERITY_WARNING]);
    else
        print_totals(config->snapshot, &diagnostics);
    config_free(config);
    return r == 0 ? 0 : 1;
}
