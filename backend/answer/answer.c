#include "answer/answer.h"

#include "policy/challenge.h"

/* Puts the domain into the template that is the content of the row. */
static void make_challenge(struct answer *out)
{
    struct row row = out->rows.first[0];
    size_t length = challenge_write(row.content, out->domain.name, out->content);

    row.content = text_of(out->content, length);
    out->own_rows[0] = row;
    out->rows.first = out->own_rows;
}

bool answer_at(const struct snapshot *snapshot, const struct domain *domain, enum owner owner,
               struct answer *out)
{
    out->domain = *domain;
    out->owner = owner;
    out->rows = domain_rows(domain, owner);
    out->ttl = domain->policy->ttl;
    if (out->rows.n == 0)
        return false;
    owner_name(owner, domain->name, &out->name);
    if (owner == OWNER_ACME_CHALLENGE)
        make_challenge(out);
    if (out->rows.first[0].type == RECORD_SOA)
        out->content_length =
            soa_write(out->content, sizeof(out->content), snapshot_zone_settings(snapshot),
                      snapshot_domain_serial(snapshot, domain));
    return true;
}

struct text answer_content(const struct answer *answer, const struct row *row)
{
    return row->type == RECORD_SOA ? text_of(answer->content, answer->content_length)
                                   : row->content;
}

bool answer_zone(const struct snapshot *snapshot, const struct answer *answer, struct zone *out)
{
    if (answer->rows.first[0].type != RECORD_SOA)
        return false;
    if (answer->owner == OWNER_CATALOG)
        snapshot_catalog(snapshot, answer->part, out);
    else
        snapshot_domain_zone(snapshot, &answer->domain, answer->owner, out);
    return true;
}

bool answer_is_empty(const struct answer *answer)
{
    return answer->rows.first[0].type == RECORD_ENT;
}

bool answer_matches(const struct row *row, struct text qtype)
{
    return text_equals_any_case(qtype, TEXT("ANY")) ||
           text_equals_any_case(qtype, record_type_text(row->type));
}
