/* The types of values that policies and own zones have: names, patterns, URIs. */
#pragma once

#include "config/options.h"
#include "policy/policy.h"

/* A value of policy_host: an address, or a host name. */
struct policy_host {
    struct address address; /* family 0 if it is a name */
    struct name name;
};

/* struct name: a mail domain */
extern const struct option_type type_domain;
/* struct name: a host name */
extern const struct option_type type_host;
/* struct name: a host name that leaves room for the labels of a catalog's members */
extern const struct option_type type_catalog;
/* struct name: the mailbox of a SOA record */
extern const struct option_type type_hostmaster;
/* struct name: an mx pattern */
extern const struct option_type type_mx;
/* const char *: a policy's id; NULL for auto */
extern const struct option_type type_id;
/* const char *: a path with %d for the domain */
extern const struct option_type type_certificates;
/* const char *: a template of names (policy/challenge.h) */
extern const struct option_type type_acme_challenge;
/* const char *: a reporting URI */
extern const struct option_type type_rua;
/* struct policy_host */
extern const struct option_type type_policy_host;
/* const struct node *, read where it is used, as there may be a million of them */
extern const struct option_type type_domains;
extern const struct option_type type_files;

/* Checks of lists, for struct option: that there is a value at all; that a policy body with these
 * mx is not too long, whatever its other lines are; nor a TLSRPT record with these rua; that a host
 * name stands alone in a policy_host, as a CNAME does. */
int check_any(const struct option_input *input, const void *items, size_t n);
int check_mx(const struct option_input *input, const void *items, size_t n);
int check_rua(const struct option_input *input, const void *items, size_t n);
int check_policy_host(const struct option_input *input, const void *items, size_t n);
