#include "snapshot/snapshot.h"

#include "base/arena.h"
#include "snapshot/domain_table.h"
#include "snapshot/zones.h"

#include <errno.h>
#include <stdatomic.h>

/* A table value is the policy's number and, below it, whether the domain is held back and its kind.
 */
enum {
    KIND_BITS = 2,
    HELD_BIT = 1 << KIND_BITS,
    POLICY_SHIFT = KIND_BITS + 1,
};

struct builder {
    struct domain_table_builder table;
    struct arena arena;
    struct policy *policies;
    size_t n_policies, policies_capacity;
    size_t n_held; /* of the domains added, and those added again */
    struct zone_settings zone_settings;
    bool has_zones;
};

/* A domain that came to its policy after the policy's records changed last. Where it was before, if
 * anywhere, its zones may have had higher serials than the policy's. */
struct late_domain {
    uint32_t position, serial;
};

struct late_domains {
    struct late_domain *items; /* in the order of positions */
    size_t n, capacity;
};

struct snapshot {
    atomic_uint references;
    struct snapshot *base;            /* a reference to the one that the rest comes from, or NULL */
    const struct domain_table *table; /* one's own, or that of the base */
    struct domain_table own_table;
    struct arena arena; /* what the policies point at, beside what the base has */
    struct policy *policies;
    size_t n_policies;
    size_t n_held;
    struct zone_settings zone_settings; /* they point into the arena, or that of the base */
    const struct zones *zones;          /* one's own, or those of the base */
    struct zones own_zones;
    uint32_t catalog_serial;
    uint32_t past_serial;            /* the highest that a zone had in an earlier snapshot */
    uint32_t newest;                 /* what new serials begin from */
    const struct late_domains *late; /* one's own, or those of the base */
    struct late_domains own_late;
};

int builder_new(uint64_t seed, struct builder **out)
{
    struct builder *builder = calloc(1, sizeof(*builder));

    if (!builder)
        return -ENOMEM;
    domain_table_builder_init(&builder->table, seed);
    *out = builder;
    return 0;
}

void builder_free(struct builder *builder)
{
    if (!builder)
        return;
    domain_table_builder_deinit(&builder->table);
    arena_deinit(&builder->arena);
    free(builder->policies);
    free(builder);
}

int builder_set_zones(struct builder *builder, const struct zone_settings *settings)
{
    size_t size = settings->n_nameservers * sizeof(struct name);
    struct name *nameservers = arena_alloc(&builder->arena, size);

    if (!nameservers)
        return -ENOMEM;
    memcpy(nameservers, settings->nameservers, size);
    builder->zone_settings = *settings;
    builder->zone_settings.nameservers = nameservers;
    builder->has_zones = settings->catalog.length > 0;
    return 0;
}

static int add_domain(struct builder *builder, size_t policy, enum domain_kind kind, bool held,
                      struct text name, uint64_t where)
{
    uint32_t value = (uint32_t)policy << POLICY_SHIFT | (held ? HELD_BIT : 0) | kind;
    int r;

    if (policy >= UINT32_MAX >> POLICY_SHIFT)
        return BUILDER_FULL;
    r = domain_table_builder_add(&builder->table, name, value, where);
    if (r == 0)
        builder->n_held += held;
    return r > 0 ? BUILDER_FULL : r;
}

static int reserve_policy(struct builder *builder)
{
    size_t capacity = builder->policies_capacity ? builder->policies_capacity * 2 : 16;
    struct policy *policies;

    if (builder->n_policies < builder->policies_capacity)
        return 0;
    policies = reallocarray(builder->policies, capacity, sizeof(*policies));
    if (!policies)
        return -ENOMEM;
    builder->policies = policies;
    builder->policies_capacity = capacity;
    return 0;
}

int builder_add_policy(struct builder *builder, const struct policy_spec *spec, uint64_t where,
                       uint32_t *policy)
{
    struct policy built = {0};
    size_t number = builder->n_policies;
    int r = reserve_policy(builder);

    r = r ? r
          : policy_records_make(&builder->arena, spec, spec->zones ? &builder->zone_settings : NULL,
                                &built);
    r = r ? r
          : add_domain(builder, number, DOMAIN_PRIMARY, spec->held, name_text(&spec->primary),
                       where);
    if (r)
        return r;
    builder->has_zones |= built.zones;
    builder->policies[builder->n_policies++] = built;
    *policy = (uint32_t)number;
    return 0;
}

int builder_add_member(struct builder *builder, uint32_t policy, enum domain_kind kind, bool held,
                       const struct name *domain, uint64_t where)
{
    return add_domain(builder, policy, kind, held, name_text(domain), where);
}

/* What stands between the table's clashes and the caller. */
struct clash_context {
    void (*clash)(const struct builder_clash *clash, void *context);
    void *context;
    size_t n_held; /* of the domains that were added again */
};

static void pass_clash(const struct domain_table_clash *clash, void *context)
{
    struct clash_context *to = context;
    struct builder_clash report = {
        .name = clash->again.name,
        .first_policy = clash->first.value >> POLICY_SHIFT,
        .first_where = clash->first_mark,
        .policy = clash->again.value >> POLICY_SHIFT,
        .where = clash->again_mark,
    };

    to->n_held += (clash->again.value & HELD_BIT) != 0;
    to->clash(&report, to->context);
}

static struct domain domain_from(const struct policy *policies,
                                 const struct domain_table_entry *entry)
{
    return (struct domain){
        .name = entry->name,
        .kind = entry->value & ((1U << KIND_BITS) - 1),
        .held = entry->value & HELD_BIT,
        .policy = &policies[entry->value >> POLICY_SHIFT],
        .position = entry->position,
    };
}

/* Writes the name of the apex at an owner of a domain. Returns a view of it. */
static struct text apex_name(const struct snapshot *snapshot, const struct domain *domain,
                             enum owner owner, struct name *out)
{
    struct zone_slot slot = {.position = domain->position, .owner = owner};

    zones_name(&slot, snapshot->table, TEXT(""), out);
    return name_text(out);
}

static int add_zones_of(struct snapshot *snapshot, const struct domain *domain)
{
    for (enum owner owner = 0; owner < OWNER_COUNT; owner++) {
        struct name name;
        int r;

        if (!domain_has_zone(domain, owner))
            continue;
        r = zones_add(&snapshot->own_zones, domain->position, owner,
                      apex_name(snapshot, domain, owner, &name));
        if (r)
            return r;
    }
    return 0;
}

static struct text catalog_name(const struct snapshot *snapshot)
{
    const struct name *name = &snapshot->zone_settings.catalog;

    return name_text(name);
}

static int index_zones(struct snapshot *snapshot)
{
    struct text catalog = catalog_name(snapshot);
    struct domain domain;
    size_t cursor = 0;
    int r = 0;

    while (r == 0 && snapshot_next_domain(snapshot, &cursor, &domain))
        r = add_zones_of(snapshot, &domain);
    if (r == 0 && catalog.length)
        r = zones_add(&snapshot->own_zones, 0, OWNER_COUNT, catalog);
    if (r == 0)
        zones_settle(&snapshot->own_zones, snapshot->table, catalog);
    return r;
}

int builder_freeze(struct builder *builder,
                   void (*clash)(const struct builder_clash *clash, void *context), void *context,
                   struct snapshot **out)
{
    struct clash_context to = {clash, context, 0};
    struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
    bool has_zones = builder->has_zones;
    int r;

    if (!snapshot)
        return -ENOMEM;
    r = domain_table_build(&builder->table, pass_clash, &to, &snapshot->own_table);
    if (r) {
        free(snapshot);
        return r;
    }
    snapshot->references = 1;
    snapshot->table = &snapshot->own_table;
    snapshot->arena = builder->arena;
    snapshot->policies = builder->policies;
    snapshot->n_policies = builder->n_policies;
    snapshot->n_held = builder->n_held - to.n_held;
    snapshot->zone_settings = builder->zone_settings;
    snapshot->zones = &snapshot->own_zones;
    snapshot->late = &snapshot->own_late;
    *builder = (struct builder){0};
    r = has_zones ? index_zones(snapshot) : 0;
    if (r) {
        snapshot_unref(snapshot);
        return r;
    }
    *out = snapshot;
    return 0;
}

const struct policy *snapshot_same_policy(const struct snapshot *snapshot,
                                          const struct policy *policy)
{
    struct domain domain;

    if (!snapshot_find(snapshot, policy->primary, &domain) || domain.kind != DOMAIN_PRIMARY)
        return NULL;
    return domain.policy;
}

static bool same_name(const struct name *a, const struct name *b)
{
    return text_equals(name_text(a), name_text(b));
}

/* Whether the SOA records of two snapshots are the same, serials aside. */
static bool same_authority(const struct snapshot *a, const struct snapshot *b)
{
    const struct zone_settings *one = &a->zone_settings, *other = &b->zone_settings;

    return one->n_nameservers && other->n_nameservers &&
           same_name(&one->nameservers[0], &other->nameservers[0]) &&
           same_name(&one->hostmaster, &other->hostmaster);
}

/* The serial of a policy whose zones are the same as in the snapshot before; else the one given. */
static uint32_t policy_serial(const struct snapshot *snapshot, const struct policy *policy,
                              const struct snapshot *before, uint32_t changed)
{
    const struct policy *old = before ? snapshot_same_policy(before, policy) : NULL;

    if (old && old->zones && policy_records_same(old, policy) && same_authority(before, snapshot))
        return old->serial;
    return changed;
}

static uint32_t new_catalog_serial(const struct snapshot *snapshot, const struct snapshot *before,
                                   uint32_t newest)
{
    if (!before || !text_equals(catalog_name(before), catalog_name(snapshot)))
        return newest;
    if (before->zones->n == snapshot->zones->n && before->zones->sum == snapshot->zones->sum &&
        same_authority(before, snapshot))
        return before->catalog_serial;
    return newest;
}

/* The serial of a domain that came late to its policy, or 0. */
static uint32_t late_serial(const struct snapshot *snapshot, uint32_t position)
{
    size_t low = 0, high = snapshot->late->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (snapshot->late->items[middle].position < position)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == snapshot->late->n || snapshot->late->items[low].position != position)
        return 0;
    return snapshot->late->items[low].serial;
}

uint32_t snapshot_domain_serial(const struct snapshot *snapshot, const struct domain *domain)
{
    uint32_t late = late_serial(snapshot, domain->position);

    return late > domain->policy->serial ? late : domain->policy->serial;
}

/* The serial that a domain's zones need whatever its policy has, or 0. */
static uint32_t needed_serial(const struct domain *domain, const struct snapshot *before,
                              uint32_t newest)
{
    struct domain old;

    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): where there are domains are policies */
    if (!snapshot_find(before, domain->name, &old) || !old.policy->zones ||
        !text_equals(old.policy->primary, domain->policy->primary))
        return newest;
    if (domain->policy->serial != old.policy->serial && late_serial(before, old.position))
        return newest;
    return late_serial(before, old.position);
}

static int add_late(struct late_domains *late, uint32_t position, uint32_t serial)
{
    size_t capacity = late->capacity ? late->capacity * 2 : 16;
    struct late_domain *items;

    if (late->n == late->capacity) {
        items = reallocarray(late->items, capacity, sizeof(*items));
        if (!items)
            return -ENOMEM;
        late->items = items;
        late->capacity = capacity;
    }
    late->items[late->n++] = (struct late_domain){position, serial};
    return 0;
}

/* Whether a policy has own zones, though all of them may be held back. */
static bool any_has_zones(const struct snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->n_policies; i++)
        if (snapshot->policies[i].zones)
            return true;
    return false;
}

static int find_late(struct snapshot *snapshot, const struct snapshot *before, uint32_t newest)
{
    struct domain domain;
    size_t cursor = 0;
    int r = 0;

    snapshot->own_late.n = 0;
    if (!before || !any_has_zones(snapshot))
        return 0;
    while (r == 0 && snapshot_next_domain(snapshot, &cursor, &domain)) {
        uint32_t serial = domain.policy->zones ? needed_serial(&domain, before, newest) : 0;

        if (serial > domain.policy->serial)
            r = add_late(&snapshot->own_late, domain.position, serial);
    }
    return r;
}

/* The highest serial that a zone has had up to a snapshot. */
static uint32_t last_serial(const struct snapshot *snapshot)
{
    uint32_t highest = snapshot_highest_serial(snapshot);

    return highest > snapshot->past_serial ? highest : snapshot->past_serial;
}

int snapshot_set_serials(struct snapshot *snapshot, const struct snapshot *before, uint32_t newest)
{
    snapshot->past_serial = before ? last_serial(before) : 0;
    /* A zone that is new may have been there earlier, or have been the catalog zone. */
    if (newest <= snapshot->past_serial)
        newest = snapshot->past_serial + 1;
    snapshot->newest = newest;
    /* Also where every domain is held back, so that no policy has a zone yet. */
    for (size_t i = 0; i < snapshot->n_policies; i++)
        if (snapshot->policies[i].zones)
            snapshot->policies[i].serial =
                policy_serial(snapshot, &snapshot->policies[i], before, newest);
    snapshot->catalog_serial = new_catalog_serial(snapshot, before, newest);
    return find_late(snapshot, before, newest);
}

/* Sets the serial of a policy that announces another id for a while: below the one that it will
 * have then, which leaves room above all that there were. */
static void delay_serial(const struct snapshot *snapshot, struct policy *policy,
                         struct policy *later, const struct snapshot *before)
{
    if (later->serial < snapshot->past_serial + 2)
        later->serial = snapshot->past_serial + 2;
    policy->serial = policy_serial(snapshot, policy, before, later->serial - 1);
}

static int announce(struct snapshot *snapshot, const struct snapshot *before,
                    const struct announcement *announcement)
{
    struct policy *policy = &snapshot->policies[announcement->policy];
    int r = policy_records_announce(&snapshot->arena, policy, announcement->id);

    if (r == 0 && policy->zones)
        delay_serial(snapshot, policy, &snapshot->base->policies[announcement->policy], before);
    return r;
}

/* Fills a new snapshot with what another one has. */
static int share(struct snapshot *snapshot, struct snapshot *from)
{
    snapshot->references = 1;
    snapshot->base = snapshot_ref(from);
    snapshot->table = from->table;
    snapshot->n_policies = from->n_policies;
    snapshot->n_held = from->n_held;
    snapshot->zone_settings = from->zone_settings;
    snapshot->zones = from->zones;
    snapshot->late = from->late;
    snapshot->catalog_serial = from->catalog_serial;
    snapshot->past_serial = from->past_serial;
    snapshot->policies = calloc(from->n_policies, sizeof(*snapshot->policies));
    if (!snapshot->policies)
        return -ENOMEM;
    memcpy(snapshot->policies, from->policies, from->n_policies * sizeof(*snapshot->policies));
    return 0;
}

int snapshot_announce(struct snapshot *from, const struct snapshot *before,
                      const struct announcement *announcements, size_t n, struct snapshot **out)
{
    struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
    uint32_t newest = from->newest - 1;
    int r;

    if (!snapshot)
        return -ENOMEM;
    if (newest <= from->past_serial)
        newest = from->newest;
    r = share(snapshot, from);
    for (size_t i = 0; i < n && r == 0; i++)
        r = announce(snapshot, before, &announcements[i]);
    /* Their serials are lower, so more domains may need others. */
    if (r == 0)
        r = find_late(snapshot, before, newest);
    snapshot->late = &snapshot->own_late;
    if (r) {
        snapshot_unref(snapshot);
        return r;
    }
    *out = snapshot;
    return 0;
}

struct snapshot *snapshot_ref(struct snapshot *snapshot)
{
    atomic_fetch_add_explicit(&snapshot->references, 1, memory_order_relaxed);
    return snapshot;
}

struct snapshot *snapshot_unref(struct snapshot *snapshot)
{
    if (!snapshot || atomic_fetch_sub_explicit(&snapshot->references, 1, memory_order_acq_rel) != 1)
        return NULL;
    domain_table_deinit(&snapshot->own_table);
    zones_deinit(&snapshot->own_zones);
    free(snapshot->own_late.items);
    arena_deinit(&snapshot->arena);
    free(snapshot->policies);
    snapshot_unref(snapshot->base);
    free(snapshot);
    return NULL;
}

bool snapshot_find(const struct snapshot *snapshot, struct text name, struct domain *out)
{
    struct domain_table_entry entry;

    if (!domain_table_find(snapshot->table, name, &entry))
        return false;
    *out = domain_from(snapshot->policies, &entry);
    return true;
}

bool snapshot_next_domain(const struct snapshot *snapshot, size_t *cursor, struct domain *out)
{
    struct domain_table_entry entry;

    if (!domain_table_next(snapshot->table, cursor, &entry))
        return false;
    *out = domain_from(snapshot->policies, &entry);
    return true;
}

size_t snapshot_size(const struct snapshot *snapshot)
{
    size_t own = sizeof(*snapshot) + snapshot->arena.total +
                 snapshot->n_policies * sizeof(*snapshot->policies) +
                 snapshot->own_zones.capacity * sizeof(*snapshot->own_zones.slots) +
                 snapshot->own_late.capacity * sizeof(*snapshot->own_late.items);

    return own +
           (snapshot->base ? snapshot_size(snapshot->base) : domain_table_size(snapshot->table));
}

size_t snapshot_n_domains(const struct snapshot *snapshot)
{
    return snapshot->table->n;
}

size_t snapshot_n_held(const struct snapshot *snapshot)
{
    return snapshot->n_held;
}

size_t snapshot_n_policies(const struct snapshot *snapshot)
{
    return snapshot->n_policies;
}

const struct policy *snapshot_policy(const struct snapshot *snapshot, size_t number)
{
    return &snapshot->policies[number];
}

size_t snapshot_policy_number(const struct snapshot *snapshot, const struct policy *policy)
{
    return (size_t)(policy - snapshot->policies);
}

void snapshot_at(const struct snapshot *snapshot, uint32_t position, struct domain *out)
{
    struct domain_table_entry entry = domain_table_at(snapshot->table, position);

    *out = domain_from(snapshot->policies, &entry);
}

struct rows domain_rows(const struct domain *domain, enum owner owner)
{
    const struct policy *policy = domain->policy;

    if (owner == OWNER_MTA_STS && domain->held)
        return (struct rows){0};
    return domain->kind == DOMAIN_CNAME ? policy->aliases[owner] : policy->rows[owner];
}

bool domain_has_zone(const struct domain *domain, enum owner owner)
{
    return policy_has_zone(domain->policy, owner) && domain_rows(domain, owner).n > 0;
}

const struct zone_settings *snapshot_zone_settings(const struct snapshot *snapshot)
{
    return &snapshot->zone_settings;
}

size_t snapshot_n_zones(const struct snapshot *snapshot)
{
    return snapshot->zones->n;
}

/* The domain of a zone that is not the catalog zone. */
static struct domain zone_domain(const struct snapshot *snapshot, const struct zone_slot *slot)
{
    struct domain_table_entry entry = domain_table_at(snapshot->table, slot->position);

    return domain_from(snapshot->policies, &entry);
}

uint32_t snapshot_zone_serial(const struct snapshot *snapshot, size_t number)
{
    const struct zone_slot *slot = &snapshot->zones->slots[number];
    struct domain domain;

    if (slot->position == 0)
        return snapshot->catalog_serial;
    domain = zone_domain(snapshot, slot);
    return snapshot_domain_serial(snapshot, &domain);
}

uint32_t snapshot_highest_serial(const struct snapshot *snapshot)
{
    uint32_t highest = snapshot_has_catalog(snapshot) ? snapshot->catalog_serial : 0;

    for (size_t i = 0; i < snapshot->n_policies; i++)
        if (snapshot->policies[i].serial > highest)
            highest = snapshot->policies[i].serial;
    for (size_t i = 0; i < snapshot->late->n; i++)
        if (snapshot->late->items[i].serial > highest)
            highest = snapshot->late->items[i].serial;
    return highest;
}

void snapshot_zone(const struct snapshot *snapshot, size_t number, struct zone *out)
{
    const struct zone_slot *slot = &snapshot->zones->slots[number];

    *out = (struct zone){.id = slot->id, .owner = slot->owner};
    zones_name(slot, snapshot->table, catalog_name(snapshot), &out->name);
    out->catalog = slot->position == 0;
    out->serial = snapshot_zone_serial(snapshot, number);
    if (!out->catalog)
        out->domain = zone_domain(snapshot, slot);
}

void snapshot_domain_zone(const struct snapshot *snapshot, const struct domain *domain,
                          enum owner owner, struct zone *out)
{
    struct text apex;
    struct name name;

    apex = apex_name(snapshot, domain, owner, &name);
    snapshot_zone(snapshot, zones_find(snapshot->zones, domain->position, owner, apex), out);
}

bool snapshot_has_catalog(const struct snapshot *snapshot)
{
    return snapshot->zone_settings.catalog.length > 0;
}

bool snapshot_catalog(const struct snapshot *snapshot, struct zone *out)
{
    struct text name = catalog_name(snapshot);

    if (name.length == 0)
        return false;
    snapshot_zone(snapshot, zones_find(snapshot->zones, 0, OWNER_COUNT, name), out);
    return true;
}

const struct zones *snapshot_zones(const struct snapshot *snapshot)
{
    return snapshot->zones;
}
