#include "service/retirement.h"

#include "base/number.h"
#include "os/clock.h"
#include "policy/former.h"
#include "state/memory.h"

#include <errno.h>

enum { DOMAINS_NAMED = 5 }; /* the others are counted */

void retirement_deinit(struct retirement *retirement)
{
    retiring_set_deinit(&retirement->set);
    arena_deinit(&retirement->arena);
}

/* The policy of a primary in the configuration, if it is one that domains can follow, or NULL. */
static const struct policy *find_policy(const struct snapshot *loaded, struct text primary)
{
    struct domain domain;

    if (!snapshot_find(loaded, primary, &domain) || domain.kind != DOMAIN_PRIMARY ||
        !policy_has_host(domain.policy))
        return NULL;
    return domain.policy;
}

/* Finds what domains keep of a policy of the past: what that has now, or what it had. */
static int follow_policy(const struct snapshot *loaded, struct arena *arena, struct text *former)
{
    CLEANUP(buffer_deinit) struct buffer now = BUFFER_INIT;
    const struct policy *policy = find_policy(loaded, former_primary(*former));

    if (!policy)
        return arena_copy_text(arena, *former, former);
    former_write(&now, policy);
    return now.failed ? -ENOMEM : arena_copy_text(arena, buffer_text(&now), former);
}

/* Has those retire on whose time is not over. */
static int go_on(struct retirement *retirement, const struct snapshot *loaded)
{
    struct retiring_set *set = &retirement->set;
    int r = 0;

    retiring_set_expire(set, retirement->now);
    for (size_t i = 0; i < set->n_formers && r == 0; i++)
        r = follow_policy(loaded, &retirement->arena, &set->formers[i]);
    return r;
}

/* Puts the domains of the set into what is loaded, in place of those that retired in it. */
static int replace(const struct retirement *retirement, struct snapshot **loaded)
{
    struct snapshot *next;
    int r = snapshot_retire(*loaded, &retirement->set, &next);

    if (r)
        return r;
    snapshot_unref(*loaded);
    *loaded = next;
    return 0;
}

static int find_changes(const struct retirement *retirement, const struct snapshot *loaded,
                        struct domain_changes *changes)
{
    domain_changes_deinit(changes);
    if (retirement->published)
        return domain_changes_between(retirement->published, loaded, changes);
    return retirement->state ? memory_read_changes(retirement->state, loaded, changes) : 0;
}

/* Whether a domain that has changed has lost its mode, if it had one. */
static bool has_lost_mode(const struct snapshot *loaded, const struct domain_change *change)
{
    struct domain domain;

    if (change->position == 0)
        return true;
    snapshot_at(loaded, change->position, &domain);
    return change->was_there && domain.policy->mode == POLICY_MODE_ABSENT;
}

static bool has_any_lost_mode(const struct snapshot *loaded, const struct domain_changes *changes)
{
    for (size_t i = 0; i < changes->n; i++)
        if (has_lost_mode(loaded, &changes->items[i]))
            return true;
    return false;
}

/* Reads of the state what domains owe. Returns 0, STATE_FAILED or -ENOMEM. */
static int read_obligations(const struct retirement *retirement, const struct snapshot *loaded,
                            struct domain_changes *changes)
{
    CLEANUP(state_close) struct state own = STATE_INIT;
    struct state *state = retirement->state;

    if (!state) {
        int r = state_open(&own, retirement->directory, STATE_READ);

        if (r)
            return r;
        state = &own;
    }
    return memory_read_obligations(state, loaded, retirement->now, changes);
}

/* What domains begin to retire from. */
struct beginning {
    struct retirement *retirement;
    const struct snapshot *loaded;
    size_t *formers; /* of each policy of the past, the number in the set; SIZE_MAX: none yet */
    bool uncertain;  /* what there was before the past is not known, but there was something */
};

/* When the obligation of a domain ends; 0: it has none. */
static int64_t find_end(const struct beginning *beginning, const struct past_policy *policy,
                        const struct past_domain *before)
{
    const struct retirement *retirement = beginning->retirement;
    bool known = policy_is_retiring(policy->primary);
    bool binds = policy->mode == POLICY_MODE_ENFORCE || (beginning->uncertain && !known);
    /* Senders are served until some part of this second, or of the next one. */
    int64_t end = retirement->now + 1 + policy->max_age + policy->ttl;
    int64_t owed = before->enforced_until;

    if (!known && owed < retirement->unknown_until)
        owed = retirement->unknown_until;
    return before->held || !binds || end < owed ? owed : end;
}

/* Has a domain retire that had a policy. */
static int add(struct beginning *beginning, const struct past_policy *policy, struct text name,
               int64_t until)
{
    struct retirement *retirement = beginning->retirement;
    size_t *number = &beginning->formers[policy - retirement->past->policies];
    struct text former = policy->former;
    int r;

    if (arena_copy_text(&retirement->arena, name, &name))
        return -ENOMEM;
    if (*number == SIZE_MAX) {
        r = follow_policy(beginning->loaded, &retirement->arena, &former);
        if (r)
            return r;
        r = retiring_set_add_former(&retirement->set, former, number);
        if (r)
            return r;
    }
    return retiring_set_add(&retirement->set, &(struct retiring){name, until, *number});
}

static int judge(struct beginning *beginning, const struct domain_change *change)
{
    struct retirement *retirement = beginning->retirement;
    const struct past_policy *policy;
    int64_t end;

    if (!has_lost_mode(beginning->loaded, change))
        return 0;
    policy = past_find(retirement->past, change->before.primary);
    if (!policy || !policy->retire || policy->former.length == 0)
        return 0;
    end = find_end(beginning, policy, &change->before);
    if (end <= retirement->now)
        return 0;
    if (!retirement->directory) {
        retirement->n_lost++;
        return 0;
    }
    return add(beginning, policy, change->name, end);
}

static int judge_all(struct beginning *beginning, struct domain_changes *changes)
{
    struct retirement *retirement = beginning->retirement;
    int r;

    if (retirement->directory) {
        r = read_obligations(retirement, beginning->loaded, changes);
        if (r < 0)
            return r;
        beginning->uncertain = r || retirement->uncertain;
    }
    for (size_t i = 0; i < changes->n; i++) {
        r = judge(beginning, &changes->items[i]);
        if (r)
            return r;
    }
    return 0;
}

/* Adds the domains that begin to retire to the set. */
static int begin(struct retirement *retirement, const struct snapshot *loaded,
                 struct domain_changes *changes)
{
    size_t n = retirement->past->n_policies;
    CLEANUP(free_pointer) size_t *formers = calloc(n + 1, sizeof(*formers));
    struct beginning beginning = {retirement, loaded, formers, false};

    if (!formers)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        formers[i] = SIZE_MAX;
    return judge_all(&beginning, changes);
}

int retirement_apply(struct retirement *retirement, struct snapshot **loaded,
                     struct domain_changes *changes)
{
    size_t n_before = snapshot_n_retiring(*loaded), n;
    int r = go_on(retirement, *loaded);

    if (r)
        return r;
    if (retirement->set.n || n_before) {
        r = replace(retirement, loaded);
        if (r)
            return r;
    }
    r = find_changes(retirement, *loaded, changes);
    if (r || !has_any_lost_mode(*loaded, changes))
        return r;
    n = retirement->set.n;
    r = begin(retirement, *loaded, changes);
    if (r || retirement->set.n == n)
        return r;
    r = replace(retirement, loaded);
    return r ? r : find_changes(retirement, *loaded, changes);
}

/* The greater of how long a policy binds senders and of LONGEST, in seconds. */
static int64_t max_binding(const struct policy *policy, int64_t longest)
{
    int64_t binding = (int64_t)policy->max_age + policy->ttl;

    return policy->mode == POLICY_MODE_ENFORCE && binding > longest ? binding : longest;
}

/* Whether a domain goes on without what it had of a policy. */
static bool has_left(const struct snapshot *next, const struct domain_change *change)
{
    struct domain domain;

    if (change->position == 0 || !change->was_there || change->before.held)
        return false;
    snapshot_at(next, change->position, &domain);
    return (change->moved || domain.held) && domain.policy->former.length == 0;
}

int64_t retirement_lost(const struct snapshot *before, const struct snapshot *next,
                        const struct domain_changes *changes, int64_t now)
{
    int64_t longest = -1;
    struct domain old;

    for (size_t i = 0; before && i < snapshot_n_policies(before); i++) {
        const struct policy *policy = snapshot_policy(before, i);
        const struct policy *after = snapshot_same_policy(next, policy);

        if (after && !text_equals(policy->body, after->body))
            longest = max_binding(policy, longest);
    }
    for (size_t i = 0; before && i < changes->n; i++)
        if (has_left(next, &changes->items[i]) &&
            snapshot_find(before, changes->items[i].name, &old))
            longest = max_binding(old.policy, longest);
    return longest < 0 ? 0 : now + 1 + longest;
}

static void name_domain(struct text name, size_t number, struct buffer *out)
{
    if (number < DOMAINS_NAMED)
        buffer_printf(out, "%s%.*s", number ? ", " : " ", (int)name.length, name.data);
}

static void count_others(size_t n, struct buffer *out)
{
    if (n > DOMAINS_NAMED)
        buffer_printf(out, " and %zu more", n - DOMAINS_NAMED);
}

void retirement_describe(const struct snapshot *snapshot, int64_t ahead, struct buffer *out)
{
    size_t n = snapshot_n_retiring(snapshot);
    struct domain domain;

    if (n == 0)
        return;
    buffer_printf(out, "%s, until %s%s:", number_of(n, "domain", "domains").text,
                  clock_text((time_t)(snapshot_last_until(snapshot) - ahead)).text,
                  n > 1 ? " at the latest" : "");
    for (size_t i = 0; i < n && i < DOMAINS_NAMED; i++) {
        snapshot_retiring(snapshot, i, &domain);
        name_domain(domain.name, i, out);
    }
    count_others(n, out);
}

void retirement_describe_ended(const struct domain_changes *changes, struct buffer *out)
{
    if (changes->n == 0)
        return;
    buffer_printf(out, "%s:", number_of(changes->n, "domain", "domains").text);
    for (size_t i = 0; i < changes->n; i++)
        name_domain(changes->items[i].name, i, out);
    count_others(changes->n, out);
}
