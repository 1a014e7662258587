#include "config/schema.h"

#include "config/sync_types.h"

enum {
    HTTP_PORT = 8053,
    POLICY_PORT = 8080,
    ADMIN_PORT = 8054,
    DNS_PORT = 53,
    MX_MAX = 10000, /* more never fit into a policy body */
    RUA_MAX = 2000, /* more never fit into a TLSRPT record */
    HOSTS_MAX = 64,
    NAMESERVERS_MAX = 13, /* more do not fit into small messages, and no zone needs them */
    WEEK = 7 * 86400,     /* seconds */
};

static const struct option_choice modes[] = {
    {"enforce", POLICY_MODE_ENFORCE},
    {"testing", POLICY_MODE_TESTING},
    {"none", POLICY_MODE_NONE},
    {NULL, 0},
};

static const struct option_choice origins[] = {
    {"listed", false},
    {"synced", true},
    {NULL, 0},
};

static const struct option_choice kinds[] = {
    {"cname", DOMAIN_CNAME},
    {"direct", DOMAIN_DIRECT},
    {NULL, 0},
};

static const struct option_choice retirements[] = {
    {"auto", true},
    {"no", false},
    {NULL, 0},
};

static const struct option_choice authorities[] = {
    {"overlay", false},
    {"zones", true},
    {NULL, 0},
};

/* Where values go: in the struct of a policy, or in that of a file. */
#define AT(MEMBER)              .offset = offsetof(struct policy_settings, MEMBER)
#define LIST_AT(ITEMS, N)       AT(ITEMS), .n_offset = offsetof(struct policy_settings, N), .list = true
#define IN_FILE(MEMBER)         .offset = offsetof(struct file_settings, MEMBER)
#define LISTENER(WHICH, MEMBER) IN_FILE(settings.listeners[LISTENER_##WHICH].MEMBER)
#define RESTART                 .restart = true

static const struct option policy_rows[] = {
    {"domain", &type_domain, AT(spec.primary), .required = true},
    {"domains", &type_domains, AT(domains)},
    {"domain_files", &type_files, AT(domain_files)},
    {"members", &option_boolean, AT(synced), .choices = origins, .fallback = "listed"},
    /* The rows from here on may stand under defaults too. */
    {"mode", &option_choice, AT(spec.mode), .choices = modes},
    {"mx", &type_mx, LIST_AT(spec.mx, spec.n_mx), .max_items = MX_MAX, .check = check_mx},
    {"max_age", &option_duration, AT(spec.max_age), .max = POLICY_MAX_AGE_MAX, .fallback = "1w"},
    {"id", &type_id, AT(spec.fixed_id), .fallback = "auto"},
    {"announce_delay", &option_duration, AT(spec.announce_delay), .max = WEEK, .fallback = "0"},
    {"certificates", &type_certificates, AT(certificates)},
    {"retire", &option_boolean, AT(spec.retire), .choices = retirements, .fallback = "auto"},
    {"rua", &type_rua, LIST_AT(spec.rua, spec.n_rua), .max_items = RUA_MAX, .check = check_rua},
    {"policy_host", &type_policy_host, LIST_AT(policy_hosts, n_policy_hosts),
     .max_items = HOSTS_MAX, .check = check_policy_host},
    {"acme_challenge", &type_acme_challenge, AT(spec.acme_challenge)},
    {"ttl", &option_duration, AT(spec.ttl), .max = POLICY_TTL_MAX, .fallback = "1h"},
    {"records", &option_choice, AT(records), .choices = kinds, .fallback = "cname"},
    {"authority", &option_boolean, AT(spec.zones), .choices = authorities, .fallback = "overlay"},
};

const struct option_table policy_table = {policy_rows, ARRAY_LENGTH(policy_rows)};
const struct option_table defaults_table = {policy_rows + POLICY_ROWS_OWN,
                                            ARRAY_LENGTH(policy_rows) - POLICY_ROWS_OWN};

static const struct option http_rows[] = {
    {"address", &option_address, LISTENER(REMOTE, address), RESTART, .port = HTTP_PORT,
     .fallback = "127.0.0.1:8053"},
    {"path", &option_url_path, IN_FILE(settings.http.path), RESTART, .fallback = "/dns"},
    {"keepalive", &option_boolean, IN_FILE(settings.http.keepalive), RESTART, .fallback = "no"},
};

static const struct option unix_rows[] = {
    {"path", &option_socket_path, LISTENER(UNIX, unix_address.path), RESTART,
     .fallback = "/run/pdns-mta-sts/pdns.sock"},
    {"mode", &option_permissions, LISTENER(UNIX, unix_address.mode), RESTART, .fallback = "0660"},
    {"group", &option_group, LISTENER(UNIX, unix_address.group), RESTART},
};

static const struct option policy_listener_rows[] = {
    {"address", &option_address, LISTENER(POLICY, address), RESTART, .port = POLICY_PORT,
     .fallback = "127.0.0.1:8080"},
};

static const struct option admin_rows[] = {
    {"address", &option_address, LISTENER(ADMIN, address), RESTART, .port = ADMIN_PORT,
     .fallback = "127.0.0.1:8054"},
};

static const struct option_table listener_tables[] = {
    [LISTENER_REMOTE] = {http_rows, ARRAY_LENGTH(http_rows)},
    [LISTENER_UNIX] = {unix_rows, ARRAY_LENGTH(unix_rows)},
    [LISTENER_POLICY] = {policy_listener_rows, ARRAY_LENGTH(policy_listener_rows)},
    [LISTENER_ADMIN] = {admin_rows, ARRAY_LENGTH(admin_rows)},
};

#define LISTEN(WHICH, KEY)                                                                         \
    [LISTENER_##WHICH] = {KEY, &option_section, LISTENER(WHICH, enabled), RESTART,                 \
                          .section = &listener_tables[LISTENER_##WHICH]}

static const struct option listen_rows[] = {
    LISTEN(REMOTE, "http"),
    LISTEN(UNIX, "unix"),
    LISTEN(POLICY, "policy"),
    LISTEN(ADMIN, "admin"),
};

const char *config_listener_name(enum listener listener)
{
    return listen_rows[listener].key;
}

static const struct option_table listen_table = {listen_rows, ARRAY_LENGTH(listen_rows)};

static const struct option zones_rows[] = {
    {"nameservers", &type_host, IN_FILE(own_zones.nameservers),
     .n_offset = offsetof(struct file_settings, own_zones.n_nameservers), .list = true,
     .required = true, .max_items = NAMESERVERS_MAX, .check = check_any},
    {"hostmaster", &type_hostmaster, IN_FILE(own_zones.hostmaster), .required = true},
    {"catalog", &type_catalog, IN_FILE(own_zones.catalog)},
    {"catalog_parts", &option_integer, IN_FILE(own_zones.catalog_parts), .min = 1,
     .max = ZONE_CATALOG_PARTS_MAX, .fallback = "1"},
};

static const struct option_table zones_table = {zones_rows, ARRAY_LENGTH(zones_rows)};

static const struct option powerdns_rows[] = {
    {"url", &type_url, IN_FILE(sync.powerdns.url), .fallback = "http://127.0.0.1:8081"},
    {"api_key_file", &type_key_file, IN_FILE(sync.powerdns.api_key_file),
     .fallback = "/etc/pdns-mta-sts/powerdns.key"},
    {"server", &type_server_id, IN_FILE(sync.powerdns.server), .fallback = "localhost"},
};

static const struct option_table powerdns_table = {powerdns_rows, ARRAY_LENGTH(powerdns_rows)};

static const struct option sync_rows[] = {
    {"powerdns", &option_section, IN_FILE(sync.powerdns.present), .section = &powerdns_table},
    {"command", &type_command, IN_FILE(sync.command)},
    {"nameserver", &type_server, IN_FILE(sync.nameserver), .port = DNS_PORT,
     .fallback = "127.0.0.1:53"},
    {"limit", &option_percent, IN_FILE(sync.limit), .max = 100, .fallback = "10%"},
};

static const struct option_table sync_table = {sync_rows, ARRAY_LENGTH(sync_rows)};

static const struct option main_rows[] = {
    {"listen", &option_section, IN_FILE(listen), .section = &listen_table},
    {"threads", &option_integer, IN_FILE(settings.threads), RESTART, .min = 1,
     .max = CONFIG_THREADS_MAX, .fallback = "1"},
    {"state", &option_directory, IN_FILE(settings.state), RESTART},
    {"removal_limit", &option_percent, IN_FILE(removal_limit), .max = 100, .fallback = "20%"},
    {"defaults", &option_mapping, IN_FILE(defaults)},
    {"include", &type_files, IN_FILE(include)},
    {"policies", &option_sequence, IN_FILE(policies), .section = &policy_table},
    {"zones", &option_section, IN_FILE(zones), .section = &zones_table},
    {"sync", &option_section, IN_FILE(sync.present), .section = &sync_table},
};

const struct option_table main_table = {main_rows, ARRAY_LENGTH(main_rows)};

static const struct option included_rows[] = {
    {"policies", &option_sequence, IN_FILE(policies), .required = true},
};

const struct option_table included_table = {included_rows, ARRAY_LENGTH(included_rows)};
