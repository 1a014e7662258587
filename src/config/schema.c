#include "config/schema.h"

#include <errno.h>

enum {
    HTTP_PORT = 8053,
    POLICY_PORT = 8080,
    ADMIN_PORT = 8054,
    MX_MAX = 10000, /* more never fit into a policy body */
    RUA_MAX = 2000, /* more never fit into a TLSRPT record */
    POLICY_HOST_MAX = 64,
    NAMESERVERS_MAX = 13, /* more do not fit into small messages, and no zone needs them */
    ANNOUNCE_DELAY_MAX = 7 * 86400, /* seconds */
    CERTIFICATES_MAX = 255,         /* bytes */
};

/* Reports what is wrong with a name. Returns REPORTED, or a fatal error as it is. */
static int judge_name(const struct option_context *context, const struct node *node, int fault)
{
    if (fault <= 0)
        return fault;
    diagnostics_error(context->diagnostics, node_place(node, context->sources),
                      "found %s in %s, expected %s", name_fault_found(fault),
                      quote_text(node_text(node)).text, name_fault_expected(fault));
    return REPORTED;
}

static bool equal_names(const void *a, const void *b)
{
    const struct name *left = a, *right = b;

    return left->length == right->length && memcmp(left->text, right->text, left->length) == 0;
}

static void describe_domain(const struct option *option, struct buffer *out)
{
    (void)option;
    buffer_add_string(out, "a domain name");
}

static int read_domain(const struct option_context *context, const struct option *option,
                       const struct node *node, void *value)
{
    (void)option;
    return judge_name(context, node, name_from_domain(node_text(node), value));
}

static const struct option_type type_domain = {
    .size = sizeof(struct name),
    .kinds = OPTION_FROM_SCALAR,
    .describe = describe_domain,
    .read = read_domain,
};

static void describe_domains(const struct option *option, struct buffer *out)
{
    (void)option;
    buffer_add_string(out, "a domain name, or a list of these");
}

static void describe_files(const struct option *option, struct buffer *out)
{
    (void)option;
    buffer_add_string(out, "a file name or glob, or a list of these");
}

static void describe_mx(const struct option *option, struct buffer *out)
{
    (void)option;
    buffer_add_string(out, "a host name, or *. and a host name");
}

static int read_mx(const struct option_context *context, const struct option *option,
                   const struct node *node, void *value)
{
    (void)option;
    return judge_name(context, node, name_from_mx_pattern(node_text(node), value));
}

static const struct option_type type_mx = {
    .size = sizeof(struct name),
    .kinds = OPTION_FROM_SCALAR,
    .describe = describe_mx,
    .read = read_mx,
    .equals = equal_names,
};

/* Checks that a policy body with these patterns is not too long, whatever its other lines are. */
static int check_mx(const struct option_context *context, const struct option *option,
                    const struct node *node, const void *value)
{
    CLEANUP(buffer_deinit) struct buffer body = BUFFER_INIT;
    const struct option_list *list = value;
    struct policy_spec spec = {
        .mode = POLICY_MODE_ENFORCE,
        .mx = list->items,
        .n_mx = list->n,
        .max_age = POLICY_MAX_AGE_MAX,
    };

    (void)option;
    policy_write_body(&body, &spec);
    if (body.failed)
        return -ENOMEM;
    if (body.length < POLICY_BODY_MAX)
        return 0;
    diagnostics_error(context->diagnostics, node_place(node, context->sources),
                      "found a policy body of %zu bytes with these mx, expected less than %d",
                      body.length, POLICY_BODY_MAX);
    return REPORTED;
}

static void describe_id(const struct option *option, struct buffer *out)
{
    (void)option;
    buffer_printf(out, "auto, or 1 to %d letters and digits", POLICY_ID_MAX);
}

static int read_id(const struct option_context *context, const struct option *option,
                   const struct node *node, void *value)
{
    bool automatic = text_equals(node_text(node), TEXT("auto"));

    if (!automatic && !policy_id_valid(node_text(node))) {
        option_report(context, option, node, node_describe(node).text);
        return REPORTED;
    }
    *(const char **)value = automatic ? NULL : node->text;
    return 0;
}

static const struct option_type type_id = {
    .size = sizeof(const char *),
    .kinds = OPTION_FROM_SCALAR,
    .describe = describe_id,
    .read = read_id,
};

static void describe_certificates(const struct option *option, struct buffer *out)
{
    (void)option;
    buffer_printf(out, "an absolute path of at most %d bytes with %%d for the domain (%%%% is %%)",
                  CERTIFICATES_MAX);
}

/* Whether every percent sign is one of "%d", of which there is at least one, and "%%". */
static bool is_pattern(const char *text)
{
    bool found = false;

    while ((text = strchr(text, '%'))) {
        if (text[1] != 'd' && text[1] != '%')
            return false;
        found = found || text[1] == 'd';
        text += 2;
    }
    return found;
}

static int read_certificates(const struct option_context *context, const struct option *option,
                             const struct node *node, void *value)
{
    if (node->length > CERTIFICATES_MAX || node->text[0] != '/' || !is_pattern(node->text)) {
        option_report(context, option, node, node_describe(node).text);
        return REPORTED;
    }
    *(const char **)value = node->text;
    return 0;
}

static const struct option_type type_certificates = {
    .size = sizeof(const char *),
    .kinds = OPTION_FROM_SCALAR,
    .describe = describe_certificates,
    .read = read_certificates,
};

static void describe_rua(const struct option *option, struct buffer *out)
{
    (void)option;
    buffer_add_string(out, "a mailto: or https: URI");
}

static int read_rua(const struct option_context *context, const struct option *option,
                    const struct node *node, void *value)
{
    int fault = rua_check(node_text(node));

    (void)option;
    if (fault) {
        diagnostics_error(context->diagnostics, node_place(node, context->sources),
                          "found %s in %s, expected %s", rua_fault_found(fault),
                          quote_text(node_text(node)).text, rua_fault_expected(fault));
        return REPORTED;
    }
    *(const char **)value = node->text;
    return 0;
}

static bool equal_strings(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b) == 0;
}

static const struct option_type type_rua = {
    .size = sizeof(const char *),
    .kinds = OPTION_FROM_SCALAR,
    .describe = describe_rua,
    .read = read_rua,
    .equals = equal_strings,
};

static int check_rua(const struct option_context *context, const struct option *option,
                     const struct node *node, const void *value)
{
    const struct option_list *list = value;
    const char *const *uris = list->items;
    size_t length = sizeof("v=TLSRPTv1; rua=") - 1;

    (void)option;
    for (size_t i = 0; i < list->n; i++)
        length += strlen(uris[i]) + (i > 0);
    if (length < POLICY_RUA_TEXT_MAX)
        return 0;
    diagnostics_error(context->diagnostics, node_place(node, context->sources),
                      "found a TLSRPT record of %zu bytes with these rua, expected less than %d",
                      length, POLICY_RUA_TEXT_MAX);
    return REPORTED;
}

static void describe_policy_host(const struct option *option, struct buffer *out)
{
    (void)option;
    buffer_add_string(out, "an IP address or one host name");
}

static int read_policy_host(const struct option_context *context, const struct option *option,
                            const struct node *node, void *value)
{
    struct policy_host *host = value;

    (void)option;
    *host = (struct policy_host){0};
    if (address_from_text(node_text(node), &host->address))
        return 0;
    return judge_name(context, node, name_from_host(node_text(node), &host->name));
}

static bool equal_policy_hosts(const void *a, const void *b)
{
    const struct policy_host *left = a, *right = b;

    return left->address.family == right->address.family &&
           memcmp(left->address.octets, right->address.octets, sizeof(left->address.octets)) == 0 &&
           equal_names(&left->name, &right->name);
}

static const struct option_type type_policy_host = {
    .size = sizeof(struct policy_host),
    .kinds = OPTION_FROM_SCALAR,
    .describe = describe_policy_host,
    .read = read_policy_host,
    .equals = equal_policy_hosts,
};

/* A name stands alone, as a CNAME does. */
static int check_policy_host(const struct option_context *context, const struct option *option,
                             const struct node *node, const void *value)
{
    const struct option_list *list = value;
    const struct policy_host *hosts = list->items;

    (void)option;
    for (size_t i = 0; i < list->n && list->n > 1; i++) {
        if (hosts[i].address.family)
            continue;
        diagnostics_error(context->diagnostics, node_place(node, context->sources),
                          "found host name %s beside other values, expected addresses only or one "
                          "host name",
                          quote_text(text_from(hosts[i].name.text)).text);
        return REPORTED;
    }
    return 0;
}

/* The items of these lists are read where they are used: there may be a million. */
static int read_later(const struct option_context *context, const struct option *option,
                      const struct node *node, void *value)
{
    (void)context;
    (void)option;
    *(const struct node **)value = node;
    return 0;
}

static const struct option_type type_domains = {
    .size = sizeof(struct node *),
    .kinds = OPTION_FROM_SCALAR | OPTION_FROM_SEQUENCE,
    .describe = describe_domains,
    .read = read_later,
};

static const struct option_type type_files = {
    .size = sizeof(struct node *),
    .kinds = OPTION_FROM_SCALAR | OPTION_FROM_SEQUENCE,
    .describe = describe_files,
    .read = read_later,
};

static const struct option_choice modes[] = {
    {"enforce", POLICY_MODE_ENFORCE},
    {"testing", POLICY_MODE_TESTING},
    {"none", POLICY_MODE_NONE},
    {NULL, 0},
};

static const struct option_choice record_kinds[] = {
    {"cname", DOMAIN_CNAME},
    {"direct", DOMAIN_DIRECT},
    {NULL, 0},
};

static const struct option_choice authorities[] = {
    {"overlay", AUTHORITY_OVERLAY},
    {"zones", AUTHORITY_ZONES},
    {NULL, 0},
};

#define AT(MEMBER) .offset = offsetof(struct policy_settings, MEMBER)

static const struct option policy_rows[] = {
    [POLICY_KEY_DOMAIN] = {"domain", &type_domain, AT(domain), .required = true,
                           .help = "the primary, which carries the TXT and address records"},
    [POLICY_KEY_DOMAINS] = {"domains", &type_domains, AT(domains),
                            .help = "further domains of the policy, its members"},
    [POLICY_KEY_DOMAIN_FILES] = {"domain_files", &type_files, AT(domain_files),
                                 .help = "list files with members, one domain a line"},
    [POLICY_KEY_MODE] = {"mode", &option_choice, AT(mode), .choices = modes,
                         .help = "the mode of the MTA-STS policy; without it no MTA-STS records"},
    [POLICY_KEY_MX] = {"mx", &type_mx, AT(mx), .list = true, .max_items = MX_MAX, .check = check_mx,
                       .help = "the mail servers; at least one unless the mode is none"},
    [POLICY_KEY_MAX_AGE] = {"max_age", &option_duration, AT(max_age), .max = POLICY_MAX_AGE_MAX,
                            .fallback = "1w", .help = "how long senders keep the policy"},
    [POLICY_KEY_ID] = {"id", &type_id, AT(id), .fallback = "auto",
                       .help = "the id of the policy; auto derives it from the policy body"},
    [POLICY_KEY_ANNOUNCE_DELAY] = {"announce_delay", &option_duration, AT(announce_delay),
                                   .max = ANNOUNCE_DELAY_MAX, .fallback = "0",
                                   .help = "how long the old id is announced after the policy body "
                                           "has changed"},
    [POLICY_KEY_CERTIFICATES] = {"certificates", &type_certificates, AT(certificates),
                                 .help = "the file that must exist before a domain's policy is "
                                         "announced"},
    [POLICY_KEY_RUA] = {"rua", &type_rua, AT(rua), .list = true, .max_items = RUA_MAX,
                        .check = check_rua,
                        .help = "where TLS reports go; without it no TLSRPT records"},
    [POLICY_KEY_POLICY_HOST] = {"policy_host", &type_policy_host, AT(policy_host), .list = true,
                                .max_items = POLICY_HOST_MAX, .check = check_policy_host,
                                .help = "where mta-sts.<domain> leads to"},
    [POLICY_KEY_TTL] = {"ttl", &option_duration, AT(ttl), .max = POLICY_TTL_MAX, .fallback = "1h",
                        .help = "the TTL of every record of the policy"},
    [POLICY_KEY_RECORDS] = {"records", &option_choice, AT(records), .choices = record_kinds,
                            .fallback = "cname",
                            .help = "whether members get CNAMEs to the primary's names or the "
                                    "same records"},
    [POLICY_KEY_AUTHORITY] = {"authority", &option_choice, AT(authority), .choices = authorities,
                              .fallback = "overlay",
                              .help = "who is authoritative: with overlay another backend of "
                                      "PowerDNS, with zones the service itself"},
};

#undef AT

const struct option_table policy_table = {policy_rows, POLICY_KEY_COUNT};

const struct option_table defaults_table = {
    policy_rows + POLICY_KEY_DEFAULTABLE,
    POLICY_KEY_COUNT - POLICY_KEY_DEFAULTABLE,
};

static const struct option http_rows[] = {
    {"address", &option_address,
     .offset = offsetof(struct settings, listeners[LISTENER_REMOTE].address), .port = HTTP_PORT,
     .fallback = "127.0.0.1:8053",
     .help = "where the HTTP connector of PowerDNS reaches the service"},
    {"path", &option_url_path, .offset = offsetof(struct settings, http.path), .fallback = "/dns",
     .help = "the path of the URL that PowerDNS is configured with"},
    {"keepalive", &option_boolean, .offset = offsetof(struct settings, http.keepalive),
     .fallback = "no", .help = "whether connections stay open after a reply"},
};

static const struct option_table http_table = {http_rows, ARRAY_LENGTH(http_rows)};

static const struct option unix_rows[] = {
    {"path", &option_socket_path, .offset = offsetof(struct listener_settings, unix_address.path),
     .fallback = "/run/pdns-mta-sts/pdns.sock",
     .help = "the socket where the unix connector of PowerDNS reaches the service"},
    {"mode", &option_permissions, .offset = offsetof(struct listener_settings, unix_address.mode),
     .fallback = "0660", .help = "the permissions of the socket"},
    {"group", &option_group, .offset = offsetof(struct listener_settings, unix_address.group),
     .help = "the group of the socket"},
};

static const struct option_table unix_table = {unix_rows, ARRAY_LENGTH(unix_rows)};

static const struct option policy_listener_rows[] = {
    {"address", &option_address,
     .offset = offsetof(struct settings, listeners[LISTENER_POLICY].address), .port = POLICY_PORT,
     .fallback = "127.0.0.1:8080", .help = "where a web server reaches the service"},
};

static const struct option_table policy_listener_table = {policy_listener_rows,
                                                          ARRAY_LENGTH(policy_listener_rows)};

static const struct option admin_rows[] = {
    {"address", &option_address,
     .offset = offsetof(struct settings, listeners[LISTENER_ADMIN].address), .port = ADMIN_PORT,
     .fallback = "127.0.0.1:8054", .help = "where monitoring reaches the service"},
};

static const struct option_table admin_table = {admin_rows, ARRAY_LENGTH(admin_rows)};

static const struct option listen_rows[] = {
    {"http", &option_section, .section = &http_table, .help = "the HTTP connector"},
    {"unix", &option_section, .offset = offsetof(struct settings, listeners[LISTENER_UNIX]),
     .section = &unix_table, .help = "the unix connector"},
    {"policy", &option_section, .section = &policy_listener_table,
     .help = "policy bodies, for a web server that terminates TLS"},
    {"admin", &option_section, .section = &admin_table, .help = "/metrics, /status and /healthz"},
};

static const struct option_table listen_table = {listen_rows, ARRAY_LENGTH(listen_rows)};

static void describe_host(const struct option *option, struct buffer *out)
{
    (void)option;
    buffer_add_string(out, "a host name");
}

static int read_host(const struct option_context *context, const struct option *option,
                     const struct node *node, void *value)
{
    (void)option;
    return judge_name(context, node, name_from_host(node_text(node), value));
}

static const struct option_type type_host = {
    .size = sizeof(struct name),
    .kinds = OPTION_FROM_SCALAR,
    .describe = describe_host,
    .read = read_host,
    .equals = equal_names,
};

static int check_nameservers(const struct option_context *context, const struct option *option,
                             const struct node *node, const void *value)
{
    const struct option_list *list = value;

    if (list->n)
        return 0;
    option_report(context, option, node, "an empty list");
    return REPORTED;
}

static int read_catalog(const struct option_context *context, const struct option *option,
                        const struct node *node, void *value)
{
    struct name name;
    int r = read_host(context, option, node, &name);

    if (r)
        return r;
    if (name.length > ZONE_CATALOG_MAX) {
        diagnostics_error(context->diagnostics, node_place(node, context->sources),
                          "found a catalog name of %u octets, expected at most %d", name.length,
                          ZONE_CATALOG_MAX);
        return REPORTED;
    }
    *(struct name *)value = name;
    return 0;
}

static const struct option_type type_catalog = {
    .size = sizeof(struct name),
    .kinds = OPTION_FROM_SCALAR,
    .describe = describe_host,
    .read = read_catalog,
};

/* Who writes an address here, as everywhere else, is told what a SOA record has in its place
 * (RFC 1035 3.3.13, 8). */
static int read_hostmaster(const struct option_context *context, const struct option *option,
                           const struct node *node, void *value)
{
    if (!memchr(node->text, '@', node->length))
        return read_host(context, option, node, value);
    diagnostics_error(context->diagnostics, node_place(node, context->sources),
                      "found an address, %s, expected it as a name, with a dot in place of the @",
                      quote_text(node_text(node)).text);
    return REPORTED;
}

static const struct option_type type_hostmaster = {
    .size = sizeof(struct name),
    .kinds = OPTION_FROM_SCALAR,
    .describe = describe_host,
    .read = read_hostmaster,
};

static const struct option zones_rows[] = {
    {"nameservers", &type_host, .offset = offsetof(struct zones_keys, nameservers), .list = true,
     .required = true, .max_items = NAMESERVERS_MAX, .check = check_nameservers,
     .help = "the name servers of all own zones; the first one is the primary of the SOA record"},
    {"hostmaster", &type_hostmaster, .offset = offsetof(struct zones_keys, hostmaster),
     .required = true, .help = "the mailbox of the SOA record, with a dot in place of the @"},
    {"catalog", &type_catalog, .offset = offsetof(struct zones_keys, catalog),
     .help = "the name of a catalog zone that lists all own zones; without it there is none"},
};

static const struct option_table zones_table = {zones_rows, ARRAY_LENGTH(zones_rows)};

static const struct option main_rows[] = {
    {"listen", &option_section, .offset = offsetof(struct file_settings, settings),
     .section = &listen_table, .help = "where the service listens"},
    {"threads", &option_integer, .offset = offsetof(struct file_settings, settings.threads),
     .min = 1, .max = CONFIG_THREADS_MAX, .fallback = "1", .help = "threads that answer queries"},
    {"defaults", &option_mapping, .offset = offsetof(struct file_settings, defaults),
     .help = "any key of a policy but domain, domains and domain_files"},
    {"include", &type_files, .offset = offsetof(struct file_settings, include),
     .help = "further files with policies"},
    {"policies", &option_sequence, .offset = offsetof(struct file_settings, policies),
     .section = &policy_table, .help = "what is published, and for which domains"},
    {"zones", &option_section, .offset = offsetof(struct file_settings, zones),
     .section = &zones_table,
     .help = "what zones of the service's own have in common, for policies with authority: zones"},
};

const struct option_table main_table = {main_rows, ARRAY_LENGTH(main_rows)};

static const struct option included_rows[] = {
    {"policies", &option_sequence, .offset = offsetof(struct file_settings, policies),
     .required = true, .section = &policy_table,
     .help = "what is published, and for which domains"},
};

const struct option_table included_table = {included_rows, ARRAY_LENGTH(included_rows)};
