#include "service/retirement.h"

#include "base/number.h"
#include "os/clock.h"
#include "policy/former.h"

#include <errno.h>

enum { DOMAINS_NAMED = 5 }; /* the others are counted */

/* What is decided, and the number that the former policy of each policy of the past has in it. */
struct decision {
    const struct retirement *from;
    struct arena *arena;
    struct retiring_set *set;
    size_t *formers; /* SIZE_MAX: none yet */
};

/* The policy of a primary in the configuration, if it is one that domains can follow, or NULL. */
static const struct policy *find_policy(const struct snapshot *loaded, struct text primary)
{
    struct domain domain;

    if (!snapshot_find(loaded, primary, &domain) || domain.kind != DOMAIN_PRIMARY ||
        !policy_has_host(domain.policy))
        return NULL;
    return domain.policy;
}

/* Adds what domains keep of a policy of the past: what that has now, or what it had. */
static int add_former(struct decision *decision, struct text former, size_t *number)
{
    CLEANUP(buffer_deinit) struct buffer now = BUFFER_INIT;
    const struct policy *policy = find_policy(decision->from->loaded, former_primary(former));

    if (policy) {
        former_write(&now, policy);
        if (now.failed)
            return -ENOMEM;
        former = buffer_text(&now);
    }
    if (arena_copy_text(decision->arena, former, &former))
        return -ENOMEM;
    return retiring_set_add_former(decision->set, former, number);
}

/* When the obligation of a domain ends; 0: it has none. */
static int64_t find_end(const struct retirement *from, const struct past_policy *policy,
                        const struct past_domain *before)
{
    bool binds = policy->mode == POLICY_MODE_ENFORCE || (from->uncertain && policy->max_age);
    int64_t end = from->now + policy->max_age + policy->ttl;

    if (before->held || !binds || end < before->enforced_until)
        return before->enforced_until;
    return end;
}

static bool has_mode(const struct snapshot *loaded, const struct domain_change *change)
{
    struct domain domain;

    if (!change->position)
        return false;
    snapshot_at(loaded, change->position, &domain);
    return domain.policy->mode != POLICY_MODE_ABSENT;
}

static int decide(struct decision *decision, const struct domain_change *change)
{
    const struct retirement *from = decision->from;
    const struct past_policy *policy;
    struct retiring retiring = {.name = change->name};
    size_t *former;
    int r;

    if (!change->was_there || has_mode(from->loaded, change))
        return 0;
    policy = past_find(from->past, change->before.primary);
    if (!policy || !policy->retire || policy->former.length == 0)
        return 0;
    retiring.until = find_end(from, policy, &change->before);
    if (retiring.until <= from->now)
        return 0;
    former = &decision->formers[policy - from->past->policies];
    if (*former == SIZE_MAX) {
        r = add_former(decision, policy->former, former);
        if (r)
            return r;
    }
    retiring.former = *former;
    return retiring_set_add(decision->set, &retiring);
}

int retirement_decide(const struct retirement *retirement, struct arena *arena,
                      struct retiring_set *out)
{
    CLEANUP(retiring_set_deinit) struct retiring_set set = RETIRING_SET_INIT;
    size_t n = retirement->past->n_policies;
    CLEANUP(free_pointer) size_t *formers = calloc(n + 1, sizeof(*formers));
    struct decision decision = {retirement, arena, &set, formers};

    if (!formers)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        formers[i] = SIZE_MAX;
    for (size_t i = 0; i < retirement->changes->n; i++) {
        int r = decide(&decision, &retirement->changes->items[i]);

        if (r)
            return r;
    }
    *out = set;
    set = RETIRING_SET_INIT;
    return 0;
}

void retirement_describe(const struct snapshot *snapshot, struct buffer *out)
{
    size_t n = snapshot_n_retiring(snapshot);
    struct domain domain;

    if (n == 0)
        return;
    buffer_printf(out, "%s, until %s%s:", number_of(n, "domain", "domains").text,
                  clock_text((time_t)snapshot_last_until(snapshot)).text,
                  n > 1 ? " at the latest" : "");
    for (size_t i = 0; i < n && i < DOMAINS_NAMED; i++) {
        snapshot_retiring(snapshot, i, &domain);
        buffer_printf(out, "%s%.*s", i ? ", " : " ", (int)domain.name.length, domain.name.data);
    }
    if (n > DOMAINS_NAMED)
        buffer_printf(out, " and %zu more", n - DOMAINS_NAMED);
}
