#include "answer/answer.h"

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
