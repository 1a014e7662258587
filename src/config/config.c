#include "config/config.h"

#include "base/array.h"
#include "config/files.h"
#include "config/members.h"
#include "config/policies.h"
#include "config/synced.h"
#include "os/state_directory.h"

#include <errno.h>

void config_free(struct config *config)
{
    if (!config)
        return;
    snapshot_unref(config->snapshot);
    glob_set_deinit(&config->matched);
    arena_deinit(&config->arena);
    free(config->lists);
    free(config);
}

bool config_has_sync(const struct config *config)
{
    return config->sync.present && config->n_lists;
}

void config_name_restart(const struct settings *before, const struct settings *after,
                         struct buffer *out)
{
    const struct file_settings old = {.settings = *before}, now = {.settings = *after};

    options_name_restart(&main_table, &old, &now, out);
}

static int loader_init(struct loader *loader, const struct config_request *request,
                       struct diagnostics *diagnostics)
{
    *loader = (struct loader){0};
    loader->context =
        (struct load_context){&loader->arena, &loader->sources, diagnostics, request->cancel};
    loader->config = calloc(1, sizeof(*loader->config));
    if (!loader->config)
        return -ENOMEM;
    loader->matched = &loader->config->matched;
    loader->matched_before = request->matched_before;
    loader->before = request->before;
    return 0;
}

static void loader_deinit(struct loader *loader)
{
    config_free(loader->config);
    builder_free(loader->builder);
    certificates_deinit(&loader->certificates);
    free(loader->policies);
    free(loader->policy_lists);
    sources_deinit(&loader->sources);
    arena_deinit(&loader->arena);
}

/* Reads a YAML file whose root must be a mapping. Returns 0, REPORTED or -ENOMEM. */
static int load_yaml(struct loader *loader, const char *path, const struct node *named_at,
                     struct node **root)
{
    CLEANUP(file_deinit) struct file file = FILE_INIT;
    uint16_t source;
    int r = files_open(loader, path, named_at, FILES_YAML, &file, &source);

    if (r == 0)
        r = node_read(&loader->context, &file, source, root);
    if (r || (*root)->kind == NODE_MAPPING)
        return r;
    if ((*root)->kind != NODE_INVALID)
        NODE_ERROR(&loader->context, *root, "found %s, expected a mapping",
                   node_describe(*root).text);
    return REPORTED;
}

/* Keeps the policies of a file, if it has any, until all files are read. */
static int keep_policies(struct loader *loader, const struct node *policies)
{
    if (!policies)
        return 0;
    if (ARRAY_RESERVE(loader->policy_lists, loader->n_policy_lists, loader->policy_lists_capacity))
        return -ENOMEM;
    loader->policy_lists[loader->n_policy_lists++] = policies;
    return 0;
}

static int read_included(struct loader *loader, const char *path, const struct node *named_at,
                         void *context)
{
    struct file_settings settings = {0};
    struct node *root;
    int r = load_yaml(loader, path, named_at, &root);

    (void)context;
    if (r == 0)
        r = options_read(&loader->context, &included_table, root, &settings, NULL);
    if (r == 0)
        r = keep_policies(loader, settings.policies);
    return r < 0 ? r : 0;
}

static bool take_one_address(const struct settings *settings, enum listener a, enum listener b)
{
    const struct listener_settings *first = &settings->listeners[a];
    const struct listener_settings *second = &settings->listeners[b];

    return a != LISTENER_UNIX && b != LISTENER_UNIX && first->enabled && second->enabled &&
           listen_address_overlaps(&first->address, &second->address);
}

/* Reports listeners of which one takes the address of the other. */
static void check_listeners(const struct loader *loader, const struct node *listen,
                            const struct settings *settings)
{
    for (enum listener listener = 0; listener < LISTENER_COUNT; listener++)
        for (enum listener other = 0; other < listener; other++) {
            const struct node *section, *address;

            if (!take_one_address(settings, listener, other))
                continue;
            section = node_find(listen, config_listener_name(listener));
            address = node_find(section, "address");
            NODE_ERROR(&loader->context, address ? address : section,
                       "found the address %s, which overlaps with %s of listen.%s, expected "
                       "another port",
                       settings->listeners[listener].address.text,
                       settings->listeners[other].address.text, config_listener_name(other));
            break;
        }
}

/* Reads the keys of the main file. */
static int read_settings(struct loader *loader, const struct node *root, struct file_settings *out)
{
    struct load_context context = loader->context;
    struct listener_settings *listeners = out->settings.listeners;
    const struct node *listen;
    int r;

    context.arena = &loader->config->arena;
    listeners[LISTENER_UNIX].unix_address.group = UNIX_GROUP_UNCHANGED;
    r = options_set_defaults(&context, &main_table, out);
    if (r == 0)
        r = options_read(&context, &main_table, root, out, NULL);
    if (r)
        return r;
    if (out->sync.powerdns.present && out->sync.command)
        NODE_ERROR(&context, node_find(node_find(root, "sync"), "command"),
                   "found command beside powerdns, expected one of them");
    listen = node_find(root, "listen");
    if (!listen || node_is_null(listen))
        listeners[LISTENER_REMOTE].enabled = true;
    else if (listen->kind == NODE_MAPPING && listen->length == 0)
        NODE_ERROR(&context, listen, "found no listener, expected http, unix, policy or admin");
    else
        check_listeners(loader, listen, &out->settings);
    return 0;
}

/* Reports parts of a catalog that is not there. */
static void check_no_parts(struct loader *loader, const struct node *zones)
{
    const struct node *parts =
        zones && zones->kind == NODE_MAPPING ? node_find(zones, "catalog_parts") : NULL;

    if (parts)
        NODE_ERROR(&loader->context, parts,
                   "catalog_parts divides the catalog zone, but there is no catalog: add it, or "
                   "remove catalog_parts");
}

/* Reads the main file but for its policies, and all included ones. */
static int read_files(struct loader *loader, const struct config_request *request)
{
    struct file_settings settings = {0};
    struct node *root;
    int r = load_yaml(loader, request->path, NULL, &root);

    if (r == 0)
        r = read_settings(loader, root, &settings);
    if (r)
        return r;
    r = builder_new(request->seed ? request->seed(&settings.settings, request->context) : 0,
                    &loader->builder);
    if (r)
        return r;
    loader->config->settings = settings.settings;
    loader->state = node_find(root, "state");
    loader->config->sync = settings.sync;
    loader->config->removal_limit = settings.removal_limit;
    loader->zones = settings.own_zones.n_nameservers;
    if (loader->zones)
        r = builder_set_zones(loader->builder, &settings.own_zones);
    if (settings.own_zones.catalog.length)
        loader->catalog = node_find(node_find(root, "zones"), "catalog");
    else
        check_no_parts(loader, node_find(root, "zones"));
    if (r == 0)
        r = keep_policies(loader, settings.policies);
    if (r == 0)
        r = policies_read_defaults(loader, settings.defaults);
    return r ? r : files_each(loader, settings.include, read_included, NULL);
}

/* Without any policy everything would be unpublished, as by a file that was cut short: an error. */
static int read_policies(struct loader *loader, const char *path)
{
    int r = 0;

    for (size_t i = 0; i < loader->n_policy_lists && r == 0; i++)
        r = policies_read(loader, loader->policy_lists[i]);
    if (r == 0 && loader->n_policies == 0 && !diagnostics_has_errors(loader->context.diagnostics))
        diagnostics_error(loader->context.diagnostics, (struct place){.file = path},
                          "found no policy, expected at least one: nothing would be published");
    return r;
}

/* The first domain that a zone of this name would contain, below its apex or as the apex itself.
 * Returns whether there is one. */
static bool find_inside(const struct snapshot *snapshot, struct text zone, struct domain *out)
{
    size_t cursor = 0;

    while (snapshot_next_domain(snapshot, &cursor, out)) {
        struct text name = out->name;

        if (name.length < zone.length)
            continue;
        name = text_after(name, name.length - zone.length);
        if (text_equals(name, zone) && (name.data == out->name.data || name.data[-1] == '.'))
            return true;
    }
    return false;
}

/* Reports a catalog zone that has, or would hide, a name that is answered for. */
static void check_catalog(struct loader *loader, const struct snapshot *snapshot)
{
    struct text name = name_text(&snapshot_zone_settings(snapshot)->catalog), text;
    struct domain domain;

    if (name.length == 0)
        return;
    /* A host name can be that of a policy host alone: the other owners begin with an underscore. */
    if (owner_match(OWNER_POLICY_HOST, name, &text) && snapshot_find(snapshot, text, &domain) &&
        domain_rows(&domain, OWNER_POLICY_HOST).n)
        NODE_ERROR(&loader->context, loader->catalog,
                   "%s is a name of the domain %s already: choose another one",
                   quote_text(name).text, quote_text(domain.name).text);
    else if (find_inside(snapshot, name, &domain))
        NODE_ERROR(
            &loader->context, loader->catalog,
            "the zone %s would hide the domain %s: choose a name with no domain at or below it",
            quote_text(name).text, quote_text(domain.name).text);
}

/* Makes the snapshot, and checks what only the whole shows. */
static int freeze(struct loader *loader)
{
    struct config *config = loader->config;
    int r;

    r = builder_freeze(loader->builder, members_report_clash, loader, &config->snapshot);
    if (r)
        return r;
    policies_check_aliases(loader, config->snapshot);
    r = policies_check_challenges(loader, config->snapshot);
    if (r)
        return r;
    check_catalog(loader, config->snapshot);
    if (snapshot_n_zones(config->snapshot) && config->settings.state &&
        strcmp(config->settings.state, "none") == 0)
        NODE_ERROR(&loader->context, loader->state, "%s", state_needed);
    return diagnostics_has_errors(loader->context.diagnostics) ? REPORTED : 0;
}

int config_load(const struct config_request *request, struct diagnostics *diagnostics,
                struct config **out)
{
    CLEANUP(loader_deinit) struct loader loader;
    int r = loader_init(&loader, request, diagnostics);

    if (r == 0)
        r = read_files(&loader, request);
    if (r == 0)
        r = read_policies(&loader, request->path);
    if (r == 0)
        r = synced_add(&loader);
    if (r == 0)
        r = freeze(&loader);
    if (diagnostics->out_of_memory)
        r = -ENOMEM;
    if (r)
        return r;
    glob_set_sort(loader.matched);
    *out = loader.config;
    loader.config = NULL;
    return 0;
}
