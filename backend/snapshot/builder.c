#include "snapshot/builder.h"

#include "base/array.h"
#include "snapshot/domains.h"

#include <errno.h>

struct builder {
    struct domain_table_builder table;
    struct domains *domains; /* all but the table and the zones; NULL after freezing */
    size_t policies_capacity;
    bool has_zones;
    bool synced; /* what is added now was found */
};

int builder_new(uint64_t seed, struct builder **out)
{
    struct builder *builder = calloc(1, sizeof(*builder));
    struct domains *domains = domains_new(NULL);

    if (!builder || !domains) {
        free(builder);
        domains_unref(domains);
        return -ENOMEM;
    }
    domain_table_builder_init(&builder->table, seed);
    builder->domains = domains;
    *out = builder;
    return 0;
}

void builder_free(struct builder *builder)
{
    if (!builder)
        return;
    domain_table_builder_deinit(&builder->table);
    domains_unref(builder->domains);
    free(builder);
}

int builder_set_zones(struct builder *builder, const struct zone_settings *settings)
{
    struct domains *domains = builder->domains;
    size_t size = settings->n_nameservers * sizeof(struct name);
    struct name *nameservers = arena_alloc(&domains->configured->arena, size);

    if (!nameservers)
        return -ENOMEM;
    memcpy(nameservers, settings->nameservers, size);
    domains->zone_settings = *settings;
    domains->zone_settings.nameservers = nameservers;
    if (settings->catalog.length == 0)
        domains->zone_settings.catalog_parts = 0;
    builder->has_zones = settings->catalog.length > 0;
    return 0;
}

static int add_domain(struct builder *builder, size_t policy, enum domain_kind kind, bool held,
                      const struct name *name, uint64_t where)
{
    uint32_t value = (uint32_t)policy << DOMAIN_POLICY_SHIFT | (held ? DOMAIN_HELD : 0) |
                     (builder->synced ? DOMAIN_SYNCED : 0) | kind;
    uint64_t hash = domain_table_hash(builder->table.seed, name_text(name));
    int r;

    if (policy > DOMAIN_POLICY_MAX)
        return BUILDER_FULL;
    r = domain_table_builder_add(&builder->table, hash, name_text(name), value, where);
    if (r)
        return r < 0 ? r : BUILDER_FULL;
    domains_count(builder->domains, hash, name_text(name), value);
    return 0;
}

int builder_add_policy(struct builder *builder, const struct policy_spec *spec, uint64_t where,
                       uint32_t *policy)
{
    struct domains *domains = builder->domains;
    const struct zone_settings *zones = spec->zones ? &domains->zone_settings : NULL;
    size_t number = domains->n_policies;
    int r;

    r = ARRAY_RESERVE(domains->policies, number, builder->policies_capacity);
    if (r)
        return r;
    r = policy_records_make(&domains->configured->arena, spec, zones, &domains->policies[number]);
    if (r)
        return r;
    domains_begin_policy(&domains->policies[number], builder->table.seed);
    r = add_domain(builder, number, DOMAIN_PRIMARY, spec->held, &spec->primary, where);
    if (r)
        return r;
    builder->has_zones |= spec->zones;
    domains->n_configured++;
    domains->n_policies++;
    *policy = (uint32_t)number;
    return 0;
}

int builder_add_member(struct builder *builder, uint32_t policy, enum domain_kind kind, bool held,
                       const struct name *domain, uint64_t where)
{
    return add_domain(builder, policy, kind, held, domain, where);
}

void builder_begin_synced(struct builder *builder)
{
    builder->synced = true;
}

/* Translates the table's clashes into the builder's. */
struct clash_context {
    struct domains *domains;
    uint64_t seed;
    void (*clash)(const struct builder_clash *clash, void *context);
    void *context;
};

static void pass_clash(const struct domain_table_clash *clash, void *context)
{
    struct clash_context *to = context;
    struct builder_clash report = {
        .name = clash->again.name,
        .first_policy = domain_policy_number(clash->first.value),
        .first_where = clash->first_mark,
        .policy = domain_policy_number(clash->again.value),
        .where = clash->again_mark,
    };

    domains_discount(to->domains, domain_table_hash(to->seed, clash->again.name), clash->again.name,
                     clash->again.value);
    if (!(clash->again.value & DOMAIN_SYNCED))
        to->clash(&report, to->context);
}

int builder_freeze(struct builder *builder,
                   void (*clash)(const struct builder_clash *clash, void *context), void *context,
                   struct snapshot **out)
{
    struct domains *domains = builder->domains;
    struct clash_context to = {domains, builder->table.seed, clash, context};
    int r;

    r = domain_table_build(&builder->table, pass_clash, &to, &domains->table);
    if (r)
        return r;
    if (builder->has_zones) {
        r = domains_index_zones(domains);
        if (r)
            return r;
    }
    return snapshot_new(domains, out);
}
