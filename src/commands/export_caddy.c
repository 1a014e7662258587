/* Caddy: a whole Caddyfile, the same for any number of domains.
 *
 * Caddy gets a certificate when a client asks for a name that has none, if the service says that it
 * is one of its policy hosts. So there is nothing to export again, and nothing to run, when domains
 * come or go. The policies come from the service too: it has to run for Caddy to ask it, and its
 * policies are always those of the records. */
#include "commands/commands.h"
#include "commands/export.h"

#include <stdio.h>

/* Caddy keeps certificates in a directory of their authority's name, and takes another authority if
 * the first one fails. Where the service looks for the files there must be one alone. */
static void print_authority(void)
{
    fputs("\n"
          "\t# The only authority, as its name is part of the paths under certificates.\n"
          "\tacme_ca https://acme-v02.api.letsencrypt.org/directory\n",
          stdout);
}

int export_caddy(const struct config *config, uint32_t per_certificate)
{
    struct export_upstream upstream = export_upstream(config, "Caddy");

    (void)per_certificate;
    printf("# Made by 'pdns-mta-sts export caddy'.\n"
           "{\n"
           "\t# The service says which names are policy hosts of its domains.\n"
           "\ton_demand_tls {\n"
           "\t\task http://%s/ask\n"
           "\t}\n",
           upstream.text);
    if (export_certificates(config))
        print_authority();
    printf("}\n"
           "\n"
           "https:// {\n"
           "\ttls {\n"
           "\t\ton_demand\n"
           "\t}\n"
           "\n"
           "\t# Senders follow no redirect from here.\n"
           "\thandle " POLICY_PATH " {\n"
           "\t\treverse_proxy %s\n"
           "\t}\n"
           "\n"
           "\thandle {\n"
           "\t\trespond 404\n"
           "\t}\n"
           "}\n",
           upstream.text);
    return EXIT_DONE;
}
