/* nginx: a virtual host that serves the policies of every domain.
 *
 * With one certificate for each host the name that the client sends, in lower case, says where the
 * certificate is, so the virtual host is the same whichever domains there are. With several hosts
 * in a certificate nginx needs a list that says whose certificate covers a host; and with
 * certificates in several places, one that says where those are which are elsewhere than most. */
#include "base/template.h"
#include "commands/commands.h"
#include "commands/export.h"

#include <errno.h>
#include <ifaddrs.h>
#include <stdio.h>

enum { CAPITALS_MAX = 8 /* of one letter in a name; nginx's captures end at $9 */ };

/* Where dehydrated keeps what nginx needs: certificates apart from those of other sites, and the
 * challenges of all. */
#define CERTIFICATES "/var/lib/dehydrated/mta-sts/certs/mta-sts.%d/fullchain.pem"
#define CHALLENGES   "/var/lib/dehydrated/acme-challenges/"

/* In place of a domain for whatever is no policy host; no domain ends in a hyphen. */
#define UNKNOWN "unknown-"

/* A map to the domain of the policy host that a variable names. Clients choose the name that they
 * send, so it becomes part of a path only if it has the form of a policy host. MORE are further
 * lines. */
static void print_domain_map(const char *name, const char *domain, const char *more)
{
    printf("map %s %s {\n"
           "    default                                   \"" UNKNOWN "\";\n"
           "    \"~^mta-sts\\.([a-z0-9-]+(\\.[a-z0-9-]+)*)$\" $1;\n"
           "%s"
           "}\n",
           name, domain, more);
}

static void print_domain_maps(void)
{
    fputs("# The domain of the policy host that the client asks for.\n", stdout);
    print_domain_map("$ssl_server_name", "$mta_sts_domain",
                     "    \"~[A-Z]\"                                  $mta_sts_lower_domain;\n");
    print_domain_map("$mta_sts_lower_z", "$mta_sts_lower_domain", "");
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

    fputs("# The domain whose certificate covers the policy host that the client asks for.\n"
          "map $ssl_server_name $mta_sts_domain {\n"
          "    default \"" UNKNOWN "\";\n",
          stdout);
    while (!ferror(stdout) && export_next_host(&hosts)) {
        fputs("    ", stdout);
        export_print_host(&hosts.domain);
        printf(" %.*s;\n", (int)hosts.first.name.length, hosts.first.name.data);
    }
    fputs("}\n", stdout);
}

/* Where certificates are, as templates of paths. */
struct places {
    const char *unsaid, *most; /* of policies that do not say, and of most listed domains */
    bool others;               /* some domains have theirs elsewhere than most */
};

/* The certificates of a policy, or of all policies that have theirs in one place. */
struct certificates {
    const char *path;
    size_t policy;      /* the number of the first */
    uint64_t n_domains; /* that are listed: new ones are beside these, and retiring ones will go */
};

static int compare_certificates(const void *a, const void *b)
{
    const struct certificates *left = a, *right = b;
    int order = strcmp(left->path, right->path);

    return order ? order : (left->policy > right->policy) - (left->policy < right->policy);
}

/* Lists those of all policies that need any. Returns how many. */
static size_t list_certificates(const struct config *config, const char *unsaid,
                                struct certificates *out)
{
    size_t n = 0;

    for (size_t i = 0; i < snapshot_n_all_policies(config->snapshot); i++) {
        const struct policy *policy = snapshot_policy(config->snapshot, i);
        uint64_t n_domains = i < snapshot_n_policies(config->snapshot) ? policy->n_domains : 0;

        if (policy->mode != POLICY_MODE_ABSENT)
            out[n++] = (struct certificates){export_certificates_of(policy, unsaid), i, n_domains};
    }
    return n;
}

/* Makes one of those that have the same path. Returns how many there are then. */
static size_t merge_certificates(struct certificates *all, size_t n)
{
    size_t merged = 0;

    qsort(all, n, sizeof(*all), compare_certificates);
    for (size_t i = 0; i < n; i++) {
        if (merged && strcmp(all[merged - 1].path, all[i].path) == 0)
            all[merged - 1].n_domains += all[i].n_domains;
        else
            all[merged++] = all[i];
    }
    return merged;
}

/* Whether A has more domains than B, or as many and comes first in the configuration. */
static bool is_wider(const struct certificates *a, const struct certificates *b)
{
    return a->n_domains > b->n_domains || (a->n_domains == b->n_domains && a->policy < b->policy);
}

static int find_places(const struct config *config, struct places *out)
{
    const char *said = export_certificates(config), *unsaid = said ? said : CERTIFICATES;
    CLEANUP(free_pointer)
    struct certificates *all = calloc(snapshot_n_all_policies(config->snapshot) + 1, sizeof(*all));
    const struct certificates *most = all;
    size_t n;

    if (!all)
        return -ENOMEM;
    n = merge_certificates(all, list_certificates(config, unsaid, all));
    for (size_t i = 1; i < n; i++)
        if (is_wider(&all[i], most))
            most = &all[i];
    *out = (struct places){unsaid, n ? most->path : unsaid, n > 1};
    return 0;
}

/* Prints a path in quotes, with a domain, or the variable that has it. */
static int print_path(const char *template, struct text domain)
{
    CLEANUP(buffer_deinit) struct buffer path = BUFFER_INIT;

    template_write(&path, text_from(template), domain);
    if (path.failed)
        return -ENOMEM;
    printf("\"%.*s\"", (int)path.length, path.data);
    return 0;
}

/* A file that belongs to a certificate: which variable has its path, and how that follows from the
 * path of the certificate. */
struct file {
    const char *directive, *variable;
    void (*write)(struct buffer *out, const char *certificate);
};

static void write_certificate(struct buffer *out, const char *certificate)
{
    buffer_add_string(out, certificate);
}

static const struct file files[] = {
    {"ssl_certificate    ", "$mta_sts_certificate", write_certificate},
    {"ssl_certificate_key", "$mta_sts_certificate_key", export_write_key},
};

static int print_file(const struct file *file, const char *certificate, struct text domain)
{
    CLEANUP(buffer_deinit) struct buffer path = BUFFER_INIT;

    file->write(&path, certificate);
    return buffer_string(&path) ? print_path(path.data, domain) : -ENOMEM;
}

/* A map of the domain to the path of a file, with the domains whose file is elsewhere. */
static int print_file_map(const struct config *config, const struct places *places,
                          const struct file *file)
{
    struct export_hosts hosts = {.snapshot = config->snapshot, .per_certificate = 1};
    int r;

    printf("map mta-sts.$mta_sts_domain %s {\n    default ", file->variable);
    r = print_file(file, places->most, TEXT("${mta_sts_domain}"));
    fputs(";\n", stdout);
    while (r == 0 && !ferror(stdout) && export_next_host(&hosts)) {
        const char *certificate = export_certificates_of(hosts.domain.policy, places->unsaid);

        if (strcmp(certificate, places->most) == 0)
            continue;
        fputs("    ", stdout);
        export_print_host(&hosts.domain);
        putchar(' ');
        r = print_file(file, certificate, hosts.domain.name);
        fputs(";\n", stdout);
    }
    fputs("}\n", stdout);
    return r;
}

/* Without an address of IPv6 nginx could not listen on it. */
static bool has_ipv6(void)
{
    struct ifaddrs *all = NULL;
    bool found = false;

    if (getifaddrs(&all) < 0)
        return false;
    for (const struct ifaddrs *each = all; each && !found; each = each->ifa_next)
        found = each->ifa_addr && each->ifa_addr->sa_family == AF_INET6;
    freeifaddrs(all);
    return found;
}

static void print_server_begin(const char *port, const char *options)
{
    printf("\n"
           "server {\n"
           "    listen %s%s;\n",
           port, options);
    if (has_ipv6())
        printf("    listen [::]:%s%s;\n", port, options);
    fputs("    server_name \"~^mta-sts\\.\";\n"
          "    server_tokens off;\n"
          "\n",
          stdout);
}

static int print_https_server(const struct places *places)
{
    print_server_begin("443", " ssl");
    for (size_t i = 0; i < ARRAY_LENGTH(files); i++) {
        int r = 0;

        printf("    %s ", files[i].directive);
        if (places->others)
            fputs(files[i].variable, stdout);
        else
            r = print_file(&files[i], places->most, TEXT("${mta_sts_domain}"));
        if (r)
            return r;
        fputs(";\n", stdout);
    }
    fputs("    ssl_protocols TLSv1.2 TLSv1.3;\n"
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
          "}\n",
          stdout);
    return 0;
}

static void print_http_server(void)
{
    print_server_begin("80", "");
    fputs("    # Where the certification authority looks for what dehydrated has put there.\n"
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

/* The maps that the servers use, but for those to lower case. */
static int print_maps(const struct config *config, uint32_t per_certificate,
                      const struct places *places)
{
    if (per_certificate > 1 || places->others)
        fputs("map_hash_bucket_size 512;\n"
              "map_hash_max_size 65536;\n"
              "\n",
              stdout);
    if (per_certificate > 1)
        print_list_map(config->snapshot, per_certificate);
    else
        print_domain_maps();
    for (size_t i = 0; places->others && i < ARRAY_LENGTH(files); i++) {
        int r = print_file_map(config, places, &files[i]);

        if (r)
            return r;
    }
    return 0;
}

static int print_all(const struct config *config, uint32_t per_certificate)
{
    struct export_upstream upstream = export_upstream(config, "nginx");
    struct places places;
    int r = find_places(config, &places);

    if (r)
        return r;
    fputs("# Made by 'pdns-mta-sts export nginx'.\n"
          "\n",
          stdout);
    r = print_maps(config, per_certificate, &places);
    if (r)
        return r;
    printf("\n"
           "upstream mta_sts_policies {\n"
           "    server %s;\n"
           "    keepalive 16;\n"
           "    keepalive_timeout 20s;  # before the service closes what is idle\n"
           "}\n",
           upstream.text);
    r = print_https_server(&places);
    if (r)
        return r;
    print_http_server();
    if (per_certificate == 1)
        print_lower_case_maps();
    return 0;
}

/* A file for the http block, as those in sites-enabled and conf.d are. */
int export_nginx(const struct config *config, uint32_t per_certificate)
{
    if (!export_paths_are_plain(config))
        return EXIT_REFUSED;
    return print_all(config, per_certificate) ? command_out_of_memory() : EXIT_DONE;
}
