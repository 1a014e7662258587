/* The whole configuration, from YAML to the snapshot. It is refused exactly if an error says why,
 * and every domain of the snapshot is canonical and found again. */
#include "config/config.h"
#include "fuzz.h"
#include "memory_file.h"

#include <glob.h>

int __wrap_glob(const char *pattern, int flags, int (*error)(const char *, int), glob_t *found);
int __wrap_glob64(const char *pattern, int flags, int (*error)(const char *, int), glob_t *found);

/* In place of the C library's: an input could have it search every directory of the machine. */
int __wrap_glob(const char *pattern, int flags, int (*error)(const char *, int), glob_t *found)
{
    (void)pattern;
    (void)flags;
    (void)error;
    *found = (glob_t){0};
    return GLOB_NOMATCH;
}

int __wrap_glob64(const char *pattern, int flags, int (*error)(const char *, int), glob_t *found)
{
    return __wrap_glob(pattern, flags, error, found);
}

static void check_domain(const struct snapshot *snapshot, const struct domain *domain)
{
    struct domain found;
    struct name name;

    MUST(snapshot_find(snapshot, domain->name, &found));
    MUST(text_equals(found.name, domain->name));
    MUST(found.kind == domain->kind && found.policy == domain->policy);
    MUST(name_from_domain(domain->name, &name) == 0);
    MUST(text_equals(name_text(&name), domain->name));
}

static void check_snapshot(const struct snapshot *snapshot)
{
    struct domain domain;
    size_t cursor = 0, n = 0;

    for (; snapshot_next_domain(snapshot, &cursor, &domain); n++)
        check_domain(snapshot, &domain);
    MUST(n == snapshot_n_domains(snapshot) && n >= snapshot_n_policies(snapshot));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(diagnostics_deinit) struct diagnostics diagnostics = DIAGNOSTICS_INIT;
    const char *path = memory_file(0, (struct text){(const char *)data, size});
    struct config *config = NULL;
    const struct config_request request = {.path = path};
    int r = config_load(&request, &diagnostics, &config);

    MUST(r == 0 || r == REPORTED);
    MUST((r == REPORTED) == (diagnostics.total[SEVERITY_ERROR] > 0));
    MUST((r == 0) == (config != NULL));
    if (config)
        check_snapshot(config->snapshot);
    config_free(config);
    return 0;
}
