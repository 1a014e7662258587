#include "answer/lookup.h"
#include "config/loader.h"
#include "os/clock.h"

#include <errno.h>

/* A file with policies, in the order of reading. */
struct policy_file {
    struct policy_file *next;
    const struct node *policies; /* NULL: none, or the file could not be read */
    dev_t device;
    ino_t inode;
    const struct node *named_at; /* NULL: the main file */
};

struct policy_files {
    struct policy_file *first;
    struct policy_file **end;
};

const char *config_listener_name(enum listener listener)
{
    static const char *const names[] = {
        [LISTENER_REMOTE] = "http",
        [LISTENER_UNIX] = "unix",
        [LISTENER_POLICY] = "policy",
        [LISTENER_ADMIN] = "admin",
    };

    return names[listener];
}

void config_free(struct config *config)
{
    if (!config)
        return;
    snapshot_unref(config->snapshot);
    arena_deinit(&config->arena);
    free(config);
}

static int loader_init(struct loader *loader, uint64_t seed, struct diagnostics *diagnostics)
{
    *loader = (struct loader){0};
    loader->context = (struct option_context){&loader->arena, &loader->sources, diagnostics};
    return builder_new(seed, &loader->builder);
}

static void loader_deinit(struct loader *loader)
{
    builder_free(loader->builder);
    certificates_deinit(&loader->certificates);
    free(loader->policies);
    buffer_deinit(&loader->newest_path);
    sources_deinit(&loader->sources);
    arena_deinit(&loader->arena);
}

/* Notes that a file is read. Returns 0, REPORTED if it was read already, or -ENOMEM. */
static int note_file(struct loader *loader, struct policy_files *files, const struct file *file,
                     const char *path, const struct node *named_at, struct policy_file **out)
{
    struct policy_file *noted;

    for (noted = files->first; noted; noted = noted->next) {
        const struct node *first = noted->named_at;

        if (noted->device != file->device || noted->inode != file->inode)
            continue;
        if (first)
            LOADER_ERROR(loader, named_at,
                         "found %s, included already at %s:%u:%u, expected each "
                         "file once",
                         quote_text(text_from(path)).text,
                         sources_name(&loader->sources, first->source), first->line, first->column);
        else
            LOADER_ERROR(loader, named_at, "found %s, the main file itself, expected other files",
                         quote_text(text_from(path)).text);
        return REPORTED;
    }
    noted = arena_alloc(&loader->arena, sizeof(*noted));
    if (!noted)
        return -ENOMEM;
    *noted = (struct policy_file){NULL, NULL, file->device, file->inode, named_at};
    *files->end = noted;
    files->end = &noted->next;
    *out = noted;
    return 0;
}

/* Opens and reads a YAML file whose root must be a mapping. Returns 0, REPORTED or -ENOMEM.
 */
static int load_yaml(struct loader *loader, struct policy_files *files, const char *path,
                     const struct node *named_at, struct policy_file **noted, struct node **root)
{
    CLEANUP(file_deinit) struct file file = FILE_INIT;
    uint16_t source;
    int r = loader_open(loader, path, named_at, CONFIG_YAML_SIZE_MAX, &file, &source);

    if (r == 0)
        r = note_file(loader, files, &file, path, named_at, noted);
    if (r == 0)
        r = node_load(&file, source, &loader->sources, &loader->arena, loader->context.diagnostics,
                      root);
    if (r)
        return r < 0 ? r : REPORTED;
    if ((*root)->kind == NODE_MAPPING)
        return 0;
    if ((*root)->kind != NODE_INVALID)
        LOADER_ERROR(loader, *root, "found %s, expected a mapping", node_describe(*root).text);
    return REPORTED;
}

static int read_included(struct loader *loader, const char *path, const struct node *name,
                         void *context)
{
    struct policy_files *files = context;
    struct file_settings settings = {0};
    struct policy_file *noted;
    struct node *root;
    int r = load_yaml(loader, files, path, name, &noted, &root);

    if (r == 0)
        r = options_read(&loader->context, &included_table, root, &settings, NULL);
    if (r == 0)
        noted->policies = settings.policies;
    return r < 0 ? r : 0;
}

/* Which listeners there are: without the key the HTTP one, with it those below it, at least one. */
static void choose_listeners(struct loader *loader, const struct node *listen,
                             struct settings *settings)
{
    if (!listen || listen->kind != NODE_MAPPING) {
        settings->listeners[LISTENER_REMOTE].enabled = true;
        return;
    }
    for (enum listener listener = 0; listener < LISTENER_COUNT; listener++)
        settings->listeners[listener].enabled = node_find(listen, config_listener_name(listener));
    if (listen->length == 0)
        LOADER_ERROR(loader, listen, "found no listener, expected http, unix, policy or admin");
}

/* The value of a key, or NULL where there is no mapping with that key. */
static const struct node *find_below(const struct node *mapping, const char *key)
{
    return mapping && mapping->kind == NODE_MAPPING ? node_find(mapping, key) : NULL;
}

/* Warns of listeners that others can reach. */
static void check_listeners(struct loader *loader, const struct node *listen,
                            const struct settings *settings)
{
    for (enum listener listener = 0; listener < LISTENER_COUNT; listener++) {
        const struct listen_address *address = &settings->listeners[listener].address;
        const struct node *node =
            find_below(find_below(listen, config_listener_name(listener)), "address");

        if (listener != LISTENER_UNIX && node && !listen_address_is_loopback(address))
            LOADER_WARNING(loader, node,
                           "%s is not a loopback address: whoever reaches it gets answers",
                           address->text);
    }
}

/* Reads the main file but for its policies. */
static int read_main(struct loader *loader, struct policy_files *files, const char *path,
                     struct config *config)
{
    struct option_context context = loader->context;
    struct file_settings settings = {0};
    struct policy_file *noted;
    struct node *root;
    int r = load_yaml(loader, files, path, NULL, &noted, &root);

    if (r)
        return r;
    context.arena = &config->arena;
    settings.settings.listeners[LISTENER_UNIX].unix_address.group = UNIX_GROUP_UNCHANGED;
    r = options_set_defaults(&context, &main_table, &settings);
    if (r == 0)
        r = options_read(&context, &main_table, root, &settings, NULL);
    if (r)
        return r;
    choose_listeners(loader, node_find(root, "listen"), &settings.settings);
    check_listeners(loader, node_find(root, "listen"), &settings.settings);
    config->settings = settings.settings;
    if (settings.zones.nameservers.n) {
        r = builder_set_zones(loader->builder, &(struct zone_settings){
                                                   .nameservers = settings.zones.nameservers.items,
                                                   .n_nameservers = settings.zones.nameservers.n,
                                                   .hostmaster = settings.zones.hostmaster,
                                                   .catalog = settings.zones.catalog,
                                               });
        if (r)
            return r;
        loader->zones = true;
        loader->catalog = find_below(node_find(root, "zones"), "catalog");
    }
    noted->policies = settings.policies;
    r = policies_read_defaults(loader, settings.defaults);
    return r ? r : loader_each_file(loader, settings.include, read_included, files);
}

static int read_policies(struct loader *loader, const struct policy_files *files, const char *path)
{
    for (const struct policy_file *file = files->first; file; file = file->next) {
        int r = file->policies ? policies_read(loader, file->policies) : 0;

        if (r)
            return r;
    }
    if (loader->n_policies == 0 && !diagnostics_has_errors(loader->context.diagnostics))
        diagnostics_warning(loader->context.diagnostics, (struct place){.file = path},
                            "there is no policy, so nothing is published");
    return 0;
}

/* Reports a catalog zone with the name of another own zone. */
static void check_catalog(struct loader *loader, const struct snapshot *snapshot)
{
    const struct name *name = &snapshot_zone_settings(snapshot)->catalog;
    struct answer answer;

    if (name->length && lookup_find(snapshot, text_from(name->text), &answer) &&
        answer.owner != OWNER_COUNT)
        LOADER_ERROR(loader, loader->catalog,
                     "found %s, which %s has already, expected another name",
                     quote_text(text_from(name->text)).text, quote_text(answer.domain.name).text);
}

/* Takes the time of the newest file for that of the configuration. It makes serials, so one that is
 * still to come is worth a warning; it counts all the same, as the clock may be what is wrong. */
static int settle_time(struct loader *loader, struct config *config)
{
    const struct certificates *certificates = &loader->certificates;
    const struct buffer *path = &loader->newest_path;

    if (certificates->newest)
        loader_note_time(loader, certificates->newest_path.data, certificates->newest);
    if (path->failed)
        return -ENOMEM;
    config->newest = loader->newest;
    if (snapshot_n_zones(config->snapshot) && loader->newest > time(NULL) + CONFIG_CLOCKS_DIFFER)
        diagnostics_warning(loader->context.diagnostics, (struct place){.file = path->data},
                            "found its last change at %s, in the future: serials of own zones run "
                            "ahead of the clock",
                            clock_text(loader->newest).text);
    return snapshot_set_serials(config->snapshot, NULL, config->newest);
}

/* Freezes what was read, and checks what only the whole shows. */
static int freeze(struct loader *loader, struct config *config)
{
    int r = builder_freeze(loader->builder, members_report_clash, loader, &config->snapshot);

    if (r)
        return r;
    policies_check_aliases(loader, config->snapshot);
    check_catalog(loader, config->snapshot);
    r = settle_time(loader, config);
    if (r)
        return r;
    return diagnostics_has_errors(loader->context.diagnostics) ? REPORTED : 0;
}

static int load(struct loader *loader, const char *path, struct config *config)
{
    struct policy_files files = {0};
    int r;

    files.end = &files.first;
    r = read_main(loader, &files, path, config);
    if (r == 0)
        r = read_policies(loader, &files, path);
    return r ? r : freeze(loader, config);
}

int config_load(const char *path, uint64_t seed, struct diagnostics *diagnostics,
                struct config **out)
{
    CLEANUP(loader_deinit) struct loader loader;
    struct config *config;
    int r = loader_init(&loader, seed, diagnostics);

    if (r)
        return r;
    config = calloc(1, sizeof(*config));
    if (!config)
        return -ENOMEM;
    r = load(&loader, path, config);
    if (diagnostics->out_of_memory)
        r = -ENOMEM;
    if (r)
        config_free(config);
    else
        *out = config;
    return r;
}
