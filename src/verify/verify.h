/* verify: looks at every domain as senders do, and compares with the configuration. */
#pragma once

#include "config/config.h"

struct verify_options {
    uint32_t checks;          /* bits by enum check_name; 0: all */
    const char *resolver;     /* "192.0.2.1@53", or NULL: the root servers */
    const char *trust_anchor; /* a file; NULL: Debian's, if it is there */
    bool no_trust_anchor;     /* nothing is validated */
    const char *ca_file;      /* NULL: that of the system */
    bool no_smtp, json, save;
};

/* The results of verify_run. */
enum {
    VERIFY_CLEAN = 0,  /* no errors; maybe warnings */
    VERIFY_ERRORS = 1, /* errors found, or interrupted */
    VERIFY_FAILED = 2, /* nothing could be found out; stderr says why */
};

/* Looks at some domains of a configuration, or with N_DOMAINS 0 at all; prints to stdout what it
 * found, and saves it if that is wanted and the run was not interrupted. */
int verify_run(const struct config *config, const struct domain *domains, size_t n_domains,
               const struct verify_options *options);
