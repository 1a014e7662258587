#include "verify/findings.h"

#include "base/array.h"

#include <errno.h>
#include <search.h>

struct findings {
    struct arena arena;
    struct finding **items;
    size_t n, capacity;
    void *tree; /* of tsearch(3), over struct known_finding */
};

struct known_finding {
    struct finding finding;
    uint32_t number;
};

static int compare_known(const void *a, const void *b)
{
    const struct finding *left = &((const struct known_finding *)a)->finding;
    const struct finding *right = &((const struct known_finding *)b)->finding;
    int order = (int)left->check - (int)right->check;

    if (order == 0)
        order = (int)left->severity - (int)right->severity;
    if (order == 0)
        order = strcmp(left->found, right->found);
    return order ? order : strcmp(left->expected, right->expected);
}

int findings_new(struct findings **out)
{
    struct findings *findings = calloc(1, sizeof(*findings));

    if (!findings)
        return -ENOMEM;
    *out = findings;
    return 0;
}

static void keep_node(void *node)
{
    (void)node; /* it lives in the arena */
}

void findings_free(struct findings *findings)
{
    if (!findings)
        return;
    tdestroy(findings->tree, keep_node);
    for (size_t i = 0; i < findings->n; i++)
        free(findings->items[i]->domains);
    free(findings->items);
    arena_deinit(&findings->arena);
    free(findings);
}

int findings_intern(struct findings *findings, enum check_name check,
                    enum finding_severity severity, const char *found, const char *expected,
                    uint32_t *number)
{
    struct known_finding key = {
        .finding = {.check = check, .severity = severity, .found = found, .expected = expected}};
    struct known_finding **known = tfind(&key, &findings->tree, compare_known), *entry;
    struct text found_copy, expected_copy;

    if (known) {
        *number = (*known)->number;
        return 0;
    }
    entry = arena_alloc(&findings->arena, sizeof(*entry));
    if (!entry || ARRAY_RESERVE(findings->items, findings->n, findings->capacity) ||
        arena_copy_text(&findings->arena, text_from(found), &found_copy) ||
        arena_copy_text(&findings->arena, text_from(expected), &expected_copy))
        return -ENOMEM;
    *entry = key;
    entry->number = (uint32_t)findings->n;
    entry->finding.found = found_copy.data;
    entry->finding.expected = expected_copy.data;
    if (!tsearch(entry, &findings->tree, compare_known))
        return -ENOMEM;
    findings->items[findings->n++] = &entry->finding;
    *number = entry->number;
    return 0;
}

void findings_set_of_all(struct findings *findings, uint32_t number)
{
    findings->items[number]->of_all = true;
}

int findings_add(struct findings *findings, uint32_t number, uint32_t domain)
{
    struct finding *finding = findings->items[number];
    int r;

    if (finding->n_domains && finding->domains[finding->n_domains - 1] == domain)
        return 0;
    r = ARRAY_RESERVE(finding->domains, finding->n_domains, finding->capacity);
    if (r)
        return r;
    finding->domains[finding->n_domains++] = domain;
    return 0;
}

size_t findings_count(const struct findings *findings)
{
    return findings->n;
}

const struct finding *findings_get(const struct findings *findings, uint32_t number)
{
    return findings->items[number];
}

static int compare_numbers(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

    return left < right ? -1 : left > right;
}

static int compare_findings(const void *a, const void *b)
{
    const struct finding *left = *(struct finding *const *)a, *right = *(struct finding *const *)b;

    if (!left->n_domains != !right->n_domains)
        return left->n_domains ? -1 : 1;
    if (left->severity != right->severity)
        return left->severity == FINDING_ERROR ? -1 : 1;
    if (left->n_domains != right->n_domains)
        return left->n_domains > right->n_domains ? -1 : 1;
    return compare_known(left, right);
}

void findings_sort(struct findings *findings)
{
    for (size_t i = 0; i < findings->n; i++)
        if (findings->items[i]->n_domains)
            qsort(findings->items[i]->domains, findings->items[i]->n_domains,
                  sizeof(findings->items[i]->domains[0]), compare_numbers);
    if (findings->n)
        qsort(findings->items, findings->n, sizeof(*findings->items), compare_findings);
}
