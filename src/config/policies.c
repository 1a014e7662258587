/* The policies of a configuration: from nodes to the builder.
 *
 * A policy starts as a copy of the defaults, and its own keys override them one by one. What is
 * wrong in it is reported, and still it goes to the builder, without the records of a bad value and
 * if need be with a stand-in for its primary: so its domains are compared with those of all other
 * policies, and one reading finds every error. A configuration with errors never gets further.
 */
#include "config/loader.h"

#include <errno.h>

enum { MAX_AGE_SHORT = 86400 }; /* seconds; less than a day protects little, RFC 8461 10.2 */

#define BIT(KEY) (1U << (KEY))

/* A policy that is being read. */
struct reading {
    struct loader *loader;
    const struct node *node; /* its mapping */
    struct policy_settings settings;
    struct arena arena;      /* what the settings point at */
    struct option_marks own; /* what the policy itself says */
    uint32_t invalid;        /* rows whose value is wrong, here or under defaults */
};

static bool is_short(const struct policy_settings *settings)
{
    return settings->mode == POLICY_MODE_ENFORCE && settings->max_age < MAX_AGE_SHORT;
}

static void warn_of_short(struct loader *loader, const struct node *node, uint32_t max_age)
{
    LOADER_WARNING(loader, node, "max_age is %u seconds with mode enforce, less than a day",
                   max_age);
}

int policies_read_defaults(struct loader *loader, const struct node *defaults)
{
    struct option_marks marks = {0};
    int r = options_set_defaults(&loader->context, &policy_table, &loader->defaults);

    if (r == 0 && defaults)
        r = options_read(&loader->context, &defaults_table, defaults, &loader->defaults, &marks);
    if (r)
        return r;
    loader->default_marks.present = marks.present << POLICY_KEY_DEFAULTABLE;
    loader->default_marks.invalid = marks.invalid << POLICY_KEY_DEFAULTABLE;
    marks = loader->default_marks;
    if (marks.present & BIT(POLICY_KEY_MAX_AGE) && !(marks.invalid & BIT(POLICY_KEY_MAX_AGE)) &&
        is_short(&loader->defaults))
        warn_of_short(loader, node_find(defaults, "max_age"), loader->defaults.max_age);
    return 0;
}

/* Where a key of the policy has its value, or the policy itself if it does not have that key. */
static const struct node *value_node(const struct reading *reading, enum policy_key key)
{
    const struct node *node = node_find(reading->node, policy_table.rows[key].key);

    return node ? node : reading->node;
}

static bool all_valid(const struct reading *reading, uint32_t keys)
{
    return !(reading->invalid & keys);
}

static void check_mode(const struct reading *reading)
{
    const struct policy_settings *settings = &reading->settings;
    const struct node *node = value_node(reading, POLICY_KEY_MODE);

    if (settings->mode != POLICY_MODE_NONE && settings->mx.n == 0 &&
        all_valid(reading, BIT(POLICY_KEY_MX)))
        LOADER_ERROR(reading->loader, node, "found mode %s without mx, expected at least one mx",
                     policy_mode_text((enum policy_mode)settings->mode));
    if (settings->policy_host.n == 0 && all_valid(reading, BIT(POLICY_KEY_POLICY_HOST)))
        LOADER_WARNING(reading->loader, node,
                       "mode %s without policy_host: the address of the policy host must come from "
                       "elsewhere",
                       policy_mode_text((enum policy_mode)settings->mode));
}

/* Whether the policy has the key itself, or the defaults for all policies do, and rightly. */
static bool is_set(const struct reading *reading, enum policy_key key)
{
    uint32_t present = reading->own.present | reading->loader->default_marks.present;

    return present & ~reading->invalid & BIT(key);
}

/* Zones of one's own need to be described, and nothing in them can be an alias. */
static void check_zones(const struct reading *reading)
{
    const struct policy_settings *settings = &reading->settings;
    const struct policy_host *hosts = settings->policy_host.items;

    if (!reading->loader->zones)
        LOADER_ERROR(reading->loader, value_node(reading, POLICY_KEY_AUTHORITY),
                     "found authority zones without a section zones, expected one with nameservers "
                     "and hostmaster");
    if (is_set(reading, POLICY_KEY_RECORDS) && settings->records == DOMAIN_CNAME)
        LOADER_ERROR(reading->loader, value_node(reading, POLICY_KEY_RECORDS),
                     "found records cname with authority zones, expected direct: each name is the "
                     "apex of a zone, where no CNAME can stand");
    if (settings->mode != POLICY_MODE_ABSENT && is_set(reading, POLICY_KEY_POLICY_HOST) &&
        settings->policy_host.n && hosts[0].address.family == 0)
        LOADER_ERROR(reading->loader, value_node(reading, POLICY_KEY_POLICY_HOST),
                     "found host name %s with authority zones, expected addresses: the name would "
                     "be a CNAME at the apex of a zone",
                     quote_text(text_from(hosts[0].name.text)).text);
}

/* Checks what concerns several keys at once. */
static void check_together(const struct reading *reading)
{
    const struct policy_settings *settings = &reading->settings;
    uint32_t age_keys = BIT(POLICY_KEY_MODE) | BIT(POLICY_KEY_MAX_AGE);
    bool has_age = reading->own.present & BIT(POLICY_KEY_MAX_AGE);

    if (settings->mode != POLICY_MODE_ABSENT && all_valid(reading, BIT(POLICY_KEY_MODE)))
        check_mode(reading);
    /* If both keys come from the defaults, those were warned of. */
    if (is_short(settings) && all_valid(reading, age_keys) && reading->own.present & age_keys)
        warn_of_short(reading->loader,
                      value_node(reading, has_age ? POLICY_KEY_MAX_AGE : POLICY_KEY_MODE),
                      settings->max_age);
    if (settings->authority == AUTHORITY_ZONES && all_valid(reading, BIT(POLICY_KEY_AUTHORITY)))
        check_zones(reading);
    if (settings->mode == POLICY_MODE_ABSENT && settings->rua.n == 0 &&
        all_valid(reading, BIT(POLICY_KEY_MODE) | BIT(POLICY_KEY_RUA)))
        LOADER_WARNING(reading->loader, reading->node,
                       "the policy has neither mode nor rua, so it publishes nothing");
}

/* Turns the values of policy_host into what the builder takes. */
static int make_policy_host(struct reading *reading, struct policy_spec *spec)
{
    const struct option_list *list = &reading->settings.policy_host;
    const struct policy_host *hosts = list->items;
    struct address *addresses;

    if (list->n == 0)
        return 0;
    if (hosts[0].address.family == 0) {
        spec->policy_host = hosts[0].name;
        return 0;
    }
    addresses = arena_alloc(&reading->arena, list->n * sizeof(*addresses));
    if (!addresses)
        return -ENOMEM;
    for (size_t i = 0; i < list->n; i++)
        addresses[i] = hosts[i].address;
    spec->addresses = addresses;
    spec->n_addresses = list->n;
    return 0;
}

/* Has the policy's domains held back that have no certificate, beginning with the primary. */
static int look_for_certificate(struct reading *reading, struct policy_spec *spec)
{
    const struct policy_settings *settings = &reading->settings;

    if (settings->mode == POLICY_MODE_ABSENT)
        return 0;
    certificates_begin(&reading->loader->certificates, settings->certificates);
    return certificates_look(&reading->loader->certificates, name_text(&spec->primary),
                             &spec->held);
}

/* Warns of certificates that cannot be looked for. */
static void report_certificates(const struct reading *reading)
{
    const struct certificates *certificates = &reading->loader->certificates;

    if (certificates->n_unknown)
        LOADER_WARNING(
            reading->loader, value_node(reading, POLICY_KEY_CERTIFICATES),
            "%zu %s held back, as it cannot be told whether there is a certificate, first "
            "at %s: %s",
            certificates->n_unknown, certificates->n_unknown == 1 ? "domain is" : "domains are",
            quote_text(text_from(certificates->first.data)).text, strerror(certificates->error));
}

/* Makes what the builder takes. A policy with errors publishes nothing. */
static int make_spec(struct reading *reading, struct policy_spec *out)
{
    const struct policy_settings *settings = &reading->settings;
    struct policy_spec spec = {.primary = settings->domain};
    int r;

    if (!diagnostics_has_errors(reading->loader->context.diagnostics)) {
        spec.mode = (enum policy_mode)settings->mode;
        spec.mx = settings->mx.items;
        spec.n_mx = settings->mx.n;
        spec.max_age = settings->max_age;
        spec.fixed_id = settings->id;
        spec.rua = settings->rua.items;
        spec.n_rua = settings->rua.n;
        spec.ttl = settings->ttl;
        spec.announce_delay = settings->announce_delay;
        spec.zones = settings->authority == AUTHORITY_ZONES;
        r = make_policy_host(reading, &spec);
        r = r ? r : look_for_certificate(reading, &spec);
        if (r)
            return r;
    }
    *out = spec;
    return 0;
}

/* Makes room for one loaded policy more. */
static int reserve(struct loader *loader)
{
    size_t capacity = loader->policies_capacity ? 2 * loader->policies_capacity : 16;
    struct loaded_policy *policies;

    if (loader->n_policies < loader->policies_capacity)
        return 0;
    policies = reallocarray(loader->policies, capacity, sizeof(*policies));
    if (!policies)
        return -ENOMEM;
    loader->policies = policies;
    loader->policies_capacity = capacity;
    return 0;
}

/* The domain whose policy host the policy's own one is an alias of, "mta-sts.<domain>", or empty.
 */
static struct text followed_domain(const struct reading *reading)
{
    const struct policy_settings *settings = &reading->settings;
    const struct policy_host *host = settings->policy_host.items;
    struct text domain;

    if (settings->mode == POLICY_MODE_ABSENT || settings->policy_host.n != 1 ||
        !owner_match(OWNER_POLICY_HOST, name_text(&host->name), &domain))
        return TEXT("");
    return domain;
}

/* Notes what later messages and checks need of a policy. */
static int note_policy(struct reading *reading)
{
    struct loader *loader = reading->loader;
    const struct node *domain = value_node(reading, POLICY_KEY_DOMAIN);
    const struct node *host = value_node(reading, POLICY_KEY_POLICY_HOST);
    struct loaded_policy policy = {
        .name = domain->kind == NODE_SCALAR ? domain->text : NULL,
        .host_where = source_pack(host->source, host->line, host->column),
    };
    struct text name = {reading->settings.domain.text, reading->settings.domain.length};
    int r = 0;

    if (name.length)
        r = arena_copy_text(&loader->arena, name, &name);
    if (name.length)
        policy.name = name.data;
    if (r == 0)
        r = arena_copy_text(&loader->arena, followed_domain(reading), &policy.follows);
    if (r)
        return r;
    loader->policies[loader->n_policies++] = policy;
    return 0;
}

/* Adds the policy and its primary to the builder. */
static int add_policy(struct reading *reading)
{
    struct loader *loader = reading->loader;
    const struct node *domain = value_node(reading, POLICY_KEY_DOMAIN);
    uint64_t where = source_pack(domain->source, domain->line, domain->column);
    struct policy_spec spec;
    int r = make_spec(reading, &spec);

    if (r == 0)
        r = reserve(loader);
    if (r)
        return r;
    /* No domain has a name like this, so it takes nobody's place. */
    if (spec.primary.length == 0)
        spec.primary.length = (uint8_t)sprintf(spec.primary.text, "#%zu", loader->n_policies);
    r = members_add_policy(loader, &spec, where);
    return r < 0 ? r : note_policy(reading);
}

static int read_mapping(struct reading *reading)
{
    struct loader *loader = reading->loader;
    struct option_context context = loader->context;
    int r;

    context.arena = &reading->arena;
    reading->settings = loader->defaults;
    r = options_read(&context, &policy_table, reading->node, &reading->settings, &reading->own);
    if (r)
        return r;
    reading->invalid =
        (loader->default_marks.invalid & ~reading->own.present) | reading->own.invalid;
    check_together(reading);
    if (reading->settings.authority == AUTHORITY_ZONES)
        reading->settings.records = DOMAIN_DIRECT;
    certificates_begin(&loader->certificates, NULL);
    r = add_policy(reading);
    r = r < 0 ? r : members_add(loader, &reading->settings);
    report_certificates(reading);
    return r;
}

int policies_read(struct loader *loader, const struct node *policies)
{
    for (const struct node *node = policies->first; node; node = node->next) {
        struct reading reading = {.loader = loader, .node = node};
        int r = 0;

        if (node->kind == NODE_MAPPING)
            r = read_mapping(&reading);
        else if (node->kind != NODE_INVALID)
            LOADER_ERROR(loader, node, "found %s, expected a mapping", node_describe(node).text);
        arena_deinit(&reading.arena);
        if (r)
            return r;
    }
    return 0;
}

/* The policy whose policy host another one's is an alias of, or NULL. */
static struct loaded_policy *followed_policy(const struct loader *loader,
                                             const struct snapshot *snapshot,
                                             const struct loaded_policy *policy)
{
    struct domain domain;

    if (policy->follows.length == 0 || !snapshot_find(snapshot, policy->follows, &domain))
        return NULL;
    return &loader->policies[domain.policy - snapshot_policy(snapshot, 0)];
}

/* Every policy leads to at most one other, so each walk along these steps ends or meets a policy
 * that was seen: in an earlier walk, which has judged it, or in this one, which is a loop. */
void policies_check_aliases(const struct loader *loader, const struct snapshot *snapshot)
{
    for (size_t start = 0; start < loader->n_policies; start++) {
        struct loaded_policy *policy = &loader->policies[start], *next;
        uint32_t walk = (uint32_t)start + 1;

        while (policy->walk == 0) {
            policy->walk = walk;
            next = followed_policy(loader, snapshot, policy);
            if (!next)
                break;
            if (next->walk == walk)
                diagnostics_error(loader->context.diagnostics,
                                  source_unpack(&loader->sources, next->host_where),
                                  "found \"mta-sts.%s\", an alias that leads back to itself, "
                                  "expected addresses or another host name",
                                  next->follows.data);
            policy = next;
        }
    }
}
