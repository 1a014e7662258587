/* nginx: a virtual host that serves the policies of every domain.
 *
 * With one certificate for each host the name that the client sends, in lower case, is the name of
 * the certificate, so the virtual host is the same whichever domains there are. With several hosts
 * in a certificate nginx needs a list that says which certificate covers a host. */
#include "commands/export.h"

#include <stdio.h>

enum { CAPITALS_MAX = 8 /* of one letter in a name; nginx's captures end at $9 */ };

/* Where dehydrated keeps what nginx needs: certificates apart from those of other sites, and the
 * challenges of all. */
#define CERTIFICATES "/var/lib/dehydrated/mta-sts/certs/"
#define CHALLENGES   "/var/lib/dehydrated/acme-challenges/"

/* A map of the certificate by a variable. Clients choose the name that they send, so it becomes
 * part of a path only if it has the form of a policy host. MORE are further lines. */
static void print_certificate_map(const char *name, const char *certificate, const char *more)
{
    printf("map %s %s {\n"
           "    default                      " CERTIFICATES "unknown;\n"
           "    \"~^mta-sts(\\.[a-z0-9-]+)+$\" " CERTIFICATES "%s;\n"
           "%s"
           "}\n",
           name, certificate, name, more);
}

static void print_one_map(void)
{
    fputs("# The certificate of the policy host that the client asks for.\n", stdout);
    print_certificate_map("$ssl_server_name", "$mta_sts_certificate",
                          "    \"~[A-Z]\"                     $mta_sts_lower_certificate;\n");
    print_certificate_map("$mta_sts_lower_z", "$mta_sts_lower_certificate", "");
}

/* Replaces N capitals of one letter, all that there are. */
static void print_replacement(char letter, int n)
{
    char capital = (char)(letter - 'a' + 'A');

    printf(" \"~^([^%c]*)", capital);
    for (int i = 0; i < n; i++)
        printf("%c([^%c]*)", capital, capital);
    fputs("$\" $1", stdout);
    for (int i = 0; i < n; i++)
        printf("%c$%d", letter, i + 2);
    putchar(';');
}

/* $mta_sts_lower_z. nginx has no function for lower case, but a map can take another one's value.
 * They are evaluated only for names with capitals. */
static void print_lower_case_maps(void)
{
    char from[32], to[32] = "$ssl_server_name";

    fputs("\n"
          "# The name that the client asks for, in lower case: each map replaces one capital "
          "letter.\n",
          stdout);
    for (const char *letter = "abcdefghijklmnopqrstuvwxyz"; *letter; letter++) {
        memcpy(from, to, sizeof(from));
        snprintf(to, sizeof(to), "$mta_sts_lower_%c", *letter);
        printf("map %s %s { default %s;", from, to, from);
        for (int n = 1; n <= CAPITALS_MAX; n++)
            print_replacement(*letter, n);
        fputs(" }\n", stdout);
    }
}

/* A certificate of several names says nothing of the others, so each name is listed. */
static void print_list_map(const struct snapshot *snapshot, uint32_t per_certificate)
{
    struct export_hosts hosts = {.snapshot = snapshot, .per_certificate = per_certificate};

    fputs("# The certificate that covers the policy host that the client asks for.\n"
          "map_hash_bucket_size 512;\n"
          "map_hash_max_size 65536;\n"
          "map $ssl_server_name $mta_sts_certificate {\n"
          "    default " CERTIFICATES "unknown;\n",
          stdout);
    while (!ferror(stdout) && export_next_host(&hosts)) {
        fputs("    ", stdout);
        export_print_host(&hosts.domain);
        fputs(" " CERTIFICATES, stdout);
        export_print_host(&hosts.first);
        fputs(";\n", stdout);
    }
    fputs("}\n", stdout);
}

/* Where a listener on every address is reached on the same machine. */
static const char *reachable(const struct listen_address *address, char text[sizeof(address->text)])
{
    const struct sockaddr_in *v4 = &address->socket.v4;
    const struct sockaddr_in6 *v6 = &address->socket.v6;

    if (v4->sin_family == AF_INET && v4->sin_addr.s_addr == htonl(INADDR_ANY))
        snprintf(text, sizeof(address->text), "127.0.0.1:%u", ntohs(v4->sin_port));
    else if (v6->sin6_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr))
        snprintf(text, sizeof(address->text), "[::1]:%u", ntohs(v6->sin6_port));
    else
        return address->text;
    return text;
}

static void print_servers(const char *address)
{
    printf("\n"
           "upstream mta_sts_policies {\n"
           "    server %s;\n"
           "    keepalive 16;\n"
           "    keepalive_timeout 20s;  # before the service closes what is idle\n"
           "}\n",
           address);
    fputs("\n"
          "server {\n"
          "    listen 443 ssl;\n"
          "    listen [::]:443 ssl;\n"
          "    server_name \"~^mta-sts\\.\";\n"
          "    server_tokens off;\n"
          "\n"
          "    ssl_certificate     $mta_sts_certificate/fullchain.pem;\n"
          "    ssl_certificate_key $mta_sts_certificate/privkey.pem;\n"
          "    ssl_protocols TLSv1.2 TLSv1.3;\n"
          "\n"
          "    # Senders follow no redirect from here.\n"
          "    location = " POLICY_PATH " {\n"
          "        proxy_pass http://mta_sts_policies;\n"
          "        proxy_http_version 1.1;\n"
          "        proxy_set_header Connection \"\";\n"
          "        proxy_set_header Host $host;\n"
          "    }\n"
          "\n"
          "    location / {\n"
          "        return 404;\n"
          "    }\n"
          "}\n"
          "\n"
          "server {\n"
          "    listen 80;\n"
          "    listen [::]:80;\n"
          "    server_name \"~^mta-sts\\.\";\n"
          "    server_tokens off;\n"
          "\n"
          "    # Where the certification authority looks for what dehydrated has put there.\n"
          "    location ^~ /.well-known/acme-challenge/ {\n"
          "        alias " CHALLENGES ";\n"
          "        default_type text/plain;\n"
          "    }\n"
          "\n"
          "    # A policy counts only over HTTPS (RFC 8461, 3.3).\n"
          "    location = " POLICY_PATH " {\n"
          "        return 404;\n"
          "    }\n"
          "\n"
          "    location / {\n"
          "        return 301 https://$host$request_uri;\n"
          "    }\n"
          "}\n",
          stdout);
}

/* A file for the http block, as those in sites-enabled and conf.d are. */
bool export_nginx(const struct config *config, uint32_t per_certificate)
{
    const struct listener_settings *policy = &config->settings.listeners[LISTENER_POLICY];
    char text[sizeof(policy->address.text)];

    if (!policy->enabled)
        fputs("pdns-mta-sts: warning: without listen.policy in the configuration nothing answers "
              "behind nginx\n",
              stderr);
    fputs("# Made by 'pdns-mta-sts export nginx'.\n"
          "\n",
          stdout);
    if (per_certificate == 1)
        print_one_map();
    else
        print_list_map(config->snapshot, per_certificate);
    print_servers(reachable(&policy->address, text));
    if (per_certificate == 1)
        print_lower_case_maps();
    return true;
}
