#include "commands/export.h"

#include "answer/master_file.h"
#include "base/number.h"
#include "base/quote.h"
#include "commands/commands.h"

enum {
    OPERAND_KIND = 0,
    OPTION_PER_CERTIFICATE = 0,
    PER_CERTIFICATE_MAX = 100, /* names that a certificate of Let's Encrypt may have */
};

bool export_next_host(struct export_hosts *hosts)
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

void export_print_host(const struct domain *domain)
{
    printf("%s%.*s", owner_prefix(OWNER_POLICY_HOST).data, (int)domain->name.length,
           domain->name.data);
}

struct export_upstream export_upstream(const struct config *config, const char *web_server)
{
    const struct listener_settings *policy = &config->settings.listeners[LISTENER_POLICY];
    const struct sockaddr_in *v4 = &policy->address.socket.v4;
    const struct sockaddr_in6 *v6 = &policy->address.socket.v6;
    struct export_upstream out;

    if (!policy->enabled)
        fprintf(stderr,
                "pdns-mta-sts: warning: without listen.policy in the configuration nothing answers "
                "behind %s\n",
                web_server);
    /* A listener on every address is reached by the loopback one. */
    if (v4->sin_family == AF_INET && v4->sin_addr.s_addr == htonl(INADDR_ANY))
        snprintf(out.text, sizeof(out.text), "127.0.0.1:%u", ntohs(v4->sin_port));
    else if (v6->sin6_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr))
        snprintf(out.text, sizeof(out.text), "[::1]:%u", ntohs(v6->sin6_port));
    else
        memcpy(out.text, policy->address.text, sizeof(out.text));
    return out;
}

/* Where a policy says that its certificates are, or NULL. */
static const char *certificates_of(const struct policy *policy)
{
    return policy->certificates.length ? policy->certificates.data : NULL;
}

const char *export_certificates(const struct config *config)
{
    const char *found = NULL;

    for (size_t i = 0; !found && i < snapshot_n_policies(config->snapshot); i++)
        found = certificates_of(snapshot_policy(config->snapshot, i));
    return found;
}

const char *export_certificates_of(const struct policy *policy, const char *unsaid)
{
    const char *own = certificates_of(policy);

    return own ? own : unsaid;
}

void export_write_key(struct buffer *out, const char *certificate)
{
    struct text path = text_from(certificate);
    const char *name = strrchr(certificate, '/') + 1;

    if (path.length > 4 && strcmp(certificate + path.length - 4, ".crt") == 0)
        buffer_printf(out, "%.*s.key", (int)path.length - 4, certificate);
    else
        buffer_printf(out, "%.*sprivkey.pem", (int)(name - certificate), certificate);
}

bool export_paths_are_plain(const struct config *config)
{
    for (size_t i = 0; i < snapshot_n_all_policies(config->snapshot); i++) {
        const char *path = certificates_of(snapshot_policy(config->snapshot, i)),
                   *c = path ? path : "";

        while (*c && (unsigned char)*c >= ' ' && !strchr("\"$\\\x7f", *c))
            c++;
        if (!*c)
            continue;
        fprintf(stderr,
                "pdns-mta-sts: the path of certificates %s has a character that the web server's "
                "configuration cannot have: choose one without $, quotes, backslashes and control "
                "characters\n",
                quote_text(text_from(path)).text);
        return false;
    }
    return true;
}

/* dehydrated's domains.txt: a line for each certificate. */
static int export_dehydrated(const struct config *config, uint32_t per_certificate)
{
    struct export_hosts hosts = {.snapshot = config->snapshot, .per_certificate = per_certificate};
    bool any = false;

    while (!ferror(stdout) && export_next_host(&hosts)) {
        if (any)
            putchar(hosts.n_in_certificate == 1 ? '\n' : ' ');
        export_print_host(&hosts.domain);
        any = true;
    }
    if (any)
        putchar('\n');
    else
        fputs("pdns-mta-sts: no policy has a mode, so no certificate is needed\n", stderr);
    return EXIT_DONE;
}

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

static int export_delegations(const struct config *config, uint32_t per_certificate)
{
    struct domain domain;
    size_t cursor = 0;

    (void)per_certificate;
    if (snapshot_n_zones(config->snapshot) == 0)
        fputs("pdns-mta-sts: there are no own zones (authority: zones), so nothing is delegated\n",
              stderr);
    while (!ferror(stdout) && snapshot_next_domain(config->snapshot, &cursor, &domain))
        if (!print_delegations_of(config->snapshot, &domain))
            return command_out_of_memory();
    return EXIT_DONE;
}

enum { KIND_CADDY, KIND_NGINX, KIND_APACHE, KIND_DEHYDRATED, KIND_DELEGATIONS };

const struct command_choice export_kinds[] = {
    [KIND_CADDY] = {"caddy", "a Caddyfile, with certificates on demand"},
    [KIND_NGINX] = {"nginx", "a virtual host that serves every policy"},
    [KIND_APACHE] = {"apache", "a virtual host for each certificate"},
    [KIND_DEHYDRATED] = {"dehydrated", "domains.txt, the certificates that policy hosts need"},
    [KIND_DELEGATIONS] = {"delegations", "NS records of own zones, for their parent zones"},
    {NULL, NULL},
};

/* They return the exit code. */
static int (*const print[])(const struct config *config, uint32_t per_certificate) = {
    [KIND_CADDY] = export_caddy,
    [KIND_NGINX] = export_nginx,
    [KIND_APACHE] = export_apache,
    [KIND_DEHYDRATED] = export_dehydrated,
    [KIND_DELEGATIONS] = export_delegations,
};

int export_run(const struct command_arguments *arguments)
{
    CLEANUP(config_free_pointer) struct config *config = NULL;
    const char *per_certificate = arguments->options[OPTION_PER_CERTIFICATE];
    size_t kind = command_choose(export_kinds, arguments->operands[OPERAND_KIND]);
    uint64_t n = 1;

    if (per_certificate && (kind == KIND_CADDY || kind == KIND_DELEGATIONS)) {
        fprintf(stderr, "pdns-mta-sts: --per-certificate is not for export %s\n",
                export_kinds[kind].name);
        return EXIT_USAGE;
    }
    if (per_certificate &&
        (!number_read(text_from(per_certificate), PER_CERTIFICATE_MAX, &n) || n == 0)) {
        fprintf(stderr, "pdns-mta-sts: found %s, expected a number of names from 1 to %d\n",
                quote_text(text_from(per_certificate)).text, PER_CERTIFICATE_MAX);
        return EXIT_USAGE;
    }
    config = command_load(arguments->config_path);
    if (!config)
        return EXIT_REFUSED;
    return print[kind](config, (uint32_t)n);
}
