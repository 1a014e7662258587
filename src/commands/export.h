/* The kinds of `export`: what other programs need to know of the domains, so that each policy is
 * served over HTTPS.
 *
 * A certificate has the name of its first host and covers that host alone, or with
 * --per-certificate several hosts of one policy in the order of the configuration. */
#pragma once

#include "config/config.h"

/* Goes through the hosts whose policies need a certificate. Zeroed but for the first two. */
struct export_hosts {
    const struct snapshot *snapshot;
    uint32_t per_certificate; /* names in one certificate, at most */
    size_t cursor;
    struct domain domain;      /* the current one */
    struct domain first;       /* the first one of the current certificate */
    uint32_t n_in_certificate; /* so far, with the current one */
};

/* Goes on to the next host. Returns whether there is one. */
bool export_next_host(struct export_hosts *hosts);

/* Prints the name of a domain's policy host. */
void export_print_host(const struct domain *domain);

/* Prints a file for the http block of nginx, as those in sites-enabled and conf.d are. Returns
 * false if out of memory. */
bool export_nginx(const struct config *config, uint32_t per_certificate);
