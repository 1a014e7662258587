#include "sync/changes.h"

/* The policy that a name was a member of by its list, or NAMES_NONE. */
static uint32_t policy_before(const struct config *config, struct text name)
{
    struct domain domain;

    if (!snapshot_find(config->snapshot, name, &domain) || !domain.synced)
        return NAMES_NONE;
    return (uint32_t)snapshot_policy_number(config->snapshot, domain.policy);
}

void changes_keep_unknown(const struct config *config, struct names *names)
{
    for (size_t i = 0; i < names->n; i++)
        if (names->items[i].policy == NAMES_UNKNOWN)
            names_set(&names->items[i], policy_before(config, names_text(names, &names->items[i])));
}

static size_t count_before(const struct config *config)
{
    size_t n = 0;

    for (size_t i = 0; i < config->n_lists; i++)
        n += snapshot_policy(config->snapshot, config->lists[i].policy)->n_synced;
    return n;
}

/* Whether every member of before is a name of the source still. */
static bool are_all_there(const struct config *config, const struct names *names)
{
    size_t n = 0;

    for (size_t i = 0; i < names->n; i++)
        n += names->items[i].member;
    return n == count_before(config);
}

/* Members that are no names of the source any more. */
static void each_missing(const struct config *config, const struct names *names, changes_use use,
                         void *context)
{
    struct domain domain;
    size_t cursor = 0;

    while (snapshot_next_domain(config->snapshot, &cursor, &domain))
        if (domain.synced && !names_find(names, domain.name))
            use(context, domain.name,
                (uint32_t)snapshot_policy_number(config->snapshot, domain.policy), NAMES_NONE);
}

void changes_each(const struct config *config, const struct names *names, changes_use use,
                  void *context)
{
    for (size_t i = 0; i < names->n; i++) {
        struct text name = names_text(names, &names->items[i]);
        uint32_t from = policy_before(config, name), to = names->items[i].policy;

        if (from != to)
            use(context, name, from, to);
    }
    if (!are_all_there(config, names))
        each_missing(config, names, use, context);
}

static void count(void *context, struct text name, uint32_t from, uint32_t to)
{
    struct changes *changes = context;

    (void)name;
    changes->added += from == NAMES_NONE;
    changes->removed += to == NAMES_NONE;
    changes->moved += from != NAMES_NONE && to != NAMES_NONE;
}

struct changes changes_count(const struct config *config, const struct names *names)
{
    struct changes changes = {.before = count_before(config)};

    changes_each(config, names, count, &changes);
    return changes;
}
