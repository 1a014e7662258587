#include "config/members.h"

#include "config/files.h"
#include "config/list_file.h"
#include "config/name_report.h"
#include "policy/challenge.h"

#include <errno.h>

/* Domains after which a load looks whether it is cancelled: each may take a look at a slow disk. */
enum { CANCEL_INTERVAL = 256 };

void members_report_clash(const struct builder_clash *clash, void *context)
{
    const struct loader *loader = context;
    struct diagnostics *diagnostics = loader->context.diagnostics;
    struct place place = source_unpack(&loader->sources, clash->where);
    struct place first = source_unpack(&loader->sources, clash->first_where);
    int length = (int)clash->name.length;
    const char *policy = loader->policies[clash->first_policy].name;

    if (clash->policy == clash->first_policy)
        diagnostics_warning(diagnostics, place, "\"%.*s\" is listed already at %s", length,
                            clash->name.data, place_text(first).text);
    else
        diagnostics_error(
            diagnostics, place,
            "\"%.*s\" is listed already at %s under %s%s; a domain can have one policy", length,
            clash->name.data, place_text(first).text,
            policy ? "policy " : "a policy without a domain",
            policy ? quote_text(text_from(policy)).text : "");
}

/* Counts a domain. Returns 0 or REPORTED if there are too many, which is said once. */
static int count_domain(struct loader *loader, uint64_t where)
{
    if (loader->full)
        return REPORTED;
    if (loader->n_domains++ < CONFIG_DOMAINS_MAX)
        return 0;
    diagnostics_error(loader->context.diagnostics, source_unpack(&loader->sources, where),
                      "more than %d domains", CONFIG_DOMAINS_MAX);
    loader->full = true;
    return REPORTED;
}

/* Reports that the builder has no room for a domain. Returns REPORTED, or R as it is. */
static int check_full(struct loader *loader, uint64_t where, int r)
{
    if (r <= 0)
        return r;
    diagnostics_error(loader->context.diagnostics, source_unpack(&loader->sources, where),
                      "more domains than the domain table can hold");
    loader->full = true;
    return REPORTED;
}

/* Checks the name that acme_challenge makes of a domain. Returns 0, or REPORTED. */
static int check_challenge(struct loader *loader, const struct name *domain, uint64_t where)
{
    int fault;

    if (!loader->acme_challenge)
        return 0;
    fault = challenge_check_domain(text_from(loader->acme_challenge), name_text(domain));
    if (fault == 0)
        return 0;
    diagnostics_error(loader->context.diagnostics, source_unpack(&loader->sources, where),
                      "found %s, made of \"%s\" and acme_challenge, expected %s",
                      challenge_faults[fault].found, domain->text,
                      challenge_faults[fault].expected);
    return REPORTED;
}

int members_add_policy(struct loader *loader, const struct policy_spec *spec, uint64_t where)
{
    uint32_t number;
    int r = count_domain(loader, where);

    if (r)
        return r;
    check_challenge(loader, &spec->primary, where);
    return check_full(loader, where, builder_add_policy(loader->builder, spec, where, &number));
}

/* Adds one member as it was written at WHERE, maybe in quotes; reports what is wrong with it.
 * Returns 0, -ECANCELED or -ENOMEM. */
static int add_member(struct loader *loader, const struct membership *as, struct text text,
                      uint64_t where, bool quoted)
{
    struct name domain;
    bool held;
    int r = name_from_domain(text, &domain);

    if (r > 0)
        name_report(loader->context.diagnostics, source_unpack(&loader->sources, where), quoted,
                    text, (enum name_fault)r);
    if (r || check_challenge(loader, &domain, where) || count_domain(loader, where))
        return r < 0 ? r : 0;
    name_warn_single(loader->context.diagnostics, source_unpack(&loader->sources, where), &domain);
    if (loader->n_domains % CANCEL_INTERVAL == 0 && cancel_asked(&loader->context.cancel))
        return -ECANCELED;
    r = certificates_look(&loader->certificates, name_text(&domain), &held);
    if (r)
        return r;
    r = builder_add_member(loader->builder, as->policy, as->kind, held, &domain, where);
    r = check_full(loader, where, r);
    return r < 0 ? r : 0;
}

int members_add_name(struct loader *loader, const struct membership *as, struct text name,
                     uint64_t where)
{
    return add_member(loader, as, name, where, false);
}

static int add_node(struct loader *loader, const struct membership *as, const struct node *node)
{
    if (node->kind == NODE_SCALAR && !node_is_null(node))
        return add_member(loader, as, node_text(node), node_pack_place(node), !node->plain);
    if (node->kind != NODE_INVALID)
        NODE_ERROR(&loader->context, node, "found %s, expected a domain name",
                   node_describe(node).text);
    return 0;
}

static int add_nodes(struct loader *loader, const struct membership *as, const struct node *domains)
{
    int r = 0;

    if (!domains || domains->kind != NODE_SEQUENCE)
        return domains ? add_node(loader, as, domains) : 0;
    for (const struct node *node = domains->first; node && r == 0 && !loader->full;
         node = node->next)
        r = add_node(loader, as, node);
    return r;
}

/* Reports what is wrong with a line. */
static void report_line(const struct load_context *context, struct place place, int fault)
{
    static const struct fault_text texts[] = {
        [LIST_LINE_TOO_LONG] = {"a line of more than 1024 bytes", "one domain name"},
        [LIST_NUL_BYTE] = {"a NUL byte", "text without it"},
        [LIST_SEVERAL_WORDS] = {"several words on a line",
                                "one domain name (a comment begins with #)"},
    };

    _Static_assert(LIST_LINE_MAX == 1024, "the text above names the limit");
    diagnostics_error(context->diagnostics, place, "found %s, expected %s", texts[fault].found,
                      texts[fault].expected);
}

int members_add_lines(struct loader *loader, const struct membership *as, struct file *file,
                      uint16_t source)
{
    CLEANUP(list_file_free_pointer) struct list_file *list = NULL;
    struct place place = {.file = sources_name(&loader->sources, source)};
    struct list_entry entry = {0};
    int r = list_file_new(file, &loader->context.cancel, &list);

    while (r == 0 && !loader->full) {
        r = list_file_next(list, &entry);
        if (r == 0) {
            r = add_member(loader, as, entry.word, source_pack(source, entry.line, entry.column),
                           false);
        } else if (r > LIST_UNREADABLE) {
            place.line = entry.line;
            place.column = entry.column;
            report_line(&loader->context, place, r);
            r = 0;
        }
    }
    place.line = r == LIST_END ? entry.line : 0;
    place.column = 0;
    if (r == LIST_UNREADABLE)
        file_report(file, place.file, (struct place){0}, loader->context.diagnostics);
    else if (r == LIST_END && list_file_is_cut(list))
        diagnostics_warning(loader->context.diagnostics, place,
                            "the last line has no end of line, so the file may be cut short");
    return r < 0 ? r : 0;
}

static int add_file(struct loader *loader, const char *path, const struct node *named_at,
                    void *context)
{
    CLEANUP(file_deinit) struct file file = FILE_INIT;
    const struct membership *as = context;
    uint16_t source;
    int r = files_open(loader, path, named_at, FILES_LIST(as->policy), &file, &source);

    if (r)
        return r < 0 ? r : 0;
    return members_add_lines(loader, as, &file, source);
}

int members_add(struct loader *loader, const struct policy_settings *settings)
{
    struct membership as = {
        .policy = (uint32_t)loader->n_policies - 1,
        .kind = (enum domain_kind)settings->records,
    };
    int r = add_nodes(loader, &as, settings->domains);

    return r ? r : files_each(loader, settings->domain_files, add_file, &as);
}

void members_report_certificates(const struct loader *loader, const struct node *node)
{
    const struct certificates *certificates = &loader->certificates;

    if (certificates->n_unknown)
        NODE_WARNING(
            &loader->context, node,
            "%zu %s held back, as it cannot be told whether there is a certificate, first at %s: "
            "%s",
            certificates->n_unknown, certificates->n_unknown == 1 ? "domain is" : "domains are",
            quote_text(buffer_text(&certificates->first)).text, strerror(certificates->error));
}
