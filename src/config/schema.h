/* The keys of the configuration: which there are, of what type and range, with what default. */
#pragma once

#include "config/config.h"
#include "config/options.h"

/* What own zones have in common, as it is written. */
struct zones_keys {
    struct option_list nameservers; /* of struct name; none: there is no such section */
    struct name hostmaster;
    struct name catalog; /* empty: none */
};

/* What a configuration file says outside its policies. */
struct file_settings {
    struct settings settings;
    const struct node *defaults; /* NULL where the key is absent */
    const struct node *include;
    const struct node *policies;
    struct zones_keys zones;
};

/* A value of policy_host: an address, or a host name. */
struct policy_host {
    struct address address; /* family 0 if it is a name */
    struct name name;
};

/* A policy as it is written. */
struct policy_settings {
    struct name domain;
    const struct node *domains; /* NULL where the key is absent */
    const struct node *domain_files;
    int mode;                       /* enum policy_mode */
    struct option_list mx;          /* of struct name */
    uint32_t max_age;               /* seconds */
    const char *id;                 /* NULL: derived from the policy body */
    struct option_list rua;         /* of const char * */
    struct option_list policy_host; /* of struct policy_host */
    uint32_t announce_delay;        /* seconds */
    const char *certificates;       /* a path with %d for the domain; NULL: nothing is held back */
    uint32_t ttl;                   /* seconds */
    int records;                    /* enum domain_kind of the members */
    int authority;                  /* enum authority */
};

enum authority { AUTHORITY_OVERLAY, AUTHORITY_ZONES };

/* The rows of policy_table. Those from POLICY_KEY_DEFAULTABLE on may stand under defaults too. */
enum policy_key {
    POLICY_KEY_DOMAIN,
    POLICY_KEY_DOMAINS,
    POLICY_KEY_DOMAIN_FILES,
    POLICY_KEY_MODE,
    POLICY_KEY_DEFAULTABLE = POLICY_KEY_MODE,
    POLICY_KEY_MX,
    POLICY_KEY_MAX_AGE,
    POLICY_KEY_ID,
    POLICY_KEY_ANNOUNCE_DELAY,
    POLICY_KEY_CERTIFICATES,
    POLICY_KEY_RUA,
    POLICY_KEY_POLICY_HOST,
    POLICY_KEY_TTL,
    POLICY_KEY_RECORDS,
    POLICY_KEY_AUTHORITY,
    POLICY_KEY_COUNT,
};

/* The main file, an included file, a policy, and what stands under defaults. */
extern const struct option_table main_table;
extern const struct option_table included_table;
extern const struct option_table policy_table;
extern const struct option_table defaults_table;
