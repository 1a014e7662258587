#include "admin/domain_state.h"

#include "snapshot/retiring.h"

static const char *const names[DOMAIN_STATE_COUNT] = {
    [DOMAIN_STATE_PUBLISHED] = "published",
    [DOMAIN_STATE_HELD_BACK] = "held_back",
    [DOMAIN_STATE_WAITING] = "waiting",
    [DOMAIN_STATE_RETIRING] = "retiring",
};

const char *domain_state_name(enum domain_state state)
{
    return names[state];
}

bool domain_state_find(struct text name, enum domain_state *out)
{
    for (enum domain_state state = 0; state < DOMAIN_STATE_COUNT; state++) {
        if (!text_equals(name, text_from(names[state])))
            continue;
        *out = state;
        return true;
    }
    return false;
}

enum domain_state domain_state_of(const struct status_view *view, const struct domain *domain)
{
    if (policy_is_retiring(domain->policy->primary))
        return DOMAIN_STATE_RETIRING;
    if (domain->held)
        return DOMAIN_STATE_HELD_BACK;
    if (status_view_waiting(view, domain->policy))
        return DOMAIN_STATE_WAITING;
    return DOMAIN_STATE_PUBLISHED;
}
