/* servers: every name server of the domain's zone, asked itself at each of its addresses, answers
 * as configured. Resolvers ask whichever they like, so that senders see a policy only if they
 * happen to ask the right server. */
#include "verify/checks.h"
#include "verify/expected.h"

#include "base/buffer.h"
#include "base/quote.h"

#include <stdio.h>

/* What each server is asked. */
static const struct {
    enum owner owner;
    ns_type type;
    const char *name;
} asked[] = {
    {OWNER_MTA_STS, ns_t_txt, "_mta-sts TXT"},
    {OWNER_TLSRPT, ns_t_txt, "_smtp._tls TXT"},
    {OWNER_POLICY_HOST, ns_t_a, "mta-sts A"},
    {OWNER_POLICY_HOST, ns_t_aaaa, "mta-sts AAAA"},
};

/* A zone whose name servers are asked for some of the names. */
struct zone_look {
    struct look *look;
    const char *name; /* for people */
    uint32_t owners;  /* bits by enum owner */
};

/* A name server. */
struct server_look {
    struct zone_look *zone;
    const char *host;
    unsigned int n_types; /* of addresses, to be looked up yet */
    bool any_address;
    const char *failure; /* of a look-up of its addresses */
};

/* A name server at one of its addresses. */
struct server_address {
    struct server_look *server;
    char text[INET6_ADDRSTRLEN];
    size_t pending;                         /* questions */
    const char *wrong[ARRAY_LENGTH(asked)]; /* what it answers that is not as configured, or NULL */
};

/* A question to a name server. */
struct server_question {
    struct server_address *address;
    size_t number; /* in asked[] */
};

static enum record_type record_type_of(ns_type type)
{
    return type == ns_t_txt ? RECORD_TXT : type == ns_t_a ? RECORD_A : RECORD_AAAA;
}

/* Whether an answer has the rows of a type that a domain has at an owner, and no others. */
static bool is_as_configured(const struct look *look, size_t number,
                             const struct dns_answer *answer, const char *txt)
{
    struct rows rows = domain_rows(&look->domain, asked[number].owner);
    enum record_type type = record_type_of(asked[number].type);
    size_t n = 0;

    for (size_t i = 0; i < rows.n; i++) {
        struct text content = rows.first[i].content;

        if (rows.first[i].type == RECORD_CNAME)
            return answer->alias && text_equals(text_from(answer->alias), content);
        if (rows.first[i].type != type)
            continue;
        n++;
        if (type == RECORD_TXT)
            content = text_from(txt ? txt : "");
        for (size_t j = 0;; j++) {
            if (j == answer->n_values)
                return false;
            if (text_equals(answer->values[j], content))
                break;
        }
    }
    return n == answer->n_values && !answer->alias &&
           (answer->outcome == DNS_FOUND || answer->outcome == DNS_NO_DATA);
}

/* What a server ought to answer, for a finding. */
static void describe_rows(const struct look *look, size_t number, char *out, size_t size)
{
    struct rows rows = domain_rows(&look->domain, asked[number].owner);
    enum record_type type = record_type_of(asked[number].type);
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < rows.n && used < size; i++)
        if (rows.first[i].type == type || rows.first[i].type == RECORD_CNAME)
            used += (size_t)snprintf(out + used, size - used, "%s%s %.*s", used ? ", " : "",
                                     record_type_text(rows.first[i].type).data,
                                     (int)rows.first[i].content.length, rows.first[i].content.data);
    if (used == 0)
        snprintf(out, size, "that the name exists, without such a record");
}

/* Whether a server gives an answer that the domain may have. */
static bool is_right(struct look *look, size_t number, const struct dns_answer *answer)
{
    enum owner owner = asked[number].owner;

    if (!answer->authoritative)
        return false;
    if (owner == OWNER_MTA_STS && look_announces_old_id(look, answer))
        return true; /* for a while yet */
    return is_as_configured(look, number, answer,
                            expected_txt(&look->arena, look->domain.policy, owner));
}

/* Says what a server answers; lives in the look's arena. */
static const char *describe_answer(struct look *look, const struct dns_answer *answer)
{
    CLEANUP(buffer_deinit) struct buffer text = BUFFER_INIT;
    struct text copy;

    if (answer->alias)
        buffer_printf(&text, "%s as alias", quote_text(text_from(answer->alias)).text);
    else
        buffer_add_string(&text, look_describe(look, answer));
    if (!answer->authoritative && answer->outcome != DNS_FAILED)
        buffer_add_string(&text, ", and is not authoritative");
    if (text.failed || arena_copy_text(&look->arena, buffer_text(&text), &copy))
        return "out of memory";
    return copy.data;
}

/* Lists the names for which a server gives the same wrong answer as for one of them. Returns how
 * many they are, or 0 if that one is not the first of them. */
static size_t list_same(const char *const *wrong, size_t number, char *names, size_t size)
{
    size_t n = 0, used = 0;

    for (size_t i = 0; i < ARRAY_LENGTH(asked); i++) {
        if (!wrong[i] || strcmp(wrong[i], wrong[number]) != 0)
            continue;
        if (i < number)
            return 0;
        used += (size_t)snprintf(names + used, size - used, "%s%s", n ? ", " : "", asked[i].name);
        n++;
    }
    return n;
}

/* Reports what a server answers otherwise than configured. Where that is the same for several
 * names, as it is with a server that knows none of them, it is one cause, whatever policy a domain
 * has. */
static void report_wrong(const struct server_address *address)
{
    struct look *look = address->server->zone->look;
    char names[128], expected[512];

    for (size_t i = 0; i < ARRAY_LENGTH(asked); i++) {
        size_t n = address->wrong[i] ? list_same(address->wrong, i, names, sizeof(names)) : 0;

        if (n == 0)
            continue;
        describe_rows(look, i, expected, sizeof(expected));
        look_report(look, CHECK_SERVERS, FINDING_ERROR,
                    n == 1 ? expected : "the records of the configuration",
                    "%s (%s) answers %s: %s", quote_text(text_from(address->server->host)).text,
                    address->text, names, address->wrong[i]);
    }
}

static void take_server_answer(void *context, const struct dns_answer *answer)
{
    const struct server_question *question = context;
    struct server_address *address = question->address;
    struct look *look = address->server->zone->look;

    if (answer->outcome == DNS_NO_ANSWER)
        look_report(look, CHECK_SERVERS, FINDING_WARNING, "an answer", "%s (%s) does not answer",
                    quote_text(text_from(address->server->host)).text, address->text);
    else if (!is_right(look, question->number, answer))
        address->wrong[question->number] = describe_answer(look, answer);
    if (dns_answer_is_transient(answer))
        look_is_transient(look);
    if (--address->pending == 0)
        report_wrong(address);
    look_end(look);
}

static void ask_address(struct server_address *address, const struct address *to, size_t number)
{
    struct look *look = address->server->zone->look;
    struct name name = look_owner_name(look, asked[number].owner);
    struct server_question *question = arena_alloc(&look->arena, sizeof(*question));

    if (!question) {
        look->failed = true;
        return;
    }
    *question = (struct server_question){address, number};
    look_begin(look);
    address->pending++;
    if (dns_client_ask(look->tools->client, to, NS_DEFAULTPORT, false, name.text,
                       asked[number].type, take_server_answer, question)) {
        look->failed = true;
        address->pending--;
        look_end(look);
    }
}

static void ask_server(struct server_look *server, struct text text)
{
    struct look *look = server->zone->look;
    struct server_address *address = arena_alloc(&look->arena, sizeof(*address));
    struct address to;

    if (!address) {
        look->failed = true;
        return;
    }
    *address = (struct server_address){.server = server};
    snprintf(address->text, sizeof(address->text), "%.*s", (int)text.length, text.data);
    if (!routes_find(look->tools->routes, text, &to))
        return;
    for (size_t number = 0; number < ARRAY_LENGTH(asked); number++)
        if (server->zone->owners & UINT32_C(1) << asked[number].owner)
            ask_address(address, &to, number);
}

/* Whether a domain has, at an owner, rows that are to be seen at every server. */
static bool is_expected(const struct look *look, enum owner owner)
{
    if (owner == OWNER_POLICY_HOST)
        return policy_has_host(look->domain.policy);
    return domain_rows(&look->domain, owner).n > 0 &&
           (owner != OWNER_MTA_STS || !look->domain.held);
}

static void take_addresses(void *context, const struct dns_answer *answer)
{
    struct server_look *server = context;
    struct look *look = server->zone->look;

    server->any_address |= answer->n_values > 0;
    if (dns_answer_is_failure(answer))
        server->failure = look_describe(look, answer);
    if (dns_answer_is_transient(answer))
        look_is_transient(look);
    if (--server->n_types == 0 && !server->any_address)
        look_report(look, CHECK_SERVERS, FINDING_WARNING, "an address of the name server",
                    "no address of %s%s%s", quote_text(text_from(server->host)).text,
                    server->failure ? ": " : "", server->failure ? server->failure : "");
    for (size_t i = 0; i < answer->n_values; i++)
        ask_server(server, answer->values[i]);
    look_end(look);
}

/* Says that it cannot be found out which name servers a zone has. */
static void report_no_servers(struct look *look, const char *records, const char *zone,
                              const struct dns_answer *answer)
{
    look_report(look, CHECK_SERVERS, FINDING_ERROR, "the name servers of the zone",
                "no %s of %s: %s", records, zone, look_describe(look, answer));
    if (dns_answer_is_transient(answer))
        look_is_transient(look);
}

static void take_servers(void *context, const struct dns_answer *answer)
{
    static const ns_type types[] = {ns_t_a, ns_t_aaaa};
    struct zone_look *zone = context;
    struct look *look = zone->look;

    if (answer->n_values == 0)
        report_no_servers(look, "NS records", zone->name, answer);
    for (size_t i = 0; i < answer->n_values; i++) {
        struct server_look *server = arena_alloc(&look->arena, sizeof(*server));
        struct text host;

        if (!server || arena_copy_text(&look->arena, answer->values[i], &host)) {
            look->failed = true;
            break;
        }
        *server =
            (struct server_look){.zone = zone, .host = host.data, .n_types = ARRAY_LENGTH(types)};
        for (size_t j = 0; j < ARRAY_LENGTH(types); j++) {
            look_begin(look);
            if (resolver_ask(look->tools->resolver, host.data, types[j], take_addresses, server)) {
                look->failed = true;
                look_end(look);
            }
        }
    }
    look_end(look);
}

/* Asks the servers of a zone for the names at some owners. */
static void ask_zone(struct look *look, const char *name, const char *apex, uint32_t owners)
{
    struct zone_look *zone = arena_alloc(&look->arena, sizeof(*zone));

    if (!zone) {
        look->failed = true;
        return;
    }
    *zone = (struct zone_look){look, name, owners};
    look_begin(look);
    if (resolver_ask(look->tools->resolver, apex, ns_t_ns, take_servers, zone)) {
        look->failed = true;
        look_end(look);
    }
}

void verify_servers(struct look *look)
{
    static const struct {
        enum owner apex, owner;
        const char *name;
    } own_zones[] = {
        {OWNER_MTA_STS, OWNER_MTA_STS, "_mta-sts"},
        {OWNER_TLS_PARENT, OWNER_TLSRPT, "_tls"},
        {OWNER_POLICY_HOST, OWNER_POLICY_HOST, "mta-sts"},
    };
    const struct dns_answer *answer = &look->answers[QUESTION_ZONE];
    uint32_t in_parent = 0;

    for (size_t i = 0; i < ARRAY_LENGTH(own_zones); i++) {
        uint32_t owners = UINT32_C(1) << own_zones[i].owner;
        struct name apex = look_owner_name(look, own_zones[i].apex);

        if (!is_expected(look, own_zones[i].owner))
            continue;
        if (domain_has_zone(&look->domain, own_zones[i].apex))
            ask_zone(look, own_zones[i].name, apex.text, owners);
        else
            in_parent |= owners;
    }
    if (!in_parent)
        return;
    if (dns_answer_is_failure(answer) || (answer->outcome != DNS_FOUND && !answer->zone))
        report_no_servers(look, "SOA record", "the zone", answer);
    else
        ask_zone(look, "the zone",
                 answer->outcome == DNS_FOUND ? look_owner_name(look, OWNER_COUNT).text
                                              : answer->zone,
                 in_parent);
}
