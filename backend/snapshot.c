#include "snapshot.h"

#include "arena.h"
#include "table.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdatomic.h>

enum { KIND_BITS = 2 }; /* a table value is the policy's number and, below it, the domain's kind */

/* Where a domain was listed; kept only until the builder is frozen. */
struct origin {
    uint64_t where;
    size_t position; /* in the table */
};

struct builder {
    struct table table;
    struct arena arena;
    struct policy *policies;
    size_t n_policies, policies_capacity;
    struct origin *origins; /* of all domains, their positions ascending */
    size_t n_origins, origins_capacity;
};

struct snapshot {
    atomic_uint references;
    struct table table;
    struct arena arena; /* what the policies point at */
    struct policy *policies;
    size_t n_policies;
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
    table_init(&builder->table, seed);
    *out = builder;
    return 0;
}

void builder_free(struct builder *builder)
{
    if (!builder)
        return;
    table_deinit(&builder->table);
    arena_deinit(&builder->arena);
    free(builder->policies);
    free(builder->origins);
    free(builder);
}

/* Makes room in an array for one element more. */
static int reserve_one(void **array, size_t n, size_t *capacity, size_t element)
{
    size_t larger = *capacity ? *capacity * 2 : 16;
    void *grown;

    if (n < *capacity)
        return 0;
    grown = reallocarray(*array, larger, element);
    if (!grown)
        return -ENOMEM;
    *array = grown;
    *capacity = larger;
    return 0;
}

static int compare_position(const void *key, const void *element)
{
    size_t position = *(const size_t *)key;
    const struct origin *origin = element;

    return position < origin->position ? -1 : position > origin->position;
}

static struct builder_clash clash_at(const struct builder *builder, size_t position)
{
    const struct origin *origin = bsearch(&position, builder->origins, builder->n_origins,
                                          sizeof(*builder->origins), compare_position);

    return (struct builder_clash){
        .policy = table_at(&builder->table, position).value >> KIND_BITS,
        .where = origin->where,
    };
}

static int add_domain(struct builder *builder, size_t policy, enum domain_kind kind,
                      struct text name, uint64_t where, struct builder_clash *clash)
{
    size_t position = builder->table.used;
    int r;

    if (policy > UINT32_MAX >> KIND_BITS)
        return BUILDER_FULL;
    r = reserve_one((void **)&builder->origins, builder->n_origins, &builder->origins_capacity,
                    sizeof(*builder->origins));
    if (r)
        return r;
    r = table_add(&builder->table, name, (uint32_t)policy << KIND_BITS | kind, &position);
    if (r == TABLE_EXISTS) {
        *clash = clash_at(builder, position);
        return BUILDER_DUPLICATE;
    }
    if (r)
        return r < 0 ? r : BUILDER_FULL;
    builder->origins[builder->n_origins++] = (struct origin){.where = where, .position = position};
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
    buffer_printf(&buffer, "v=STSv1; id=%s", policy->id.data);
    return keep_txt(arena, &buffer, &policy->rows[OWNER_MTA_STS]);
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
    policy->n_domains[DOMAIN_PRIMARY] = 1;
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
                       uint32_t *policy, struct builder_clash *clash)
{
    struct policy built = {0};
    size_t number = builder->n_policies;
    int r;

    r = reserve_one((void **)&builder->policies, number, &builder->policies_capacity,
                    sizeof(*builder->policies));
    if (r)
        return r;
    r = build_policy(&builder->arena, spec, &built);
    if (r)
        return r;
    r = add_domain(builder, number, DOMAIN_PRIMARY,
                   (struct text){spec->primary.text, spec->primary.length}, where, clash);
    if (r)
        return r;
    builder->policies[builder->n_policies++] = built;
    *policy = (uint32_t)number;
    return 0;
}

int builder_add_member(struct builder *builder, uint32_t policy, enum domain_kind kind,
                       const struct name *domain, uint64_t where, struct builder_clash *clash)
{
    int r = add_domain(builder, policy, kind, (struct text){domain->text, domain->length}, where,
                       clash);

    if (r)
        return r;
    builder->policies[policy].n_domains[kind]++;
    return 0;
}

bool builder_find(const struct builder *builder, struct text name, uint32_t *policy)
{
    struct table_entry entry;

    if (!table_find(&builder->table, name, &entry))
        return false;
    *policy = entry.value >> KIND_BITS;
    return true;
}

int builder_freeze(struct builder *builder, struct snapshot **out)
{
    struct snapshot *snapshot;
    int r;

    r = table_trim(&builder->table);
    if (r)
        return r;
    snapshot = malloc(sizeof(*snapshot));
    if (!snapshot)
        return -ENOMEM;
    *snapshot = (struct snapshot){
        .references = 1,
        .table = builder->table,
        .arena = builder->arena,
        .policies = builder->policies,
        .n_policies = builder->n_policies,
    };
    free(builder->origins);
    *builder = (struct builder){0};
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
    table_deinit(&snapshot->table);
    arena_deinit(&snapshot->arena);
    free(snapshot->policies);
    free(snapshot);
    return NULL;
}

static struct domain domain_from(const struct snapshot *snapshot, const struct table_entry *entry)
{
    return (struct domain){
        .name = entry->name,
        .kind = entry->value & ((1U << KIND_BITS) - 1),
        .policy = &snapshot->policies[entry->value >> KIND_BITS],
    };
}

bool snapshot_find(const struct snapshot *snapshot, struct text name, struct domain *out)
{
    struct table_entry entry;

    if (!table_find(&snapshot->table, name, &entry))
        return false;
    *out = domain_from(snapshot, &entry);
    return true;
}

bool snapshot_next_domain(const struct snapshot *snapshot, size_t *cursor, struct domain *out)
{
    struct table_entry entry;

    if (!table_next(&snapshot->table, cursor, &entry))
        return false;
    *out = domain_from(snapshot, &entry);
    return true;
}

size_t snapshot_n_domains(const struct snapshot *snapshot)
{
    return snapshot->table.n;
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

    return domain->kind == DOMAIN_CNAME ? policy->aliases[owner] : policy->rows[owner];
}
