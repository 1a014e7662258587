/* The domains of a policy: into the builder, from the configuration and from list files. */
#include "config/file_report.h"
#include "config/list_file.h"
#include "config/loader.h"

#include <errno.h>

void members_report_clash(const struct builder_clash *clash, void *context)
{
    const struct loader *loader = context;
    struct diagnostics *diagnostics = loader->context.diagnostics;
    struct place place = source_unpack(&loader->sources, clash->where);
    struct place first = source_unpack(&loader->sources, clash->first_where);
    int length = (int)clash->name.length;
    const char *policy;

    if (clash->policy == clash->first_policy) {
        diagnostics_warning(diagnostics, place, "\"%.*s\" is listed already at %s:%u:%u", length,
                            clash->name.data, first.file, first.line, first.column);
        return;
    }
    policy = loader->policies[clash->first_policy].name;
    diagnostics_error(
        diagnostics, place,
        "found \"%.*s\", listed already at %s:%u:%u under %s%s, expected each domain in "
        "one policy",
        length, clash->name.data, first.file, first.line, first.column,
        policy ? "policy " : "a policy without a domain",
        policy ? quote_text(text_from(policy)).text : "");
}

/* Judges what the builder says of a domain. */
static int check_added(struct loader *loader, uint64_t where, int r)
{
    if (r <= 0)
        return r;
    diagnostics_error(loader->context.diagnostics, source_unpack(&loader->sources, where),
                      "found more domains than the domain table can hold, expected fewer");
    loader->full = true;
    return REPORTED;
}

int members_add_policy(struct loader *loader, const struct policy_spec *spec, uint64_t where)
{
    uint32_t number;

    if (loader->full)
        return REPORTED;
    return check_added(loader, where, builder_add_policy(loader->builder, spec, where, &number));
}

static int add_domain(struct loader *loader, enum domain_kind kind, const struct name *domain,
                      uint64_t where)
{
    uint32_t policy = (uint32_t)loader->n_policies - 1;
    bool held;
    int r;

    if (loader->full)
        return REPORTED;
    r = certificates_look(&loader->certificates, name_text(domain), &held);
    if (r)
        return r;
    return check_added(loader, where,
                       builder_add_member(loader->builder, policy, kind, held, domain, where));
}

/* Adds one member as it was written. */
static int add_text(struct loader *loader, enum domain_kind kind, struct text text, uint64_t where)
{
    struct name domain;
    int r = name_from_domain(text, &domain);

    if (r < 0)
        return r;
    if (r == 0) {
        r = add_domain(loader, kind, &domain, where);
        return r < 0 ? r : 0;
    }
    diagnostics_error(loader->context.diagnostics, source_unpack(&loader->sources, where),
                      "found %s in %s, expected %s", name_fault_found(r), quote_text(text).text,
                      name_fault_expected(r));
    return 0;
}

static int add_node(struct loader *loader, enum domain_kind kind, const struct node *node)
{
    if (node->kind == NODE_SCALAR && !node_is_null(node))
        return add_text(loader, kind, node_text(node),
                        source_pack(node->source, node->line, node->column));
    if (node->kind != NODE_INVALID)
        LOADER_ERROR(loader, node, "found %s, expected a domain name", node_describe(node).text);
    return 0;
}

static int add_nodes(struct loader *loader, enum domain_kind kind, const struct node *domains)
{
    int r = 0;

    if (!domains || domains->kind != NODE_SEQUENCE)
        return domains ? add_node(loader, kind, domains) : 0;
    for (const struct node *node = domains->first; node && r == 0; node = node->next)
        r = add_node(loader, kind, node);
    return r;
}

/* A list file that the policy uses. */
struct used_file {
    struct used_file *next;
    dev_t device;
    ino_t inode;
    const struct node *named_at;
};

/* Where the domains of list files go. */
struct files_context {
    enum domain_kind kind;
    struct used_file *used;
    struct arena arena; /* of the used files */
};

/* Reports what is wrong with a line. */
static void report_line(struct loader *loader, int fault, struct place place)
{
    static const struct {
        const char *found, *expected;
    } texts[] = {
        [LIST_LINE_TOO_LONG] = {"a line of more than 1024 bytes", "one domain name"},
        [LIST_NUL_BYTE] = {"a NUL byte", "text without it"},
        [LIST_SEVERAL_WORDS] = {"several words on a line",
                                "one domain name (a comment begins with #)"},
    };

    _Static_assert(LIST_LINE_MAX == 1024, "the text above names the limit");
    diagnostics_error(loader->context.diagnostics, place, "found %s, expected %s",
                      texts[fault].found, texts[fault].expected);
}

static void free_list(struct list_file **list)
{
    list_file_free(*list);
}

static int read_lines(struct loader *loader, struct file *file, uint16_t source,
                      enum domain_kind kind)
{
    CLEANUP(free_list) struct list_file *list = NULL;
    struct list_entry entry;
    int r = list_file_new(file, &list);

    while (r == 0) {
        struct place place = {.file = sources_name(&loader->sources, source)};

        r = list_file_next(list, &entry);
        if (r == 0) {
            r = add_text(loader, kind, entry.word, source_pack(source, entry.line, entry.column));
        } else if (r == LIST_UNREADABLE) {
            file_report(file, NULL, place, loader->context.diagnostics);
        } else if (r > LIST_UNREADABLE) {
            place.line = entry.line;
            place.column = entry.column;
            report_line(loader, r, place);
            r = 0;
        }
    }
    return r < 0 ? r : 0;
}

/* Notes that the policy uses a file. Returns 0, REPORTED if it does already, or -ENOMEM. */
static int note_used(struct loader *loader, struct files_context *context, const struct file *file,
                     const char *path, const struct node *named_at)
{
    struct used_file *used;

    for (used = context->used; used; used = used->next) {
        struct place first;

        if (used->device != file->device || used->inode != file->inode)
            continue;
        first = node_place(used->named_at, &loader->sources);
        LOADER_WARNING(loader, named_at, "%s is the list file named already at %s:%u:%u",
                       quote_text(text_from(path)).text, first.file, first.line, first.column);
        return REPORTED;
    }
    used = arena_alloc(&context->arena, sizeof(*used));
    if (!used)
        return -ENOMEM;
    *used = (struct used_file){context->used, file->device, file->inode, named_at};
    context->used = used;
    return 0;
}

static int add_file(struct loader *loader, const char *path, const struct node *named_at,
                    void *opaque)
{
    CLEANUP(file_deinit) struct file file = FILE_INIT;
    struct files_context *context = opaque;
    uint16_t source;
    int r = loader_open(loader, path, named_at, CONFIG_LIST_SIZE_MAX, &file, &source);

    if (r == 0)
        r = note_used(loader, context, &file, path, named_at);
    if (r == 0)
        r = read_lines(loader, &file, source, context->kind);
    return r < 0 ? r : 0;
}

int members_add(struct loader *loader, const struct policy_settings *settings)
{
    struct files_context context = {.kind = (enum domain_kind)settings->records};
    int r = add_nodes(loader, context.kind, settings->domains);

    if (r == 0)
        r = loader_each_file(loader, settings->domain_files, add_file, &context);
    arena_deinit(&context.arena);
    return r;
}
