#include "answer/catalog.h"
#include "answer/lookup.h"
#include "commands/commands.h"
#include "config/certificates.h"
#include "os/clock.h"
#include "service/retirement.h"
#include "snapshot/zones.h"

static void count_rows(struct rows rows, size_t counts[RECORD_TYPE_COUNT])
{
    for (size_t i = 0; i < rows.n; i++)
        counts[rows.first[i].type]++;
}

static void count_catalog(const struct snapshot *snapshot, uint32_t part,
                          size_t counts[RECORD_TYPE_COUNT])
{
    struct answer answer;
    struct zone zone;

    snapshot_catalog(snapshot, part, &zone);
    if (lookup_find(snapshot, text_from(zone.name.text), &answer))
        count_rows(answer.rows, counts);
    catalog_version(snapshot, part, &answer);
    count_rows(answer.rows, counts);
    counts[RECORD_PTR] += snapshot_zones(snapshot)->parts[part].n;
}

static void count_records(const struct snapshot *snapshot, size_t counts[RECORD_TYPE_COUNT])
{
    struct domain domain;
    size_t cursor = 0;

    while (snapshot_next_domain(snapshot, &cursor, &domain))
        for (enum owner owner = 0; owner < OWNER_COUNT; owner++)
            count_rows(domain_rows(&domain, owner), counts);
    for (uint32_t part = 0; part < snapshot_n_catalogs(snapshot); part++)
        count_catalog(snapshot, part, counts);
}

/* How many members sync has found for each policy, and how old their list is. */
static void print_lists(const struct config *config)
{
    for (size_t i = 0; i < config->n_lists; i++) {
        const struct synced_list *list = &config->lists[i];
        const struct policy *policy = snapshot_policy(config->snapshot, list->policy);

        printf("synced members of %s: %u, ", policy->primary.data, policy->n_synced);
        if (list->changed)
            printf("list of %s\n", clock_text(list->changed).text);
        else
            printf("no list yet\n");
    }
}

/* Empty non-terminals are no records, and an overlay has none of some types. */
static void print_totals(const struct config *config, int64_t ahead,
                         const struct diagnostics *diagnostics)
{
    const struct snapshot *snapshot = config->snapshot;
    CLEANUP(buffer_deinit) struct buffer held = BUFFER_INIT, retiring = BUFFER_INIT;
    size_t counts[RECORD_TYPE_COUNT] = {0};

    count_records(snapshot, counts);
    printf("policies: %zu\n", snapshot_n_policies(snapshot));
    printf("domains: %zu\n", snapshot_n_domains(snapshot));
    for (enum record_type type = RECORD_A; type < RECORD_TYPE_COUNT; type++)
        if (type <= RECORD_TXT || counts[type])
            printf("%s records: %zu\n", record_type_text(type).data, counts[type]);
    if (snapshot_n_zones(snapshot))
        printf("own zones: %zu\n", snapshot_n_zones(snapshot));
    if (snapshot_n_held(snapshot)) {
        certificates_name_held(snapshot, &held);
        printf("held back, having no certificate: %zu: %.*s\n", snapshot_n_held(snapshot),
               (int)held.length, held.data);
    }
    print_lists(config);
    retirement_describe(snapshot, ahead, &retiring);
    if (retiring.length)
        printf("retiring: %.*s\n", (int)retiring.length, retiring.data);
    printf("warnings: %zu\n", diagnostics->total[SEVERITY_WARNING]);
}

int check_run(const struct command_arguments *arguments)
{
    CLEANUP(diagnostics_deinit) struct diagnostics diagnostics = DIAGNOSTICS_INIT;
    int64_t ahead = 0;
    CLEANUP(config_free_pointer)
    struct config *config = command_check(arguments->config_path, &diagnostics, &ahead);

    if (!config)
        return EXIT_REFUSED;
    print_totals(config, ahead, &diagnostics);
    return EXIT_DONE;
}
