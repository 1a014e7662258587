#include "snapshot.h"

#include "arena.h"
#include "table.h"

#include <arpa/inet.h>
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
    struct table_builder table;
    struct arena arena;
    struct policy *policies;
    size_t n_policies, policies_capacity;
    size_t n_held; /* of the domains added, and those added again */
};

struct snapshot {
    atomic_uint references;
    struct snapshot *base;     /* a reference to the one that the rest comes from, or NULL */
    const struct table *table; /* one's own, or that of the base */
    struct table own_table;
    struct arena arena; /* what the policies point at, beside what the base has */
    struct policy *policies;
    size_t n_policies;
    size_t n_held;
};

struct text owner_prefix(enum owner owner)
{
    static const struct text prefixes[] = {
        [OWNER_MTA_STS] = {"_mta-sts.", 9},
        [OWNER_TLSRPT] = {"_smtp._tls.", 11},
        [OWNER_TLS] = {"_tls.", 5},
        [OWNER_POLICY_HOST] = {"mta-sts.", 8},
    };

    return prefixes[owner];
}

struct text record_type_text(enum record_type type)
{
    static const struct text texts[] = {
        [RECORD_ENT] = {"ENT", 3},     [RECORD_A] = {"A", 1},     [RECORD_AAAA] = {"AAAA", 4},
        [RECORD_CNAME] = {"CNAME", 5}, [RECORD_TXT] = {"TXT", 3},
    };

    return texts[type];
}

int builder_new(uint64_t seed, struct builder **out)
{
    struct builder *builder = calloc(1, sizeof(*builder));

    if (!builder)
        return -ENOMEM;
    table_builder_init(&builder->table, seed);
    *out = builder;
    return 0;
}

void builder_free(struct builder *builder)
{
    if (!builder)
        return;
    table_builder_deinit(&builder->table);
    arena_deinit(&builder->arena);
    free(builder->policies);
    free(builder);
}

static int add_domain(struct builder *builder, size_t policy, enum domain_kind kind, bool held,
                      struct text name, uint64_t where)
{
    uint32_t value = (uint32_t)policy << POLICY_SHIFT | (held ? HELD_BIT : 0) | kind;
    int r;

    if (policy >= UINT32_MAX >> POLICY_SHIFT)
        return BUILDER_FULL;
    r = table_builder_add(&builder->table, name, value, where);
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

/* Copies what a buffer holds and empties it. */
static int keep(struct arena *arena, struct buffer *buffer, struct text *out)
{
    int r = -ENOMEM;

    if (!buffer->failed)
        r = arena_copy_text(arena, (struct text){buffer->data, buffer->length}, out);
    buffer_clear(buffer);
    return r;
}

/* Gives an owner one row with the content that a buffer holds. */
static int keep_row(struct arena *arena, enum record_type type, struct buffer *content,
                    struct rows *out)
{
    struct row *row = arena_alloc(arena, sizeof(*row));

    if (!row)
        return -ENOMEM;
    row->type = type;
    *out = (struct rows){.first = row, .n = 1};
    return keep(arena, content, &row->content);
}

static int keep_txt(struct arena *arena, struct buffer *value, struct rows *out)
{
    CLEANUP(buffer_deinit) struct buffer content = BUFFER_INIT;

    txt_write_content(&content, (struct text){value->data, value->length});
    content.failed |= value->failed;
    buffer_clear(value);
    return keep_row(arena, RECORD_TXT, &content, out);
}

/* The TXT record that announces a policy's id. */
static int build_announcement(struct arena *arena, struct policy *policy)
{
    CLEANUP(buffer_deinit) struct buffer value = BUFFER_INIT;

    buffer_printf(&value, "v=STSv1; id=%s", policy->id.data);
    return keep_txt(arena, &value, &policy->rows[OWNER_MTA_STS]);
}

/* The policy body, its own id and the announced one, and the TXT record that announces it. */
static int build_mta_sts(struct arena *arena, const struct policy_spec *spec, struct policy *policy)
{
    CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_INIT;
    char id[POLICY_ID_MAX + 1];
    int r;

    policy_write_body(&buffer, spec);
    r = keep(arena, &buffer, &policy->body);
    if (r)
        return r;
    policy_derive_id(policy->body, id);
    r = arena_copy_text(arena, text_from(id), &policy->own_id);
    if (r)
        return r;
    policy->id = policy->own_id;
    if (spec->fixed_id) {
        r = arena_copy_text(arena, text_from(spec->fixed_id), &policy->id);
        if (r)
            return r;
        policy->fixed_id = true;
    }
    return build_announcement(arena, policy);
}

static int build_tlsrpt(struct arena *arena, const struct policy_spec *spec, struct policy *policy)
{
    CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_INIT;
    int r;

    buffer_add_string(&buffer, "v=TLSRPTv1; rua=");
    for (size_t i = 0; i < spec->n_rua; i++)
        buffer_printf(&buffer, "%s%s", i ? "," : "", spec->rua[i]);
    r = keep_txt(arena, &buffer, &policy->rows[OWNER_TLSRPT]);
    if (r)
        return r;
    return keep_row(arena, RECORD_ENT, &buffer, &policy->rows[OWNER_TLS]);
}

static int build_addresses(struct arena *arena, const struct policy_spec *spec, struct rows *out)
{
    struct row *rows = arena_alloc(arena, spec->n_addresses * sizeof(*rows));

    if (!rows)
        return -ENOMEM;
    for (size_t i = 0; i < spec->n_addresses; i++) {
        const struct address *address = &spec->addresses[i];
        char text[INET6_ADDRSTRLEN];
        int r;

        inet_ntop(address->family, address->octets, text, sizeof(text));
        rows[i].type = address->family == AF_INET ? RECORD_A : RECORD_AAAA;
        r = arena_copy_text(arena, text_from(text), &rows[i].content);
        if (r)
            return r;
    }
    *out = (struct rows){.first = rows, .n = spec->n_addresses};
    return 0;
}

static int build_policy_host(struct arena *arena, const struct policy_spec *spec,
                             struct policy *policy)
{
    CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_INIT;

    if (spec->n_addresses)
        return build_addresses(arena, spec, &policy->rows[OWNER_POLICY_HOST]);
    buffer_printf(&buffer, "%s.", spec->policy_host.text);
    return keep_row(arena, RECORD_CNAME, &buffer, &policy->rows[OWNER_POLICY_HOST]);
}

/* What cname members get: an alias of each owner that the primary has, and the same empty
 * non-terminal. */
static int build_aliases(struct arena *arena, struct policy *policy)
{
    CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_INIT;
    int r;

    for (enum owner owner = 0; owner < OWNER_COUNT; owner++) {
        if (policy->rows[owner].n == 0)
            continue;
        if (owner == OWNER_TLS) {
            policy->aliases[owner] = policy->rows[owner];
            continue;
        }
        buffer_printf(&buffer, "%s%s.", owner_prefix(owner).data, policy->primary.data);
        r = keep_row(arena, RECORD_CNAME, &buffer, &policy->aliases[owner]);
        if (r)
            return r;
    }
    return 0;
}

static int build_policy(struct arena *arena, const struct policy_spec *spec, struct policy *policy)
{
    int r;

    policy->mode = spec->mode;
    policy->ttl = spec->ttl;
    policy->announce_delay = spec->announce_delay;
    policy->max_age = spec->max_age;
    r = arena_copy_text(arena, (struct text){spec->primary.text, spec->primary.length},
                        &policy->primary);
    if (!r && spec->mode != POLICY_MODE_ABSENT)
        r = build_mta_sts(arena, spec, policy);
    if (!r && spec->mode != POLICY_MODE_ABSENT && (spec->n_addresses || spec->policy_host.length))
        r = build_policy_host(arena, spec, policy);
    if (!r && spec->n_rua)
        r = build_tlsrpt(arena, spec, policy);
    return r ? r : build_aliases(arena, policy);
}

int builder_add_policy(struct builder *builder, const struct policy_spec *spec, uint64_t where,
                       uint32_t *policy)
{
    struct policy built = {0};
    size_t number = builder->n_policies;
    int r = reserve_policy(builder);

    r = r ? r : build_policy(&builder->arena, spec, &built);
    r = r ? r
          : add_domain(builder, number, DOMAIN_PRIMARY, spec->held,
                       (struct text){spec->primary.text, spec->primary.length}, where);
    if (r)
        return r;
    builder->policies[builder->n_policies++] = built;
    *policy = (uint32_t)number;
    return 0;
}

int builder_add_member(struct builder *builder, uint32_t policy, enum domain_kind kind, bool held,
                       const struct name *domain, uint64_t where)
{
    return add_domain(builder, policy, kind, held, (struct text){domain->text, domain->length},
                      where);
}

/* What stands between the table's clashes and the caller. */
struct clash_context {
    void (*clash)(const struct builder_clash *clash, void *context);
    void *context;
    size_t n_held; /* of the domains that were added again */
};

static void pass_clash(const struct table_clash *clash, void *context)
{
    struct clash_context *to = context;
    struct builder_clash report = {
        .name = clash->again.name,
        .first_policy = clash->first.value >> POLICY_SHIFT,
        .first_where = clash->first_where,
        .policy = clash->again.value >> POLICY_SHIFT,
        .where = clash->again_where,
    };

    to->n_held += (clash->again.value & HELD_BIT) != 0;
    to->clash(&report, to->context);
}

static struct domain domain_from(const struct policy *policies, const struct table_entry *entry)
{
    return (struct domain){
        .name = entry->name,
        .kind = entry->value & ((1U << KIND_BITS) - 1),
        .held = entry->value & HELD_BIT,
        .policy = &policies[entry->value >> POLICY_SHIFT],
    };
}

int builder_freeze(struct builder *builder,
                   void (*clash)(const struct builder_clash *clash, void *context), void *context,
                   struct snapshot **out)
{
    struct clash_context to = {clash, context, 0};
    struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
    int r;

    if (!snapshot)
        return -ENOMEM;
    r = table_build(&builder->table, pass_clash, &to, &snapshot->own_table);
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
    *builder = (struct builder){0};
    *out = snapshot;
    return 0;
}

static int announce(struct snapshot *snapshot, const struct announcement *announcement)
{
    struct policy *policy = &snapshot->policies[announcement->policy];
    int r = arena_copy_text(&snapshot->arena, announcement->id, &policy->id);

    return r ? r : build_announcement(&snapshot->arena, policy);
}

/* Fills a new snapshot with what another one has. */
static int share(struct snapshot *snapshot, struct snapshot *from)
{
    snapshot->references = 1;
    snapshot->base = snapshot_ref(from);
    snapshot->table = from->table;
    snapshot->n_policies = from->n_policies;
    snapshot->n_held = from->n_held;
    snapshot->policies = calloc(from->n_policies, sizeof(*snapshot->policies));
    if (!snapshot->policies)
        return -ENOMEM;
    memcpy(snapshot->policies, from->policies, from->n_policies * sizeof(*snapshot->policies));
    return 0;
}

int snapshot_announce(struct snapshot *from, const struct announcement *announcements, size_t n,
                      struct snapshot **out)
{
    struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
    int r;

    if (!snapshot)
        return -ENOMEM;
    r = share(snapshot, from);
    for (size_t i = 0; i < n && r == 0; i++)
        r = announce(snapshot, &announcements[i]);
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
    table_deinit(&snapshot->own_table);
    arena_deinit(&snapshot->arena);
    free(snapshot->policies);
    snapshot_unref(snapshot->base);
    free(snapshot);
    return NULL;
}

bool snapshot_find(const struct snapshot *snapshot, struct text name, struct domain *out)
{
    struct table_entry entry;

    if (!table_find(snapshot->table, name, &entry))
        return false;
    *out = domain_from(snapshot->policies, &entry);
    return true;
}

bool snapshot_next_domain(const struct snapshot *snapshot, size_t *cursor, struct domain *out)
{
    struct table_entry entry;

    if (!table_next(snapshot->table, cursor, &entry))
        return false;
    *out = domain_from(snapshot->policies, &entry);
    return true;
}

size_t snapshot_size(const struct snapshot *snapshot)
{
    size_t own = sizeof(*snapshot) + snapshot->arena.total +
                 snapshot->n_policies * sizeof(*snapshot->policies);

    return own + (snapshot->base ? snapshot_size(snapshot->base) : table_size(snapshot->table));
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

struct rows domain_rows(const struct domain *domain, enum owner owner)
{
    const struct policy *policy = domain->policy;

    if (owner == OWNER_MTA_STS && domain->held)
        return (struct rows){0};
    return domain->kind == DOMAIN_CNAME ? policy->aliases[owner] : policy->rows[owner];
}
