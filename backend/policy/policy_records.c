#include "policy/policy_records.h"

#include "policy/challenge.h"
#include "policy/former.h"

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
        [OWNER_ACME_CHALLENGE] = {"_acme-challenge.mta-sts.", 24},
    };

    return prefixes[owner];
}

enum owner owner_inside(enum owner apex)
{
    if (apex == OWNER_TLS_PARENT)
        return OWNER_TLSRPT;
    return apex == OWNER_POLICY_HOST ? OWNER_ACME_CHALLENGE : OWNER_COUNT;
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

/* Copies what a buffer holds, and empties it. */
static int keep_text(struct arena *arena, struct buffer *buffer, struct text *out)
{
    int r = buffer->failed ? -ENOMEM : arena_copy_text(arena, buffer_text(buffer), out);

    buffer_clear(buffer);
    return r;
}

/* Makes one row with the content that a buffer holds, and empties it. */
static int keep_row(struct arena *arena, enum record_type type, struct buffer *content,
                    struct rows *out)
{
    struct row *row = arena_alloc(arena, sizeof(*row));

    if (!row)
        return -ENOMEM;
    row->type = type;
    *out = (struct rows){.first = row, .n = 1};
    return keep_text(arena, content, &row->content);
}

/* Makes one TXT row with the value that a buffer holds, and empties it. */
static int keep_txt_row(struct arena *arena, struct buffer *value, struct rows *out)
{
    CLEANUP(buffer_deinit) struct buffer content = BUFFER_INIT;

    record_write_txt(&content, buffer_text(value));
    content.failed |= value->failed;
    buffer_clear(value);
    return keep_row(arena, RECORD_TXT, &content, out);
}

/* Makes the TXT row that announces an id. */
static int make_announcement(struct arena *arena, struct text id, struct rows *out)
{
    CLEANUP(buffer_deinit) struct buffer value = BUFFER_INIT;

    buffer_printf(&value, "v=STSv1; id=%s", id.data);
    return keep_txt_row(arena, &value, out);
}

/* Makes the policy body, its own id and the announced one, and the row that announces it. */
static int make_mta_sts(struct arena *arena, const struct policy_spec *spec, struct policy *policy)
{
    CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_INIT;
    char id[POLICY_ID_MAX + 1];
    int r;

    policy_write_body(&buffer, spec);
    r = keep_text(arena, &buffer, &policy->body);
    if (r)
        return r;
    policy_derive_id(policy->body, id);
    r = arena_copy_text(arena, text_from(id), &policy->body_id);
    if (r)
        return r;
    policy->id = policy->body_id;
    policy->fixed_id = spec->fixed_id;
    if (spec->fixed_id) {
        r = arena_copy_text(arena, text_from(spec->fixed_id), &policy->id);
        if (r)
            return r;
    }
    return make_announcement(arena, policy->id, &policy->rows[OWNER_MTA_STS]);
}

/* Makes the TLSRPT row, and the empty non-terminal above it. */
static int make_tlsrpt(struct arena *arena, const struct policy_spec *spec, struct policy *policy)
{
    CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_INIT;
    int r;

    buffer_add_string(&buffer, "v=TLSRPTv1; rua=");
    for (size_t i = 0; i < spec->n_rua; i++)
        buffer_printf(&buffer, "%s%s", i ? "," : "", spec->rua[i]);
    r = keep_txt_row(arena, &buffer, &policy->rows[OWNER_TLSRPT]);
    if (r)
        return r;
    return keep_row(arena, RECORD_ENT, &buffer, &policy->rows[OWNER_TLS_PARENT]);
}

static int make_address_rows(struct arena *arena, const struct policy_spec *spec, struct rows *out)
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

/* Makes the rows of the policy host: its addresses, or an alias; none if there are neither. */
static int make_policy_host(struct arena *arena, const struct policy_spec *spec,
                            struct policy *policy)
{
    CLEANUP(buffer_deinit) struct buffer target = BUFFER_INIT;

    if (spec->n_addresses)
        return make_address_rows(arena, spec, &policy->rows[OWNER_POLICY_HOST]);
    if (spec->policy_host.length == 0)
        return 0;
    buffer_add_text(&target, name_text(&spec->policy_host));
    return keep_row(arena, RECORD_CNAME, &target, &policy->rows[OWNER_POLICY_HOST]);
}

/* Makes the row that leads to where an ACME client writes, and an empty non-terminal above it if
 * nothing else is there. */
static int make_acme_challenge(struct arena *arena, const struct policy_spec *spec,
                               struct policy *policy)
{
    CLEANUP(buffer_deinit) struct buffer content = BUFFER_INIT;
    int r;

    challenge_write_template(&content, text_from(spec->acme_challenge));
    r = keep_row(arena, RECORD_CNAME, &content, &policy->rows[OWNER_ACME_CHALLENGE]);
    if (r || policy->rows[OWNER_POLICY_HOST].n)
        return r;
    return keep_row(arena, RECORD_ENT, &content, &policy->rows[OWNER_POLICY_HOST]);
}

/* Makes the rows of cname members: an alias of each owner name of the primary, and the same empty
 * non-terminals and template. */
static int make_aliases(struct arena *arena, struct policy *policy)
{
    CLEANUP(buffer_deinit) struct buffer target = BUFFER_INIT;
    int r = 0;

    for (enum owner owner = 0; owner < OWNER_COUNT && r == 0; owner++) {
        const struct rows *rows = &policy->rows[owner];

        if (rows->n == 0)
            continue;
        if (owner == OWNER_ACME_CHALLENGE || rows->first[0].type == RECORD_ENT) {
            policy->aliases[owner] = *rows;
            continue;
        }
        buffer_printf(&target, "%s%s", owner_prefix(owner).data, policy->primary.data);
        r = keep_row(arena, RECORD_CNAME, &target, &policy->aliases[owner]);
    }
    return r;
}

size_t soa_write(char *text, size_t size, const struct zone_settings *zones, uint32_t serial)
{
    int length =
        snprintf(text, size, "%s. %s. %u %d %d %d %d", zones->nameservers[0].text,
                 zones->hostmaster.text, serial, SOA_REFRESH, SOA_RETRY, SOA_EXPIRE, SOA_MINIMUM);

    return (size_t)length;
}

/* Puts SOA and NS rows before those that a policy has at an apex. */
static int add_apex_rows(struct arena *arena, const struct zone_settings *zones, size_t n_apex_rows,
                         struct rows *rows)
{
    struct row *all = arena_alloc(arena, (n_apex_rows + rows->n) * sizeof(*all));

    if (!all)
        return -ENOMEM;
    all[0] = (struct row){.type = RECORD_SOA, .content = TEXT("")};
    for (size_t i = 0; i < zones->n_nameservers; i++) {
        int r;

        all[1 + i].type = RECORD_NS;
        r = arena_copy_text(arena, name_text(&zones->nameservers[i]), &all[1 + i].content);
        if (r)
            return r;
    }
    if (rows->n)
        memcpy(all + n_apex_rows, rows->first, rows->n * sizeof(*all));
    *rows = (struct rows){.first = all, .n = n_apex_rows + rows->n};
    return 0;
}

/* All owner names are apexes but those inside _tls.<d> and mta-sts.<d>. */
bool policy_has_zone(const struct policy *policy, enum owner owner)
{
    return policy->zones && owner != OWNER_TLSRPT && owner != OWNER_ACME_CHALLENGE &&
           policy->rows[owner].n;
}

static int make_apexes(struct arena *arena, struct policy *policy,
                       const struct zone_settings *zones)
{
    int r = 0;

    policy->n_apex_rows = 1 + zones->n_nameservers;
    for (enum owner owner = 0; owner < OWNER_COUNT && r == 0; owner++) {
        struct rows *rows = &policy->rows[owner];

        if (!policy_has_zone(policy, owner))
            continue;
        /* An apex is no empty non-terminal. */
        if (rows->first[0].type == RECORD_ENT)
            rows->n = 0;
        r = add_apex_rows(arena, zones, policy->n_apex_rows, rows);
    }
    return r;
}

/* Copies the patterns of the mail servers. */
static int copy_mx(struct arena *arena, const struct policy_spec *spec, const struct name **out)
{
    struct name *mx = arena_alloc(arena, spec->n_mx * sizeof(*mx));

    if (!mx)
        return -ENOMEM;
    if (spec->n_mx)
        memcpy(mx, spec->mx, spec->n_mx * sizeof(*mx));
    *out = mx;
    return 0;
}

int policy_records_make(struct arena *arena, const struct policy_spec *spec,
                        const struct zone_settings *zones, struct policy *out)
{
    struct policy policy = {
        .mode = spec->mode,
        .ttl = spec->ttl,
        .max_age = spec->max_age,
        .announce_delay = spec->announce_delay,
        .retire = spec->retire,
        .zones = zones,
        .n_mx = spec->n_mx,
    };
    int r;

    r = arena_copy_text(arena, name_text(&spec->primary), &policy.primary);
    if (r)
        return r;
    r = copy_mx(arena, spec, &policy.mx);
    if (r)
        return r;
    if (spec->certificates) {
        r = arena_copy_text(arena, text_from(spec->certificates), &policy.certificates);
        if (r)
            return r;
    }
    if (spec->mode != POLICY_MODE_ABSENT) {
        r = make_mta_sts(arena, spec, &policy);
        if (r)
            return r;
        r = make_policy_host(arena, spec, &policy);
        if (r)
            return r;
    }
    if (spec->n_rua) {
        r = make_tlsrpt(arena, spec, &policy);
        if (r)
            return r;
    }
    if (spec->acme_challenge) {
        r = make_acme_challenge(arena, spec, &policy);
        if (r)
            return r;
    }
    r = zones ? make_apexes(arena, &policy, zones) : make_aliases(arena, &policy);
    if (r)
        return r;
    *out = policy;
    return 0;
}

/* What the primaries of policies of retiring domains begin with: no domain has a space. If they are
 * listed still, it is followed by the primary of that policy. */
#define RETIRING "retiring "
#define LISTED   "retiring * "

/* Makes the primary from what the policy is made from, so the next load knows it again. */
static int name_retiring(struct arena *arena, const struct policy *listed, struct policy *policy)
{
    CLEANUP(buffer_deinit) struct buffer name = BUFFER_INIT;

    if (listed)
        buffer_printf(&name, LISTED "%s ", listed->primary.data);
    else
        buffer_add_string(&name, RETIRING);
    buffer_add_text(&name, policy->former);
    return keep_text(arena, &name, &policy->primary);
}

bool policy_is_retiring(struct text primary)
{
    return text_starts_with(primary, TEXT(RETIRING));
}

bool policy_lists(struct text primary)
{
    return !policy_is_retiring(primary) || text_starts_with(primary, TEXT(LISTED));
}

int policy_records_retire(struct arena *arena, struct text former, const struct policy *listed,
                          const struct zone_settings *zones, struct policy *out)
{
    struct policy policy;
    struct former kept;
    struct policy_spec spec;
    int r = former_read(arena, former, &kept);

    if (r)
        return r;
    /* Without settings of zones there is nobody to ask for them. */
    spec = (struct policy_spec){
        .mode = POLICY_MODE_NONE,
        .max_age = RETIRING_MAX_AGE,
        .ttl = kept.ttl,
        .addresses = kept.addresses,
        .n_addresses = kept.n_addresses,
        .acme_challenge = kept.acme_challenge,
        .certificates = kept.certificates,
        .zones = (listed ? listed->zones : kept.zones) && zones->n_nameservers,
    };
    /* Who lists it says where its ACME client writes now. */
    if (listed && listed->rows[OWNER_ACME_CHALLENGE].n)
        spec.acme_challenge = listed->rows[OWNER_ACME_CHALLENGE].first[0].content.data;
    /* Where the domain has moved into own zones a host name cannot be at the apex of one. */
    if (!spec.zones)
        spec.policy_host = kept.policy_host;
    r = policy_records_make(arena, &spec, spec.zones ? zones : NULL, &policy);
    if (r)
        return r;
    if (listed) {
        policy.rows[OWNER_TLSRPT] = listed->rows[OWNER_TLSRPT];
        policy.rows[OWNER_TLS_PARENT] = listed->rows[OWNER_TLS_PARENT];
    }
    policy.retire = true;
    r = arena_copy_text(arena, former, &policy.former);
    if (r)
        return r;
    r = name_retiring(arena, listed, &policy);
    if (r)
        return r;
    *out = policy;
    return 0;
}

int policy_records_announce(struct arena *arena, struct policy *policy, struct text id)
{
    struct rows *rows = &policy->rows[OWNER_MTA_STS], announcement;
    struct row *copy;
    int r;

    r = arena_copy_text(arena, id, &policy->id);
    if (r)
        return r;
    r = make_announcement(arena, policy->id, &announcement);
    if (r)
        return r;
    /* The rows may be another snapshot's, too. */
    copy = arena_alloc(arena, rows->n * sizeof(*copy));
    if (!copy)
        return -ENOMEM;
    memcpy(copy, rows->first, rows->n * sizeof(*copy));
    copy[policy->n_apex_rows] = announcement.first[0];
    rows->first = copy;
    return 0;
}

bool policy_has_host(const struct policy *policy)
{
    struct rows rows = policy->rows[OWNER_POLICY_HOST];

    return rows.n > policy->n_apex_rows && rows.first[policy->n_apex_rows].type != RECORD_ENT;
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
