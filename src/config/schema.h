/* The keys of the configuration: a row for each, of what type and range, with what default. */
#pragma once

#include "config/schema_types.h"
#include "config/settings.h"
#include "snapshot/snapshot.h"

/* What a configuration file says outside its policies. */
struct file_settings {
    struct settings settings;
    struct sync_settings sync;
    uint32_t removal_limit; /* percent */
    bool listen;            /* whether there are these sections */
    bool zones;
    struct zone_settings own_zones; /* what the second says; without nameservers if it is missing */
    const struct node *defaults;    /* NULL if the key is absent */
    const struct node *include;
    const struct node *policies;
};

/* A policy as it is written. */
struct policy_settings {
    struct policy_spec spec;    /* but for what policy_hosts and certificates say */
    const struct node *domains; /* NULL if the key is absent */
    const struct node *domain_files;
    bool synced; /* it has members that sync finds */
    const struct policy_host *policy_hosts;
    size_t n_policy_hosts;
    const char *certificates; /* a path with %d for the domain; NULL: nothing is held back */
    int records;              /* enum domain_kind of the members */
};

enum { POLICY_ROWS_OWN = 4 }; /* the first rows of a policy, which cannot stand under defaults */

/* The main file, an included file, a policy, and what stands under defaults. */
extern const struct option_table main_table;
extern const struct option_table included_table;
extern const struct option_table policy_table;
extern const struct option_table defaults_table;
