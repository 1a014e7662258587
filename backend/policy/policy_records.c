#include "policy/policy_records.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

struct text owner_prefix(enum owner owner)
{
    static const struct text prefixes[] = {
        [OWNER_MTA_STS] = {"_mta-sts.", 9},
        [OWNER_TLSRPT] = {"_smtp._tls.", 11},
        [OWNER_TLS_PARENT] = {"_tls.", 5},
        [OWNER_POLICY_HOST] = {"mta-sts.", 8},
    };

    return prefixes[owner];
}

bool owner_match(enum owner owner, struct text name, struct text *domain)
{
    struct text prefix = owner_prefix(owner);

    if (name.length <= prefix.length || !text_starts_with(name, prefix))
        return false;
    *domain = text_after(name, prefix.length);
    return true;
}

void owner_name(enum owner owner, struct text domain, struct name *out)
{
    struct text prefix = owner_prefix(owner);

    out->length = (uint8_t)(prefix.length + domain.length);
    memcpy(out->text, prefix.data, prefix.length);
    memcpy(out->text + prefix.length, domain.data, domain.length);
    out->text[out->length] = '\0';
}

/* Copies what a buffer holds and empties it. */
static int keep(struct arena *arena, struct buffer *buffer, struct text *out)
{
    int r = -ENOMEM;

    if (!buffer->failed)
        r = arena_copy_text(arena, buffer_text(buffer), out);
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

    record_write_txt(&content, buffer_text(value));
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
    r = arena_copy_text(arena, text_from(id), &policy->body_id);
    if (r)
        return r;
    policy->id = policy->body_id;
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
    return keep_row(arena, RECORD_ENT, &buffer, &policy->rows[OWNER_TLS_PARENT]);
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
        if (owner == OWNER_TLS_PARENT) {
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

size_t soa_write(char *text, size_t size, const struct zone_settings *zones, uint32_t serial)
{
    int length =
        snprintf(text, size, "%s. %s. %u %d %d %d %d", zones->nameservers[0].text,
                 zones->hostmaster.text, serial, SOA_REFRESH, SOA_RETRY, SOA_EXPIRE, SOA_MINIMUM);

    return (size_t)length;
}

/* Puts SOA and NS rows before what a policy has at an apex. */
static int build_apex(struct arena *arena, struct policy *policy, enum owner owner,
                      const struct zone_settings *zones)
{
    CLEANUP(buffer_deinit) struct buffer content = BUFFER_INIT;
    struct rows inner = policy->rows[owner];
    struct row *rows;
    int r;

    /* An apex is no empty non-terminal. */
    if (owner == OWNER_TLS_PARENT)
        inner.n = 0;
    rows = arena_alloc(arena, (policy->n_apex_rows + inner.n) * sizeof(*rows));
    if (!rows)
        return -ENOMEM;
    rows[0] = (struct row){.type = RECORD_SOA, .content = TEXT("")};
    for (size_t i = 0; i < zones->n_nameservers; i++) {
        buffer_printf(&content, "%s.", zones->nameservers[i].text);
        rows[1 + i].type = RECORD_NS;
        r = keep(arena, &content, &rows[1 + i].content);
        if (r)
            return r;
    }
    if (inner.n)
        memcpy(rows + policy->n_apex_rows, inner.first, inner.n * sizeof(*rows));
    policy->rows[owner] = (struct rows){.first = rows, .n = policy->n_apex_rows + inner.n};
    return 0;
}

/* All owners but the one inside _tls.<d>. */
static bool is_apex(enum owner owner)
{
    return owner != OWNER_TLSRPT;
}

bool policy_has_zone(const struct policy *policy, enum owner owner)
{
    return policy->zones && is_apex(owner) && policy->rows[owner].n;
}

/* Gives an owner's rows another content in one of them. They may be another snapshot's, too. */
static int replace_row(struct arena *arena, struct rows *rows, size_t number, struct text content)
{
    struct row *copy = arena_alloc(arena, rows->n * sizeof(*copy));

    if (!copy)
        return -ENOMEM;
    memcpy(copy, rows->first, rows->n * sizeof(*copy));
    copy[number].content = content;
    rows->first = copy;
    return 0;
}

static int build_zones(struct arena *arena, struct policy *policy,
                       const struct zone_settings *zones)
{
    int r = 0;

    policy->zones = true;
    policy->n_apex_rows = 1 + zones->n_nameservers;
    for (enum owner owner = 0; owner < OWNER_COUNT && r == 0; owner++)
        if (is_apex(owner) && policy->rows[owner].n)
            r = build_apex(arena, policy, owner, zones);
    return r;
}

static int build(struct arena *arena, const struct policy_spec *spec,
                 const struct zone_settings *zones, struct policy *policy)
{
    int r;

    policy->mode = spec->mode;
    policy->ttl = spec->ttl;
    policy->announce_delay = spec->announce_delay;
    policy->max_age = spec->max_age;
    r = arena_copy_text(arena, name_text(&spec->primary), &policy->primary);
    if (!r && spec->mode != POLICY_MODE_ABSENT)
        r = build_mta_sts(arena, spec, policy);
    if (!r && spec->mode != POLICY_MODE_ABSENT && (spec->n_addresses || spec->policy_host.length))
        r = build_policy_host(arena, spec, policy);
    if (!r && spec->n_rua)
        r = build_tlsrpt(arena, spec, policy);
    if (r)
        return r;
    return zones ? build_zones(arena, policy, zones) : build_aliases(arena, policy);
}

/* Keeps the patterns of the mail servers. */
static int keep_mx(struct arena *arena, const struct policy_spec *spec, struct policy *policy)
{
    struct name *mx = arena_alloc(arena, spec->n_mx * sizeof(*mx));

    if (!mx)
        return -ENOMEM;
    if (spec->n_mx)
        memcpy(mx, spec->mx, spec->n_mx * sizeof(*mx));
    policy->mx = mx;
    policy->n_mx = spec->n_mx;
    return 0;
}

int policy_records_make(struct arena *arena, const struct policy_spec *spec,
                        const struct zone_settings *zones, struct policy *out)
{
    struct policy policy = {0};
    int r = build(arena, spec, zones, &policy);

    if (r)
        return r;
    r = keep_mx(arena, spec, &policy);
    if (r)
        return r;
    *out = policy;
    return 0;
}

int policy_records_announce(struct arena *arena, struct policy *policy, struct text id)
{
    struct rows before = policy->rows[OWNER_MTA_STS];
    int r = arena_copy_text(arena, id, &policy->id);

    r = r ? r : build_announcement(arena, policy);
    if (r || !policy->zones)
        return r;
    r = replace_row(arena, &before, policy->n_apex_rows,
                    policy->rows[OWNER_MTA_STS].first->content);
    if (r == 0)
        policy->rows[OWNER_MTA_STS] = before;
    return r;
}

static bool same_rows(struct rows a, struct rows b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (a.first[i].type != b.first[i].type ||
            !text_equals(a.first[i].content, b.first[i].content))
            return false;
    return true;
}

bool policy_records_same(const struct policy *a, const struct policy *b)
{
    if (a->ttl != b->ttl)
        return false;
    for (enum owner owner = 0; owner < OWNER_COUNT; owner++)
        if (!same_rows(a->rows[owner], b->rows[owner]))
            return false;
    return true;
}
