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

/* An address and a port. */
struct export_upstream {
    char text[sizeof(((struct listen_address *)NULL)->text)];
};

/* Where a web server on the same machine reaches the service for the policies. Warns on stderr if
 * nothing listens there. */
struct export_upstream export_upstream(const struct config *config, const char *web_server);

/* Where policies that do not say have their certificates: the template of paths that comes first in
 * the configuration, or NULL if no policy says any. */
const char *export_certificates(const struct config *config);

/* The certificates of a policy's domains, which may be retiring; UNSAID is what export_certificates
 * said. */
const char *export_certificates_of(const struct policy *policy, const char *unsaid);

/* The private key that belongs to a certificate, both as templates: NAME.key beside NAME.crt, and
 * privkey.pem in the same directory beside all others. */
void export_write_key(struct buffer *out, const char *certificate);

/* Whether all paths of certificates can stand in quotes in the configuration of a web server.
 * Reports the first one that cannot. */
bool export_paths_are_plain(const struct config *config);

/* The kinds. Each prints to stdout and returns the exit code. */
int export_apache(const struct config *config, uint32_t per_certificate);
int export_caddy(const struct config *config, uint32_t per_certificate);
int export_nginx(const struct config *config, uint32_t per_certificate);
