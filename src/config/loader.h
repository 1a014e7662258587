/* What the parts of one load share: config.c makes it and goes from part to part, files.c opens the
 * files, policies.c and members.c fill the builder. */
#pragma once

#include "config/certificates.h"
#include "config/glob.h"
#include "config/schema.h"
#include "snapshot/builder.h"

/* What later messages and checks need of a policy, by its number in the builder. */
struct loaded_policy {
    const char *name;    /* the primary for messages; NULL if it is missing */
    uint64_t host_where; /* of policy_host */
    uint64_t challenge_where;
    struct text follows; /* the domain whose policy host this one is an alias of, or empty */
    uint32_t walk;       /* the search for loops that saw it first */
    /* Of a policy with members that sync finds; they are added after all others. */
    const struct node *synced; /* where this is said; NULL: it has none */
    enum domain_kind kind;     /* of its members */
    const char *certificates;  /* for certificates_begin */
    const char *acme_challenge;
};

struct loader {
    struct config *config;       /* what is made */
    struct load_context context; /* its arena and sources are those below */
    struct arena arena;          /* nodes, and what settings of policies point at */
    struct sources sources;
    struct glob_set *matched;              /* globs that match, in the configuration that is made */
    const struct glob_set *matched_before; /* those of the last load, or NULL */
    const struct snapshot *before;         /* what the last load has made, or NULL */
    struct builder *builder;
    const struct node **policy_lists; /* of each file, until all are read */
    size_t n_policy_lists, policy_lists_capacity;
    const struct node *state;         /* the directory of the state, or NULL */
    const struct node *catalog;       /* the name of the catalog zone, or NULL */
    bool zones;                       /* there is what zones of the service's own need */
    bool full;                        /* no more domains are taken, which was said */
    size_t n_domains;                 /* listed so far, some again */
    size_t n_names;                   /* of files and globs, so far */
    size_t size;                      /* bytes of the files so far */
    struct policy_settings defaults;  /* what each policy begins with */
    struct option_keys default_keys;  /* the rows of policy_table that stand under defaults */
    struct certificates certificates; /* of the policy that is being read */
    const char *acme_challenge;       /* of the same, or NULL */
    struct loaded_policy *policies;
    size_t n_policies, policies_capacity;
    size_t lists_capacity; /* of the lists of the configuration */
};
