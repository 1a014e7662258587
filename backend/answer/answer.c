#include "answer/answer.h"

#include "answer/catalog.h"

/* Whether a query name can begin with an owner prefix; an escape may hide any character. */
static bool may_be_owner(struct text qname)
{
    if (qname.length == 0)
        return false;
    switch (*qname.data) {
    case '_':
    case 'm':
    case 'M':
    case '\\':
        return true;
    default:
        return false;
    }
}

/* Completes an answer whose domain, owner and name are known. Returns whether it has rows. */
static bool complete(const struct snapshot *snapshot, struct answer *out)
{
    out->rows = domain_rows(&out->domain, out->owner);
    out->ttl = out->domain.policy->ttl;
    if (out->rows.n == 0)
        return false;
    if (out->rows.first[0].type == RECORD_SOA)
        out->content_length =
            soa_write(out->content, sizeof(out->content), snapshot_zone_settings(snapshot),
                      snapshot_domain_serial(snapshot, &out->domain));
    return true;
}

/* Finds what stands at a name of a listed domain. */
static bool find_domain(const struct snapshot *snapshot, struct text name, struct answer *out)
{
    struct text domain;

    for (enum owner owner = 0; owner < OWNER_COUNT; owner++) {
        if (!owner_match(owner, name, &domain))
            continue;
        out->owner = owner;
        return snapshot_find(snapshot, domain, &out->domain) && complete(snapshot, out);
    }
    return false;
}

bool answer_find(const struct snapshot *snapshot, struct text qname, struct answer *out)
{
    struct text name;

    if (!may_be_owner(qname) && !snapshot_has_catalog(snapshot))
        return false;
    if (name_from_question(qname, &out->name) != 0)
        return false;
    name = (struct text){.data = out->name.text, .length = out->name.length};
    return find_domain(snapshot, name, out) || catalog_find(snapshot, name, out);
}

bool answer_zone(const struct snapshot *snapshot, const struct answer *answer, struct zone *out)
{
    if (answer->rows.n == 0 || answer->rows.first[0].type != RECORD_SOA)
        return false;
    if (answer->owner == OWNER_COUNT)
        return snapshot_catalog(snapshot, out);
    snapshot_domain_zone(snapshot, &answer->domain, answer->owner, out);
    return true;
}

struct text answer_content(const struct answer *answer, const struct row *row)
{
    return row->type == RECORD_SOA ? (struct text){answer->content, answer->content_length}
                                   : row->content;
}

bool answer_at(const struct snapshot *snapshot, const struct domain *domain, enum owner owner,
               struct answer *out)
{
    struct text prefix = owner_prefix(owner);

    out->domain = *domain;
    out->owner = owner;
    out->name.length = (uint8_t)(prefix.length + domain->name.length);
    memcpy(out->name.text, prefix.data, prefix.length);
    memcpy(out->name.text + prefix.length, domain->name.data, domain->name.length);
    out->name.text[out->name.length] = '\0';
    return complete(snapshot, out);
}

bool answer_matches(const struct row *row, struct text qtype)
{
    struct text type = record_type_text(row->type);

    if (qtype.length == 3 && strncasecmp(qtype.data, "ANY", 3) == 0)
        return true;
    return qtype.length == type.length && strncasecmp(qtype.data, type.data, type.length) == 0;
}
