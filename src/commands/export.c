/* What other programs need to know of the domains: dehydrated, which gets the certificates of the
 * policy hosts, and nginx, which serves the policies with them.
 *
 * A certificate has the name of its first host and covers that host alone, or with
 * --per-certificate several hosts of one policy in the order of the configuration. nginx then needs
 * to be told which certificate a host is covered by. With one for each host the name that the
 * client sends is the name of the certificate, so that the virtual host is the same whichever
 * domains there are. */
#include "answer/master_file.h"
#include "base/quote.h"
#include "commands/commands.h"
#include "snapshot/snapshot.h"

#include <errno.h>

enum {
    OPERAND_KIND = 0,
    OPTION_PER_CERTIFICATE = 0,
    PER_CERTIFICATE_MAX = 100, /* names that a certificate of Let's Encrypt may have */
};

/* Goes through the hosts whose policies need a certificate. */
struct hosts {
    const struct snapshot *snapshot;
    uint32_t per_certificate;
    size_t cursor;
    struct domain domain;      /* the current one */
    struct domain first;       /* the first one of the current certificate */
    uint32_t n_in_certificate; /* so far, with the current one */
};

/* Goes on to the next host. Returns whether there is one. */
static bool next_host(struct hosts *hosts)
{
    do {
        if (!snapshot_next_domain(hosts->snapshot, &hosts->cursor, &hosts->domain))
            return false;
    } while (hosts->domain.policy->mode == POLICY_MODE_ABSENT);
    if (hosts->n_in_certificate == hosts->per_certificate ||
        hosts->domain.policy != hosts->first.policy)
        hosts->n_in_certificate = 0;
    if (hosts->n_in_certificate++ == 0)
        hosts->first = hosts->domain;
    return true;
}

static void print_host(const struct domain *domain)
{
    printf("%s%.*s", owner_prefix(OWNER_POLICY_HOST).data, (int)domain->name.length,
           domain->name.data);
}

/* A line for each certificate. */
static bool print_dehydrated(const struct config *config, uint32_t per_certificate)
{
    struct hosts hosts = {.snapshot = config->snapshot, .per_certificate = per_certificate};
    bool any = false;

    while (!ferror(stdout) && next_host(&hosts)) {
        if (any)
            putchar(hosts.n_in_certificate == 1 ? '\n' : ' ');
        print_host(&hosts.domain);
        any = true;
    }
    if (any)
        putchar('\n');
    return true;
}

/* Where dehydrated keeps what nginx needs, on Debian. */
#define CERTIFICATES "/var/lib/dehydrated/certs/"
#define CHALLENGES   "/var/lib/dehydrated/acme-challenges/"

/* The name that a client sends is anybody's choice, so it becomes part of a path only in the form
 * that names of policy hosts have. */
static void print_one_map(void)
{
    fputs("# The certificate of the policy host that the client asks for.\n"
          "map $ssl_server_name $mta_sts_certificate {\n"
          "    default                      " CERTIFICATES "unknown;\n"
          "    \"~^mta-sts(\\.[a-z0-9-]+)+$\" " CERTIFICATES "$ssl_server_name;\n"
          "}\n",
          stdout);
}

static void print_list_map(const struct snapshot *snapshot, uint32_t per_certificate)
{
    struct hosts hosts = {.snapshot = snapshot, .per_certificate = per_certificate};

    fputs("# The certificate that covers the policy host that the client asks for.\n"
          "map_hash_bucket_size 512;\n"
          "map_hash_max_size 65536;\n"
          "map $ssl_server_name $mta_sts_certificate {\n"
          "    default " CERTIFICATES "unknown;\n",
          stdout);
    while (!ferror(stdout) && next_host(&hosts)) {
        fputs("    ", stdout);
        print_host(&hosts.domain);
        fputs(" " CERTIFICATES, stdout);
        print_host(&hosts.first);
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
static bool print_nginx(const struct config *config, uint32_t per_certificate)
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
    return true;
}

struct kind {
    struct command_choice choice;
    /* Returns whether memory lasted. */
    bool (*print)(const struct config *config, uint32_t per_certificate);
};

/* The NS records by which a parent zone hands a domain's own zones over. */
static bool print_delegations_of(const struct snapshot *snapshot, const struct domain *domain)
{
    CLEANUP(buffer_deinit) struct buffer out = BUFFER_INIT;
    struct answer answer;

    for (enum owner owner = 0; owner < OWNER_COUNT; owner++) {
        if (!domain_has_zone(domain, owner) || !answer_at(snapshot, domain, owner, &answer))
            continue;
        for (size_t i = 0; i < answer.rows.n; i++)
            if (answer.rows.first[i].type == RECORD_NS)
                master_file_write(&out, &answer, &answer.rows.first[i]);
    }
    fwrite(out.data, 1, out.length, stdout);
    return !out.failed;
}

static bool print_delegations(const struct config *config, uint32_t per_certificate)
{
    struct domain domain;
    size_t cursor = 0;

    (void)per_certificate;
    while (!ferror(stdout) && snapshot_next_domain(config->snapshot, &cursor, &domain))
        if (!print_delegations_of(config->snapshot, &domain))
            return false;
    return true;
}

static const struct kind kinds[] = {
    {{"nginx", "a virtual host that serves every policy"}, print_nginx},
    {{"dehydrated", "domains.txt, the certificates that policy hosts need"}, print_dehydrated},
    {{"delegations", "NS records of own zones, for their parent zones"}, print_delegations},
};

const struct command_choice *export_kind(size_t number)
{
    return number < ARRAY_LENGTH(kinds) ? &kinds[number].choice : NULL;
}

/* Reads how many names a certificate may have; NULL is the default. Returns whether it is right. */
static bool read_per_certificate(const char *text, uint32_t *out)
{
    uint32_t number = 0;

    if (!text) {
        *out = 1;
        return true;
    }
    for (size_t i = 0; text[i] && number <= PER_CERTIFICATE_MAX; i++)
        number = text[i] >= '0' && text[i] <= '9' ? number * 10 + (uint32_t)(text[i] - '0')
                                                  : PER_CERTIFICATE_MAX + 1;
    if (number < 1 || number > PER_CERTIFICATE_MAX) {
        fprintf(stderr, "pdns-mta-sts: found %s, expected a number of names from 1 to %d\n",
                quote_text(text_from(text)).text, PER_CERTIFICATE_MAX);
        return false;
    }
    *out = number;
    return true;
}

int export_run(const struct command_arguments *arguments)
{
    CLEANUP(config_free_pointer) struct config *config = NULL;
    const struct kind *kind = kinds;
    uint32_t per_certificate;

    if (!read_per_certificate(arguments->options[OPTION_PER_CERTIFICATE], &per_certificate))
        return EXIT_USAGE;
    while (strcmp(kind->choice.name, arguments->operands[OPERAND_KIND]) != 0)
        kind++; /* it is one of the choices */
    config = command_load(arguments->config_path);
    if (!config)
        return EXIT_REFUSED;
    if (kind->print(config, per_certificate))
        return EXIT_DONE;
    fprintf(stderr, "pdns-mta-sts: %s\n", strerror(ENOMEM));
    return EXIT_REFUSED;
}
