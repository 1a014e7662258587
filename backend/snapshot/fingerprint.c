#include "snapshot/fingerprint.h"

#include "base/hash.h"
#include "policy/challenge.h"

enum { DOUBLE_BITS = 53 };

/* What the hashes of things that are no rows begin from. */
enum { SEED_DOMAIN = 1, SEED_BODY, SEED_CATALOG, SEED_ROW, SEED_PARTS = 1 << 16 };

/* Which domains of a policy have the same. */
static size_t group_of(uint32_t value)
{
    return (value & DOMAIN_HELD ? POLICY_GROUP_HELD : 0) |
           ((value & (DOMAIN_HELD - 1)) == DOMAIN_CNAME ? POLICY_GROUP_CNAME : 0);
}

static uint64_t hash_row(enum owner owner, enum record_type type, uint32_t ttl, struct text content)
{
    uint64_t seed = (uint64_t)ttl << 32 | (uint64_t)owner << 16 | (uint64_t)type << 8;

    return hash_text(seed | SEED_ROW, content);
}

/* What a domain has at OWNER_ACME_CHALLENGE is its own. */
static uint64_t hash_challenge(const struct policy *policy, struct text name)
{
    struct rows rows = policy->rows[OWNER_ACME_CHALLENGE];
    char content[NAME_TEXT_MAX];
    size_t length;

    if (rows.n == 0 || challenge_check_domain(rows.first[0].content, name) != 0)
        return 0;
    length = challenge_write(rows.first[0].content, name, content);
    return hash_row(OWNER_ACME_CHALLENGE, RECORD_CNAME, policy->ttl, text_of(content, length));
}

void fingerprint_add(struct policy *policy, struct text name, uint32_t value)
{
    uint64_t hash = hash_text(SEED_DOMAIN, name);

    policy->name_hashes[group_of(value)] += hash;
    policy->challenge_hash += hash * hash_challenge(policy, name);
}

void fingerprint_take_out(struct policy *policy, struct text name, uint32_t value)
{
    uint64_t hash = hash_text(SEED_DOMAIN, name);

    policy->name_hashes[group_of(value)] -= hash;
    policy->challenge_hash -= hash * hash_challenge(policy, name);
}

/* The sum of the hashes of the rows at an owner. */
static uint64_t hash_rows(struct rows rows, enum owner owner, uint32_t ttl,
                          const struct zone_settings *zones)
{
    uint64_t sum = 0;
    char soa[SOA_CONTENT_MAX];

    for (size_t i = 0; i < rows.n; i++) {
        const struct row *row = &rows.first[i];
        struct text content = row->content;

        if (row->type == RECORD_SOA)
            content = text_of(soa, soa_write(soa, sizeof(soa), zones, 0));
        sum += hash_row(owner, row->type, ttl, content);
    }
    return sum;
}

/* The sum of the hashes of all that the domains of a group have. */
static uint64_t hash_group(const struct policy *policy, size_t group,
                           const struct zone_settings *zones)
{
    const struct rows *rows = group & POLICY_GROUP_CNAME ? policy->aliases : policy->rows;
    uint64_t sum = policy->body.length ? hash_text(SEED_BODY, policy->body) : 0;

    for (enum owner owner = 0; owner < OWNER_COUNT; owner++)
        if (!(group & POLICY_GROUP_HELD && owner == OWNER_MTA_STS) && owner != OWNER_ACME_CHALLENGE)
            sum += hash_rows(rows[owner], owner, policy->ttl, zones);
    return sum;
}

uint64_t policy_fingerprint(const struct policy *policy, const struct zone_settings *zones)
{
    uint64_t sum = 0;

    if (!policy->zones)
        return 0;
    for (enum owner owner = 0; owner < OWNER_COUNT; owner++)
        sum += hash_rows(policy->rows[owner], owner, policy->ttl, zones);
    return sum ? sum : 1;
}

uint64_t catalog_fingerprint(const struct zones *zones, const struct zone_settings *settings,
                             uint32_t part)
{
    const struct catalog_part *listed = &zones->parts[part];
    char soa[SOA_CONTENT_MAX];
    struct name name;
    uint64_t hash;

    zones_catalog_name(settings, part, &name);
    hash = hash_text(listed->fingerprint, text_of(soa, soa_write(soa, sizeof(soa), settings, 0)));
    hash = hash_text(hash ^ listed->n, name_text(&name));
    return hash ? hash : 1;
}

uint64_t fingerprint_of(const struct policy *policies, size_t n, const struct zone_settings *zones)
{
    uint64_t sum = 0;
    char soa[SOA_CONTENT_MAX];

    for (size_t i = 0; i < n; i++) {
        sum += policies[i].challenge_hash;
        for (size_t group = 0; group < POLICY_GROUPS; group++)
            if (policies[i].name_hashes[group])
                sum += policies[i].name_hashes[group] * hash_group(&policies[i], group, zones);
    }
    if (zones->catalog.length)
        sum += hash_text(SEED_CATALOG + (uint64_t)(zones->catalog_parts - 1) * SEED_PARTS,
                         name_text(&zones->catalog)) *
               hash_text(SEED_CATALOG, text_of(soa, soa_write(soa, sizeof(soa), zones, 0)));
    /* The upper bits depend on all others. */
    return sum >> (64 - DOUBLE_BITS);
}
