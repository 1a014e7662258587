#include "config/policies.h"

#include "base/array.h"
#include "config/config.h"
#include "config/members.h"
#include "os/state_directory.h"
#include "policy/challenge.h"

#include <errno.h>

enum { MAX_AGE_SHORT = 86400 }; /* seconds; less than a day protects little, RFC 8461 10.2 */

/* A policy that is being read. */
struct reading {
    struct loader *loader;
    const struct node *node; /* its mapping */
    struct policy_settings settings;
    struct arena arena;      /* what the settings point at */
    struct option_keys keys; /* what it or the defaults say, and what of this is wrong */
};

/* The bit of a key in struct option_keys. */
static uint32_t bit_of(const char *key)
{
    size_t row = 0;

    while (strcmp(policy_table.rows[row].key, key) != 0)
        row++;
    return 1U << row;
}

static bool is_valid(const struct reading *reading, const char *key)
{
    return !(reading->keys.invalid & bit_of(key));
}

/* Whether the policy or the defaults have a key, with a value that is right. */
static bool is_set(const struct reading *reading, const char *key)
{
    return reading->keys.present & bit_of(key) && is_valid(reading, key);
}

/* Where a key of the policy has its value, or the policy itself if it does not have that key. */
static const struct node *value_node(const struct reading *reading, const char *key)
{
    const struct node *node = node_find(reading->node, key);

    return node ? node : reading->node;
}

#define POLICY_ERROR(READING, KEY, ...)                                                            \
    NODE_ERROR(&(READING)->loader->context, value_node(READING, KEY), __VA_ARGS__)
#define POLICY_WARNING(READING, KEY, ...)                                                          \
    NODE_WARNING(&(READING)->loader->context, value_node(READING, KEY), __VA_ARGS__)

static void warn_if_short(const struct load_context *context, const struct node *node,
                          const struct policy_spec *spec)
{
    if (spec->mode == POLICY_MODE_ENFORCE && spec->max_age < MAX_AGE_SHORT)
        NODE_WARNING(context, node, "max_age is %u seconds with mode enforce, less than a day",
                     spec->max_age);
}

int policies_read_defaults(struct loader *loader, const struct node *defaults)
{
    const struct load_context *context = &loader->context;
    const struct node *age = defaults ? node_find(defaults, "max_age") : NULL;
    struct option_keys keys = {0};
    int r = options_set_defaults(context, &policy_table, &loader->defaults);

    if (r == 0 && defaults)
        r = options_read(context, &defaults_table, defaults, &loader->defaults, &keys);
    if (r)
        return r;
    loader->default_keys.present = keys.present << POLICY_ROWS_OWN;
    loader->default_keys.invalid = keys.invalid << POLICY_ROWS_OWN;
    if (age && !(loader->default_keys.invalid & bit_of("max_age")))
        warn_if_short(context, age, &loader->defaults.spec);
    return 0;
}

static void check_mode(const struct reading *reading)
{
    const char *mode = policy_mode_text(reading->settings.spec.mode);

    if (reading->settings.spec.mode != POLICY_MODE_NONE && reading->settings.spec.n_mx == 0 &&
        is_valid(reading, "mx"))
        POLICY_ERROR(reading, "mode", "mode %s without mx: it needs at least one", mode);
    if (reading->settings.n_policy_hosts == 0 && is_valid(reading, "policy_host"))
        POLICY_WARNING(reading, "mode",
                       "mode %s without policy_host: the address of the policy host must come from "
                       "elsewhere",
                       mode);
}

/* A short max_age where mode and max_age both come from the defaults was warned of there. */
static void check_max_age(const struct reading *reading)
{
    const struct node *node = node_find(reading->node, "max_age");

    if (!node)
        node = node_find(reading->node, "mode");
    if (node && is_valid(reading, "mode") && is_valid(reading, "max_age"))
        warn_if_short(&reading->loader->context, node, &reading->settings.spec);
}

/* Zones of one's own need to be described, and nothing in them can be an alias. */
static void check_zones(const struct reading *reading)
{
    const struct policy_settings *settings = &reading->settings;
    const struct policy_host *hosts = settings->policy_hosts;

    if (!reading->loader->zones)
        POLICY_ERROR(
            reading, "authority",
            "authority zones without a section zones: it needs nameservers and hostmaster");
    if (is_set(reading, "records") && settings->records == DOMAIN_CNAME)
        POLICY_ERROR(reading, "records",
                     "found records cname with authority zones, expected direct: each name is the "
                     "apex of a zone, where no CNAME can stand");
    if (settings->spec.mode != POLICY_MODE_ABSENT && is_set(reading, "policy_host") &&
        settings->n_policy_hosts && hosts[0].address.family == 0)
        POLICY_ERROR(reading, "policy_host",
                     "found host name %s with authority zones, expected addresses: the name would "
                     "be a CNAME at the apex of a zone",
                     quote_text(name_text(&hosts[0].name)).text);
}

/* Members that sync finds are those that the mx cover, and their list is in the state. */
static void check_synced(const struct reading *reading)
{
    if (!state_directory(reading->loader->config->settings.state))
        POLICY_ERROR(reading, "members",
                     "members synced without a state, which has their list: set state to a "
                     "directory that sync may write to, such as " STATE_DIRECTORY);
    if (reading->settings.spec.n_mx == 0 && is_valid(reading, "mx"))
        POLICY_WARNING(reading, "members", "members synced without mx: sync finds no domain");
}

/* Checks what concerns several keys at once. */
static void check_together(const struct reading *reading)
{
    const struct policy_spec *spec = &reading->settings.spec;

    if (spec->mode != POLICY_MODE_ABSENT && is_valid(reading, "mode"))
        check_mode(reading);
    check_max_age(reading);
    if (spec->zones && is_valid(reading, "authority"))
        check_zones(reading);
    if (reading->settings.synced && is_valid(reading, "members"))
        check_synced(reading);
    if (spec->mode == POLICY_MODE_ABSENT && spec->n_rua == 0 && !spec->acme_challenge &&
        is_valid(reading, "mode") && is_valid(reading, "rua"))
        NODE_WARNING(&reading->loader->context, reading->node,
                     "the policy has neither mode nor rua, so it publishes nothing");
}

/* Turns the values of policy_host into what the builder takes. */
static int set_policy_host(struct reading *reading, struct policy_spec *spec)
{
    const struct policy_host *hosts = reading->settings.policy_hosts;
    size_t n = reading->settings.n_policy_hosts;
    struct address *addresses;

    if (n == 0)
        return 0;
    if (hosts[0].address.family == 0) {
        spec->policy_host = hosts[0].name;
        return 0;
    }
    addresses = arena_alloc(&reading->arena, n * sizeof(*addresses));
    if (!addresses)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        addresses[i] = hosts[i].address;
    spec->addresses = addresses;
    spec->n_addresses = n;
    return 0;
}

/* Makes what the builder takes. A policy with errors publishes nothing. */
static int make_spec(struct reading *reading, struct policy_spec *out)
{
    struct certificates *certificates = &reading->loader->certificates;
    struct policy_spec spec = reading->settings.spec;
    int r;

    if (diagnostics_has_errors(reading->loader->context.diagnostics)) {
        *out = (struct policy_spec){.primary = spec.primary};
        return 0;
    }
    r = set_policy_host(reading, &spec);
    if (r)
        return r;
    if (spec.mode != POLICY_MODE_ABSENT) {
        spec.certificates = reading->settings.certificates;
        certificates_begin(certificates, spec.certificates);
        r = certificates_look(certificates, name_text(&spec.primary), &spec.held);
        if (r)
            return r;
    }
    *out = spec;
    return 0;
}

/* The domain whose policy host the policy's own one is an alias of, "mta-sts.<domain>", or empty.
 */
static struct text followed_domain(const struct reading *reading)
{
    const struct policy_settings *settings = &reading->settings;
    struct text domain;

    if (settings->spec.mode == POLICY_MODE_ABSENT || settings->n_policy_hosts != 1 ||
        !owner_match(OWNER_POLICY_HOST, name_text(&settings->policy_hosts->name), &domain))
        return TEXT("");
    return domain;
}

/* Notes what later messages and checks need of a policy. */
static int note_policy(struct reading *reading)
{
    struct loader *loader = reading->loader;
    const struct node *domain = value_node(reading, "domain");
    const struct node *host = value_node(reading, "policy_host");
    struct loaded_policy policy = {
        .name = domain->kind == NODE_SCALAR ? domain->text : NULL,
        .host_where = node_pack_place(host),
        .challenge_where = node_pack_place(value_node(reading, "acme_challenge")),
        .kind = (enum domain_kind)reading->settings.records,
        .certificates = loader->certificates.pattern,
        .acme_challenge = reading->settings.spec.acme_challenge,
    };
    struct text primary = name_text(&reading->settings.spec.primary);
    int r = arena_copy_text(&loader->arena, followed_domain(reading), &policy.follows);

    if (r == 0 && primary.length) {
        r = arena_copy_text(&loader->arena, primary, &primary);
        policy.name = primary.data;
        policy.synced = node_find(reading->node, "members");
    }
    if (!reading->settings.synced)
        policy.synced = NULL;
    if (r)
        return r;
    loader->policies[loader->n_policies++] = policy;
    return 0;
}

/* Adds the policy and its primary to the builder. */
static int add_policy(struct reading *reading)
{
    struct loader *loader = reading->loader;
    const struct node *domain = value_node(reading, "domain");
    uint64_t where = node_pack_place(domain);
    struct policy_spec spec;
    int r = make_spec(reading, &spec);

    if (r)
        return r;
    if (ARRAY_RESERVE(loader->policies, loader->n_policies, loader->policies_capacity))
        return -ENOMEM;
    /* No domain has a name like this, so it takes nobody's place. */
    if (spec.primary.length == 0)
        spec.primary.length = (uint8_t)sprintf(spec.primary.text, "#%zu", loader->n_policies);
    r = members_add_policy(loader, &spec, where);
    return r < 0 ? r : note_policy(reading);
}

static int read_policy(struct reading *reading)
{
    struct loader *loader = reading->loader;
    struct load_context context = loader->context;
    struct option_keys own;
    int r;

    context.arena = &reading->arena;
    reading->settings = loader->defaults;
    r = options_read(&context, &policy_table, reading->node, &reading->settings, &own);
    if (r)
        return r;
    reading->keys.present = own.present | loader->default_keys.present;
    reading->keys.invalid = own.invalid | (loader->default_keys.invalid & ~own.present);
    check_together(reading);
    if (reading->settings.spec.zones)
        reading->settings.records = DOMAIN_DIRECT;
    certificates_begin(&loader->certificates, NULL);
    loader->acme_challenge = reading->settings.spec.acme_challenge;
    r = add_policy(reading);
    if (r == 0)
        r = members_add(loader, &reading->settings);
    members_report_certificates(loader, value_node(reading, "certificates"));
    return r;
}

int policies_read(struct loader *loader, const struct node *policies)
{
    for (const struct node *node = policies->first; node; node = node->next) {
        struct reading reading = {.loader = loader, .node = node};
        int r = 0;

        if (cancel_asked(&loader->context.cancel))
            return -ECANCELED;
        if (node->kind == NODE_MAPPING)
            r = read_policy(&reading);
        else if (node->kind != NODE_INVALID)
            NODE_ERROR(&loader->context, node, "found %s, expected a mapping",
                       node_describe(node).text);
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
    return &loader->policies[snapshot_policy_number(snapshot, domain.policy)];
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

/* Whether a policy has records at a name of a listed domain. */
static bool is_owner_name(const struct snapshot *snapshot, struct text name)
{
    struct domain domain;
    struct text of;

    for (enum owner owner = 0; owner < OWNER_COUNT; owner++)
        if (owner_match(owner, name, &of) && snapshot_find(snapshot, of, &domain) &&
            !domain.synced && domain.policy->rows[owner].n)
            return true;
    return false;
}

/* Checks a value in its canonical form. What it makes of domains by "%d" is no domain itself, so
 * that only names that stand in it are found. */
static void check_challenge(const struct loader *loader, const struct snapshot *snapshot,
                            const struct loaded_policy *policy, struct text template)
{
    struct text rest = template;

    while (rest.length && !is_owner_name(snapshot, rest))
        text_take(&rest, '.');
    if (rest.length)
        diagnostics_error(loader->context.diagnostics,
                          source_unpack(&loader->sources, policy->challenge_where),
                          "acme_challenge leads to %s, where a record hides those of the service "
                          "at %s: choose a name elsewhere",
                          quote_text(template).text, quote_text(rest).text);
}

int policies_check_challenges(const struct loader *loader, const struct snapshot *snapshot)
{
    CLEANUP(buffer_deinit) struct buffer template = BUFFER_INIT;
    const char *before = NULL;

    for (size_t i = 0; i < loader->n_policies; i++) {
        const struct loaded_policy *policy = &loader->policies[i];

        if (!policy->acme_challenge || policy->acme_challenge == before)
            continue; /* one of the defaults is judged once */
        before = policy->acme_challenge;
        buffer_clear(&template);
        challenge_write_template(&template, text_from(policy->acme_challenge));
        if (template.failed)
            return -ENOMEM;
        check_challenge(loader, snapshot, policy, buffer_text(&template));
    }
    return 0;
}
