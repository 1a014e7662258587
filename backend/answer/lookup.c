#include "answer/lookup.h"

#include "answer/catalog.h"

/* Whether a query name can begin with an owner prefix; an escape may hide any character. */
static bool may_have_owner_prefix(struct text qname)
{
    return qname.length &&
           (*qname.data == '_' || *qname.data == 'm' || *qname.data == 'M' || *qname.data == '\\');
}

/* Finds the rows at a canonical name of a listed domain. */
static bool find_in_domains(const struct snapshot *snapshot, struct text name, struct answer *out)
{
    struct domain domain;
    struct text suffix;

    for (enum owner owner = 0; owner < OWNER_COUNT; owner++)
        if (owner_match(owner, name, &suffix))
            return snapshot_find(snapshot, suffix, &domain) &&
                   answer_at(snapshot, &domain, owner, out);
    return false;
}

bool lookup_find(const struct snapshot *snapshot, struct text qname, struct answer *out)
{
    struct name name;

    if (!may_have_owner_prefix(qname) && snapshot_n_catalogs(snapshot) == 0)
        return false;
    if (name_from_question(qname, &name) != 0)
        return false;
    return find_in_domains(snapshot, name_text(&name), out) || catalog_find(snapshot, &name, out);
}
