#include "config/schema_types.h"

#include "base/template.h"
#include "base/utf8.h"
#include "config/name_report.h"
#include "policy/challenge.h"
#include "policy/policy_records.h"

#include <errno.h>

enum { CERTIFICATES_MAX = 255 }; /* bytes of the path */

/* Returns what reading a name came to, and reports what is wrong with the name. */
static int judge_name(const struct option_input *input, int fault)
{
    const struct load_context *context = input->context;

    if (fault <= 0)
        return fault;
    name_report(context->diagnostics, node_place(input->node, context->sources),
                !input->node->plain, node_text(input->node), (enum name_fault)fault);
    return REPORTED;
}

static int compare_names(const void *a, const void *b)
{
    const struct name *left = a, *right = b;

    return strcmp(left->text, right->text);
}

static int read_domain(const struct option_input *input, void *value)
{
    const struct load_context *context = input->context;
    int r = judge_name(input, name_from_domain(node_text(input->node), value));

    if (r == 0)
        name_warn_single(context->diagnostics, node_place(input->node, context->sources), value);
    return r;
}

const struct option_type type_domain = {
    .size = sizeof(struct name),
    .expects = "a domain name",
    .read = read_domain,
};

static int read_host(const struct option_input *input, void *value)
{
    return judge_name(input, name_from_host(node_text(input->node), value));
}

const struct option_type type_host = {
    .size = sizeof(struct name),
    .expects = "a host name",
    .read = read_host,
    .compare = compare_names,
};

int check_any(const struct option_input *input, const void *items, size_t n)
{
    (void)items;
    return n ? 0 : option_report(input, "an empty list");
}

static int read_catalog(const struct option_input *input, void *value)
{
    struct name name;
    int r = read_host(input, &name);

    if (r)
        return r;
    if (name.length > ZONE_CATALOG_MAX) {
        NODE_ERROR(input->context, input->node,
                   "found a catalog name of %u octets, expected at most %d", name.length,
                   ZONE_CATALOG_MAX);
        return REPORTED;
    }
    *(struct name *)value = name;
    return 0;
}

const struct option_type type_catalog = {
    .size = sizeof(struct name),
    .expects = "a host name",
    .read = read_catalog,
};

/* An address, as one is written everywhere else, gets an answer that says what a SOA record has in
 * its place (RFC 1035 3.3.13, 8). */
static int read_hostmaster(const struct option_input *input, void *value)
{
    if (!memchr(input->node->text, '@', input->node->length))
        return read_host(input, value);
    NODE_ERROR(input->context, input->node,
               "found an address, %s, expected a name: write a dot in place of the @",
               quote_text(node_text(input->node)).text);
    return REPORTED;
}

const struct option_type type_hostmaster = {
    .size = sizeof(struct name),
    .expects = "a host name",
    .read = read_hostmaster,
};

static int read_mx(const struct option_input *input, void *value)
{
    return judge_name(input, name_from_mx_pattern(node_text(input->node), value));
}

const struct option_type type_mx = {
    .size = sizeof(struct name),
    .expects = "a host name, or *. and a host name",
    .read = read_mx,
    .compare = compare_names,
};

int check_mx(const struct option_input *input, const void *items, size_t n)
{
    CLEANUP(buffer_deinit) struct buffer body = BUFFER_INIT;
    const struct policy_spec spec = {
        .mode = POLICY_MODE_ENFORCE,
        .mx = items,
        .n_mx = n,
        .max_age = POLICY_MAX_AGE_MAX,
    };

    policy_write_body(&body, &spec);
    if (body.failed)
        return -ENOMEM;
    if (body.length < POLICY_BODY_MAX)
        return 0;
    NODE_ERROR(input->context, input->node,
               "found a policy body of %zu bytes with these mx, expected less than %d", body.length,
               POLICY_BODY_MAX);
    return REPORTED;
}

static int read_id(const struct option_input *input, void *value)
{
    struct text id = node_text(input->node);
    bool automatic = text_equals(id, TEXT("auto"));

    if (!automatic && !policy_id_valid(id))
        return option_refuse(input);
    if (!automatic && strcasecmp(id.data, "auto") == 0)
        NODE_WARNING(input->context, input->node,
                     "%s is a fixed id, which never changes with the policy: auto is written in "
                     "lower case",
                     quote_text(id).text);
    *(const char **)value = automatic ? NULL : id.data;
    return 0;
}

_Static_assert(POLICY_ID_MAX == 32, "the text below names the limit");

const struct option_type type_id = {
    .size = sizeof(const char *),
    .expects = "auto, or 1 to 32 letters and digits",
    .read = read_id,
};

static int read_certificates(const struct option_input *input, void *value)
{
    struct text pattern = node_text(input->node);

    if (pattern.length > CERTIFICATES_MAX || pattern.data[0] != '/' ||
        !template_is_valid(pattern) || !template_has_domain(pattern))
        return option_refuse(input);
    *(const char **)value = pattern.data;
    return 0;
}

_Static_assert(CERTIFICATES_MAX == 255, "the text below names the limit");

const struct option_type type_certificates = {
    .size = sizeof(const char *),
    .expects = "an absolute path of at most 255 bytes with %d for the domain (%% is %)",
    .read = read_certificates,
};

static int read_acme_challenge(const struct option_input *input, void *value)
{
    struct text template = node_text(input->node);
    int fault = challenge_check(template);

    if (fault) {
        NODE_ERROR(input->context, input->node, "found %s in %s, expected %s",
                   challenge_faults[fault].found, quote_text(template).text,
                   challenge_faults[fault].expected);
        return REPORTED;
    }
    /* As other keys have them: "no", "none". */
    if (!memchr(template.data, '.', template.length) && !template_has_domain(template))
        NODE_WARNING(input->context, input->node,
                     "%s is a single label, below which no ACME client can write: to have no "
                     "challenge records, leave acme_challenge out",
                     quote_text(template).text);
    *(const char **)value = template.data;
    return 0;
}

const struct option_type type_acme_challenge = {
    .size = sizeof(const char *),
    .expects = "a name, with %d for the domain (%% is %)",
    .read = read_acme_challenge,
};

static int read_rua(const struct option_input *input, void *value)
{
    const struct load_context *context = input->context;
    struct text uri = node_text(input->node);
    int fault = rua_check(uri);
    uint32_t space = 0;

    if (fault == 0) {
        *(const char **)value = uri.data;
        return 0;
    }
    /* A plain space shows. */
    utf8_find_space(uri, &space);
    if (space >= 0x80)
        name_report_space(context->diagnostics, node_place(input->node, context->sources),
                          !input->node->plain, uri, "a URI without it");
    else
        NODE_ERROR(context, input->node, "found %s in %s, expected %s", rua_faults[fault].found,
                   quote_text(uri).text, rua_faults[fault].expected);
    return REPORTED;
}

static int compare_uris(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

const struct option_type type_rua = {
    .size = sizeof(const char *),
    .expects = "a mailto: or https: URI",
    .read = read_rua,
    .compare = compare_uris,
};

int check_rua(const struct option_input *input, const void *items, size_t n)
{
    const char *const *uris = items;
    size_t length = strlen("v=TLSRPTv1; rua=");

    for (size_t i = 0; i < n; i++)
        length += strlen(uris[i]) + (i > 0);
    if (length < POLICY_RUA_TEXT_MAX)
        return 0;
    NODE_ERROR(input->context, input->node,
               "found a TLSRPT record of %zu bytes with these rua, expected less than %d", length,
               POLICY_RUA_TEXT_MAX);
    return REPORTED;
}

static int read_policy_host(const struct option_input *input, void *value)
{
    struct policy_host *host = value;

    *host = (struct policy_host){0};
    if (address_from_text(node_text(input->node), &host->address)) {
        if (!address_is_global(&host->address))
            NODE_WARNING(input->context, input->node,
                         "%s cannot be reached from the Internet, where senders ask for the policy",
                         quote_text(node_text(input->node)).text);
        return 0;
    }
    return judge_name(input, name_from_host(node_text(input->node), &host->name));
}

static int compare_policy_hosts(const void *a, const void *b)
{
    const struct policy_host *left = a, *right = b;
    int families = left->address.family - right->address.family;
    int octets = memcmp(left->address.octets, right->address.octets, sizeof(left->address.octets));

    if (families)
        return families;
    return octets ? octets : compare_names(&left->name, &right->name);
}

const struct option_type type_policy_host = {
    .size = sizeof(struct policy_host),
    .expects = "an IP address or one host name",
    .read = read_policy_host,
    .compare = compare_policy_hosts,
};

int check_policy_host(const struct option_input *input, const void *items, size_t n)
{
    const struct policy_host *hosts = items;

    for (size_t i = 0; i < n && n > 1; i++) {
        if (hosts[i].address.family)
            continue;
        NODE_ERROR(input->context, input->node,
                   "found host name %s beside other values, expected addresses only or one host "
                   "name",
                   quote_text(name_text(&hosts[i].name)).text);
        return REPORTED;
    }
    return 0;
}

const struct option_type type_domains = {
    .size = sizeof(struct node *),
    .kinds = OPTION_FROM_SCALAR | OPTION_FROM_SEQUENCE,
    .expects = "a domain name, or a list of these",
    .read = option_keep_node,
};

const struct option_type type_files = {
    .size = sizeof(struct node *),
    .kinds = OPTION_FROM_SCALAR | OPTION_FROM_SEQUENCE,
    .expects = "a file name or glob, or a list of these",
    .read = option_keep_node,
};
