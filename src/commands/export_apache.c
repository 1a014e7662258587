/* Apache: a virtual host for each certificate, as its configuration has no other way to choose one.
 *
 * Apache's mod_md gets the certificates, unless the policies say where other programs keep them. A
 * file that is not there would keep Apache from starting, so that such a virtual host exists only
 * together with its file. */
#include "base/template.h"
#include "commands/commands.h"
#include "commands/export.h"

#include <stdio.h>

#define CHALLENGES "/var/lib/dehydrated/acme-challenges/"

/* The name that mod_md gives certificates in its own store. */
static bool is_of_mod_md(const char *certificates)
{
    const char *name = strrchr(certificates, '/') + 1;

    return strcmp(name, "pubcert.pem") == 0;
}

/* Where other programs keep the certificates of a policy's domains; NULL: mod_md gets them. */
static const char *files_of(const struct policy *policy, const char *unsaid)
{
    const char *certificates = export_certificates_of(policy, unsaid);

    return certificates && !is_of_mod_md(certificates) ? certificates : NULL;
}

/* The macros end in what every virtual host has. */
static void print_macro(const char *head, const char *upstream)
{
    printf("\n"
           "%s"
           "        ServerName $host\n"
           "        ServerAlias $names\n"
           "        SSLEngine on\n"
           "        SSLProtocol -all +TLSv1.2 +TLSv1.3\n"
           "        ProxyRequests Off\n"
           "        ProxyPreserveHost On\n"
           "        ProxyPass \"" POLICY_PATH "\" \"http://%s" POLICY_PATH "\"\n"
           "        RedirectMatch 404 \"^/(?!\\.well-known/mta-sts\\.txt$)\"\n"
           "    </VirtualHost>\n"
           "</Macro>\n",
           head, upstream);
}

static void print_macros(const char *upstream)
{
    print_macro("# mod_md gets the certificate, and renews it.\n"
                "<Macro MtaStsManaged $host $names>\n"
                "    MDomain $names manual\n"
                "    <VirtualHost *:443>\n",
                upstream);
    print_macro("# Another program gets the certificate.\n"
                "<Macro MtaStsFiles $host $names $certificate $key>\n"
                "    <VirtualHost *:443>\n"
                "        SSLCertificateFile \"$certificate\"\n"
                "        SSLCertificateKeyFile \"$key\"\n",
                upstream);
    fputs("\n"
          "<VirtualHost *:80>\n"
          "    ServerName mta-sts.invalid\n"
          "    ServerAlias mta-sts.*\n"
          "\n"
          "    # Where the certification authority looks for what dehydrated has put there.\n"
          "    Alias \"/.well-known/acme-challenge/\" \"" CHALLENGES "\"\n"
          "    <Directory \"" CHALLENGES "\">\n"
          "        AllowOverride None\n"
          "        Require all granted\n"
          "    </Directory>\n"
          "\n"
          "    # A policy counts only over HTTPS (RFC 8461, 3.3).\n"
          "    RedirectMatch 404 \"^/(?!\\.well-known/acme-challenge/)\"\n"
          "</VirtualHost>\n"
          "\n",
          stdout);
}

/* Prints what puts one certificate's hosts into a macro. FILES is as files_of says. Returns false
 * if out of memory. */
static bool print_use(const struct domain *first, struct text names, const char *files)
{
    CLEANUP(buffer_deinit)
    struct buffer certificate = BUFFER_INIT, template = BUFFER_INIT, key = BUFFER_INIT;

    if (!files) {
        fputs("Use MtaStsManaged ", stdout);
        export_print_host(first);
        printf(" \"%.*s\"\n", (int)names.length, names.data);
        return true;
    }
    export_write_key(&template, files);
    template_write(&certificate, text_from(files), first->name);
    template_write(&key, buffer_text(&template), first->name);
    if (!buffer_string(&certificate) || !buffer_string(&key) || template.failed)
        return false;
    printf("<IfFile \"%s\">\n    Use MtaStsFiles ", certificate.data);
    export_print_host(first);
    printf(" \"%.*s\" \"%s\" \"%s\"\n</IfFile>\n", (int)names.length, names.data, certificate.data,
           key.data);
    return true;
}

/* Prints a line or more for each certificate. Returns false if out of memory. */
static bool print_uses(const struct config *config, uint32_t per_certificate)
{
    CLEANUP(buffer_deinit) struct buffer names = BUFFER_INIT;
    struct export_hosts hosts = {.snapshot = config->snapshot, .per_certificate = per_certificate};
    const char *unsaid = export_certificates(config);
    struct domain first = {0};
    bool any;

    do {
        any = export_next_host(&hosts);
        if (names.length && (!any || hosts.n_in_certificate == 1)) {
            if (names.failed ||
                !print_use(&first, buffer_text(&names), files_of(first.policy, unsaid)))
                return false;
            buffer_clear(&names);
        }
        if (any)
            buffer_printf(&names, "%s%s%.*s", names.length ? " " : "",
                          owner_prefix(OWNER_POLICY_HOST).data, (int)hosts.domain.name.length,
                          hosts.domain.name.data);
        first = hosts.first;
    } while (any && !ferror(stdout));
    return true;
}

int export_apache(const struct config *config, uint32_t per_certificate)
{
    struct export_upstream upstream = export_upstream(config, "Apache");

    if (!export_paths_are_plain(config))
        return EXIT_REFUSED;
    fputs("# Made by 'pdns-mta-sts export apache'.\n", stdout);
    print_macros(upstream.text);
    if (!print_uses(config, per_certificate))
        return command_out_of_memory();
    fputs("\n"
          "UndefMacro MtaStsManaged\n"
          "UndefMacro MtaStsFiles\n",
          stdout);
    return EXIT_DONE;
}
