#include "snapshot/retiring.h"

#include "base/array.h"
#include "snapshot/domains.h"

#include <errno.h>

void retiring_set_deinit(struct retiring_set *set)
{
    free(set->formers);
    free(set->domains);
    *set = RETIRING_SET_INIT;
}

int retiring_set_add_former(struct retiring_set *set, struct text former, size_t *number)
{
    if (ARRAY_RESERVE(set->formers, set->n_formers, set->formers_capacity))
        return -ENOMEM;
    *number = set->n_formers;
    set->formers[set->n_formers++] = former;
    return 0;
}

int retiring_set_add(struct retiring_set *set, const struct retiring *retiring)
{
    if (ARRAY_RESERVE(set->domains, set->n, set->capacity))
        return -ENOMEM;
    set->domains[set->n++] = *retiring;
    return 0;
}

int retiring_set_add_all(struct retiring_set *set, const struct snapshot *snapshot)
{
    size_t first = set->n_formers, configured = snapshot_n_policies(snapshot), number;
    int r = 0;

    for (size_t i = configured; r == 0 && i < snapshot_n_all_policies(snapshot); i++)
        r = retiring_set_add_former(set, snapshot_policy(snapshot, i)->former, &number);
    for (size_t i = 0; r == 0 && i < snapshot_n_retiring(snapshot); i++) {
        struct domain domain;
        struct retiring retiring;

        snapshot_retiring(snapshot, i, &domain);
        retiring.name = domain.name;
        retiring.until = snapshot_until(snapshot, &domain);
        retiring.former = first + snapshot_policy_number(snapshot, domain.policy) - configured;
        r = retiring_set_add(set, &retiring);
    }
    return r;
}

void retiring_set_expire(struct retiring_set *set, int64_t now)
{
    size_t kept = 0;

    for (size_t i = 0; i < set->n; i++)
        if (set->domains[i].until > now)
            set->domains[kept++] = set->domains[i];
    set->n = kept;
}

/* A domain of the set that retires, on its way into the table. */
struct entrant {
    const struct retiring *retiring;
    uint32_t position;      /* where LOADED has it, or UINT32_MAX: it is not listed */
    uint32_t listed;        /* its value in the configuration, or DOMAIN_TABLE_LEFT_OUT */
    uint32_t listed_policy; /* the number of the policy that lists it, or UINT32_MAX */
    uint32_t policy;        /* the number of its policy from now on */
};

struct entrants {
    struct entrant *items;
    size_t n;
    size_t next; /* the first that is not in the table yet */
};

static void entrants_deinit(struct entrants *entrants)
{
    free(entrants->items);
}

/* The value of an entry in the configuration, or DOMAIN_TABLE_LEFT_OUT. */
static uint32_t configured_value(const struct domains *loaded,
                                 const struct domain_table_entry *entry)
{
    if (domain_policy_number(entry->value) < loaded->n_configured)
        return entry->value;
    return domains_note(loaded, entry->position)->listed;
}

/* Looks a domain of the set up in the configuration. Returns whether it retires. */
static bool look_up(const struct domains *loaded, struct entrant *entrant)
{
    struct domain_table_entry entry;

    entrant->position = entrant->listed_policy = UINT32_MAX;
    entrant->listed = DOMAIN_TABLE_LEFT_OUT;
    if (!domain_table_find(&loaded->table, entrant->retiring->name, &entry))
        return true;
    entrant->listed = configured_value(loaded, &entry);
    if (entrant->listed == DOMAIN_TABLE_LEFT_OUT)
        return true;
    entrant->position = entry.position;
    entrant->listed_policy = domain_policy_number(entrant->listed);
    return loaded->policies[entrant->listed_policy].mode == POLICY_MODE_ABSENT;
}

/* Finds those of a set that retire. */
static int find_entrants(const struct domains *loaded, const struct retiring_set *set,
                         struct entrants *out)
{
    out->items = calloc(set->n + 1, sizeof(*out->items));
    if (!out->items)
        return -ENOMEM;
    for (size_t i = 0; i < set->n; i++) {
        struct entrant *entrant = &out->items[out->n];

        entrant->retiring = &set->domains[i];
        out->n += look_up(loaded, entrant);
    }
    return 0;
}

static int compare_texts(struct text a, struct text b)
{
    int order = memcmp(a.data, b.data, a.length < b.length ? a.length : b.length);

    return order ? order : (a.length > b.length) - (a.length < b.length);
}

/* Orders by what the policies of retiring domains are made from. */
static int compare_policies(const void *a, const void *b, void *context)
{
    const struct entrant *left = a, *right = b;
    const struct text *formers = context;

    if (left->listed_policy != right->listed_policy)
        return left->listed_policy < right->listed_policy ? -1 : 1;
    if (left->retiring->former == right->retiring->former)
        return 0;
    return compare_texts(formers[left->retiring->former], formers[right->retiring->former]);
}

/* Orders as in the configuration; then those that are not listed, as in the set. */
static int compare_places(const void *a, const void *b)
{
    const struct entrant *left = a, *right = b;

    if (left->position != right->position)
        return left->position < right->position ? -1 : 1;
    return (left->retiring > right->retiring) - (left->retiring < right->retiring);
}

/* Gives each domain that retires its policy. */
static int make_policies(struct domains *domains, uint64_t seed, const struct retiring_set *set,
                         struct entrants *entrants)
{
    size_t capacity = domains->n_policies;

    qsort_r(entrants->items, entrants->n, sizeof(*entrants->items), compare_policies, set->formers);
    for (size_t i = 0; i < entrants->n; i++) {
        struct entrant *entrant = &entrants->items[i];
        const struct policy *listed = NULL;
        int r;

        if (i == 0 || compare_policies(entrant - 1, entrant, set->formers) != 0) {
            if (ARRAY_RESERVE(domains->policies, domains->n_policies, capacity))
                return -ENOMEM;
            if (entrant->listed_policy != UINT32_MAX)
                listed = &domains->policies[entrant->listed_policy];
            r = policy_records_retire(&domains->own, set->formers[entrant->retiring->former],
                                      listed, &domains->zone_settings,
                                      &domains->policies[domains->n_policies]);
            if (r)
                return r;
            domains_begin_policy(&domains->policies[domains->n_policies++], seed);
        }
        entrant->policy = (uint32_t)domains->n_policies - 1;
    }
    qsort(entrants->items, entrants->n, sizeof(*entrants->items), compare_places);
    return 0;
}

/* Makes domains that have the policies of the configuration, and no domain yet. */
static struct domains *begin_domains(const struct domains *loaded)
{
    struct domains *domains = domains_new(loaded->configured);
    size_t n = loaded->n_configured;

    if (!domains)
        return NULL;
    domains->policies = calloc(n + 1, sizeof(*domains->policies));
    if (!domains->policies) {
        domains_unref(domains);
        return NULL;
    }
    domains->n_configured = domains->n_policies = n;
    domains->zone_settings = loaded->zone_settings;
    for (size_t i = 0; i < n; i++) {
        domains->policies[i] = loaded->policies[i];
        domains_begin_policy(&domains->policies[i], loaded->table.seed);
    }
    return domains;
}

static int add_entry(struct domains *domains, struct domain_table_builder *table, struct text name,
                     uint32_t value)
{
    uint64_t hash = domain_table_hash(table->seed, name);
    int r = domain_table_builder_add(table, hash, name, value, 0);

    if (r)
        return -ENOMEM; /* with DOMAIN_TABLE_FULL it is positions that have run out */
    domains_count(domains, hash, name, value);
    return 0;
}

/* Adds the next domain that retires. */
static int add_entrant(struct domains *domains, struct domain_table_builder *table,
                       struct entrants *entrants)
{
    const struct entrant *entrant = &entrants->items[entrants->next++];
    int64_t until = entrant->retiring->until;

    domains->retiring[domains->n_retiring++] = (struct retiring_note){
        .until = until,
        .position = domain_table_builder_next(table),
        .listed = entrant->listed,
    };
    if (entrant->listed == DOMAIN_TABLE_LEFT_OUT)
        domains->n_unlisted++;
    else
        domains->policies[entrant->listed_policy]
            .n_domains++; /* it is counted where it is listed */
    if (until < domains->first_until)
        domains->first_until = until;
    if (until > domains->last_until)
        domains->last_until = until;
    return add_entry(domains, table, entrant->retiring->name,
                     entrant->policy << DOMAIN_POLICY_SHIFT | DOMAIN_DIRECT);
}

/* Adds the domains of the configuration, those of them that retire in their places, and then those
 * that are not listed. */
static int add_domains(const struct domains *loaded, struct entrants *entrants,
                       struct domains *domains, struct domain_table_builder *table)
{
    struct domain_table_entry entry;
    size_t cursor = 0;
    int r = 0;

    domains->retiring = calloc(entrants->n + 1, sizeof(*domains->retiring));
    if (!domains->retiring || domains->n_policies > DOMAIN_POLICY_MAX)
        return -ENOMEM;
    while (r == 0 && domain_table_next(&loaded->table, &cursor, &entry)) {
        uint32_t value = configured_value(loaded, &entry);

        if (value == DOMAIN_TABLE_LEFT_OUT)
            continue;
        if (entrants->next < entrants->n &&
            entrants->items[entrants->next].position == entry.position)
            r = add_entrant(domains, table, entrants);
        else
            r = add_entry(domains, table, entry.name, value);
    }
    while (r == 0 && entrants->next < entrants->n)
        r = add_entrant(domains, table, entrants);
    return r;
}

int domains_retire(const struct domains *loaded, const struct retiring_set *set,
                   struct domains **out)
{
    CLEANUP(domains_unref_pointer) struct domains *domains = begin_domains(loaded);
    CLEANUP(domain_table_builder_deinit) struct domain_table_builder table;
    CLEANUP(entrants_deinit) struct entrants entrants = {0};
    int r;

    domain_table_builder_init(&table, loaded->table.seed);
    if (!domains)
        return -ENOMEM;
    r = find_entrants(loaded, set, &entrants);
    if (r)
        return r;
    r = make_policies(domains, loaded->table.seed, set, &entrants);
    if (r)
        return r;
    r = add_domains(loaded, &entrants, domains, &table);
    if (r)
        return r;
    r = domain_table_build(&table, NULL, NULL, &domains->table);
    if (r)
        return r;
    if (domains->zone_settings.n_nameservers) {
        r = domains_index_zones(domains);
        if (r)
            return r;
    }
    *out = domains;
    domains = NULL;
    return 0;
}
