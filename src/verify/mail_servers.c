#include "verify/mail_servers.h"

#include "base/array.h"
#include "verify/certificate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <search.h>
#include <stdarg.h>
#include <stdio.h>

/* What was found of a server at one of its addresses. */
struct server_finding {
    bool least_severe;
    const char *expected; /* a constant */
    char *found;
};

struct mail_server {
    struct mail_servers *servers;
    size_t pending; /* look-ups and connections */
    bool transient, any_address;
    struct server_finding *findings;
    size_t n_findings, capacity;
    struct arena attempts;
    char host[];
};

/* The servers of some domain, in the order of their names. */
struct server_set {
    uint32_t number;
    size_t n;
    struct mail_server *members[];
};

struct mail_servers {
    struct resolver *resolver;
    struct fetcher *fetcher;
    struct routes *routes;
    bool try;
    void *hosts, *sets; /* trees of tsearch(3) */
    struct server_set **by_number;
    size_t n_sets, sets_capacity;
    size_t pending; /* servers */
    void (*idle)(void *context);
    void *context;
};

/* A connection to a server at an address. */
struct attempt {
    struct mail_server *server;
    char address[INET6_ADDRSTRLEN];
};

int mail_servers_new(struct resolver *resolver, struct fetcher *fetcher, struct routes *routes,
                     bool try, void (*idle)(void *context), void *context,
                     struct mail_servers **out)
{
    struct mail_servers *servers = calloc(1, sizeof(*servers));

    if (!servers)
        return -ENOMEM;
    *servers = (struct mail_servers){.resolver = resolver,
                                     .fetcher = fetcher,
                                     .routes = routes,
                                     .try = try,
                                     .idle = idle,
                                     .context = context};
    *out = servers;
    return 0;
}

static void clear_findings(struct mail_server *server)
{
    for (size_t i = 0; i < server->n_findings; i++)
        free(server->findings[i].found);
    server->n_findings = 0;
}

static void server_free(void *node)
{
    struct mail_server *server = node;

    clear_findings(server);
    free(server->findings);
    arena_deinit(&server->attempts);
    free(server);
}

void mail_servers_free(struct mail_servers *servers)
{
    if (!servers)
        return;
    tdestroy(servers->sets, free);
    tdestroy(servers->hosts, server_free);
    free(servers->by_number);
    free(servers);
}

size_t mail_servers_pending(const struct mail_servers *servers)
{
    return servers->pending;
}

static void begin(struct mail_server *server)
{
    if (server->pending++ == 0)
        server->servers->pending++;
}

__attribute__((format(printf, 4, 5))) static void
note(struct mail_server *server, bool least_severe, const char *expected, const char *format, ...)
{
    va_list arguments;
    char *found;

    if (ARRAY_RESERVE(server->findings, server->n_findings, server->capacity))
        return;
    va_start(arguments, format);
    if (vasprintf(&found, format, arguments) >= 0)
        server->findings[server->n_findings++] =
            (struct server_finding){least_severe, expected, found};
    va_end(arguments);
}

/* Something that was under way has ended; with the last it is known whether there is an address. */
static void end(struct mail_server *server)
{
    struct mail_servers *servers = server->servers;

    if (--server->pending > 0)
        return;
    if (!server->any_address)
        note(server, false, "an A or AAAA record", "no address of %s", server->host);
    if (--servers->pending == 0)
        servers->idle(servers->context);
}

/* How the ways in which STARTTLS fails read, and what they lack. */
static const struct {
    const char *found, *expected;
} texts[] = {
    [FETCH_NO_STARTTLS] = {"no STARTTLS", "STARTTLS (RFC 3207)"},
    [FETCH_NO_TLS] = {"no TLS 1.2", "a handshake with TLS 1.2 or later"},
    [FETCH_UNTRUSTED] = {"a certificate that does not chain to a trusted root",
                         "a certificate of a trusted CA, with its chain"},
    [FETCH_EXPIRED] = {"a certificate that has expired", "a valid certificate"},
    [FETCH_OTHER_NAME] = {"a certificate without its name",
                          "a certificate whose subjectAltName has the name of the MX"},
    [FETCH_TOO_LARGE] = {"endless replies", "the replies of SMTP"},
    [FETCH_TOO_SLOW] = {"a server that does not reply in time", "STARTTLS within a minute"},
    [FETCH_BROKEN] = {"a server that refuses us", "STARTTLS (RFC 3207)"},
};

static void take_fetched(void *context, const struct fetched *fetched)
{
    struct attempt *attempt = context;
    struct mail_server *server = attempt->server;
    char days[CERTIFICATE_DAYS_SIZE], reason[FETCHED_REASON_SIZE];

    fetched_reason(fetched, reason);
    if (fetched->outcome == FETCH_NO_CONNECTION) {
        server->transient = true;
        note(server, true, "a mail server that answers at port 25", "no answer from %s at %s%s",
             server->host, attempt->address, reason);
    } else if (fetched->outcome != FETCH_DONE) {
        server->transient |= fetched->outcome == FETCH_TOO_SLOW || fetched->outcome == FETCH_BROKEN;
        note(server, false, texts[fetched->outcome].expected, "%s: %s at %s%s",
             texts[fetched->outcome].found, server->host, attempt->address, reason);
    } else if (certificate_ends_soon(fetched->certificate_ends, days)) {
        note(server, true, "a certificate that is renewed in time",
             "a certificate that ends %s: %s at %s", days, server->host, attempt->address);
    }
    end(server);
}

static int connect_to(struct mail_server *server, struct text text)
{
    struct attempt *attempt = arena_alloc(&server->attempts, sizeof(*attempt));
    struct address address;
    int r;

    if (!attempt)
        return -ENOMEM;
    attempt->server = server;
    snprintf(attempt->address, sizeof(attempt->address), "%.*s", (int)text.length, text.data);
    if (!routes_find(server->servers->routes, text, &address))
        return 0;
    begin(server);
    r = fetcher_start(server->servers->fetcher, FETCH_SMTP, server->host, &address, take_fetched,
                      attempt);
    if (r)
        end(server);
    return r;
}

static void take_addresses(void *context, const struct dns_answer *answer)
{
    struct mail_server *server = context;

    if (dns_answer_is_transient(answer) && !answer->bogus)
        server->transient = true;
    server->any_address |= answer->outcome == DNS_FOUND;
    for (size_t i = 0; i < answer->n_values && !answer->bogus; i++)
        if (connect_to(server, answer->values[i]))
            break;
    end(server);
}

static int try_server(struct mail_server *server)
{
    static const ns_type types[] = {ns_t_a, ns_t_aaaa};
    int r = 0;

    if (!server->servers->try)
        return 0;
    begin(server); /* this function */
    for (size_t i = 0; i < ARRAY_LENGTH(types) && r == 0; i++) {
        begin(server);
        r = resolver_ask(server->servers->resolver, server->host, types[i], take_addresses, server);
        if (r)
            end(server);
    }
    end(server);
    return r;
}

static int compare_hosts(const void *a, const void *b)
{
    return strcmp(((const struct mail_server *)a)->host, ((const struct mail_server *)b)->host);
}

static int compare_sets(const void *a, const void *b)
{
    const struct server_set *left = a, *right = b;

    if (left->n != right->n)
        return left->n < right->n ? -1 : 1;
    return memcmp(left->members, right->members, left->n * sizeof(left->members[0]));
}

/* Finds a server, or adds it and starts to try it. */
static int get_server(struct mail_servers *servers, struct text host, struct mail_server **out)
{
    struct mail_server *server = calloc(1, sizeof(*server) + host.length + 1), **known;
    int r;

    if (!server)
        return -ENOMEM;
    server->servers = servers;
    memcpy(server->host, host.data, host.length);
    known = tsearch(server, &servers->hosts, compare_hosts);
    if (!known || *known != server) {
        free(server);
        if (!known)
            return -ENOMEM;
        *out = *known;
        return 0;
    }
    r = try_server(server);
    if (r)
        return r;
    *out = server;
    return 0;
}

static int compare_members(const void *a, const void *b)
{
    return compare_hosts(*(struct mail_server *const *)a, *(struct mail_server *const *)b);
}

int mail_servers_add(struct mail_servers *servers, const struct text *hosts, size_t n,
                     uint32_t *number)
{
    CLEANUP(free_pointer)
    struct server_set *set = calloc(1, sizeof(*set) + n * sizeof(set->members[0]));
    struct server_set **known;

    if (!set)
        return -ENOMEM;
    for (; set->n < n; set->n++) {
        int r = get_server(servers, hosts[set->n], &set->members[set->n]);

        if (r)
            return r;
    }
    qsort(set->members, n, sizeof(set->members[0]), compare_members);
    set->number = (uint32_t)servers->n_sets;
    if (ARRAY_RESERVE(servers->by_number, servers->n_sets, servers->sets_capacity))
        return -ENOMEM;
    known = tsearch(set, &servers->sets, compare_sets);
    if (!known)
        return -ENOMEM;
    *number = (*known)->number;
    if (*known == set) {
        servers->by_number[servers->n_sets++] = set;
        set = NULL;
    }
    return 0;
}

static void retry(const void *node, VISIT visit, void *context)
{
    struct mail_server *server = *(struct mail_server *const *)node;

    (void)context;
    if ((visit != preorder && visit != leaf) || !server->transient)
        return;
    server->transient = server->any_address = false;
    clear_findings(server);
    try_server(server);
}

void mail_servers_retry(struct mail_servers *servers)
{
    twalk_r(servers->hosts, retry, NULL);
}

int mail_servers_each_finding(const struct mail_servers *servers, uint32_t set,
                              int (*report)(void *context, bool least_severe, const char *expected,
                                            const char *found),
                              void *context)
{
    const struct server_set *members = servers->by_number[set];

    for (size_t i = 0; i < members->n; i++) {
        const struct mail_server *server = members->members[i];

        for (size_t j = 0; j < server->n_findings; j++) {
            const struct server_finding *finding = &server->findings[j];
            int r = report(context, finding->least_severe, finding->expected, finding->found);

            if (r)
                return r;
        }
    }
    return 0;
}
