#include "sync/mx.h"

#include "base/array.h"
#include "base/quote.h"
#include "os/progress.h"
#include "policy/challenge.h"
#include "resolver/dns_client.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>

enum {
    WINDOW = 2 * DNS_CLIENT_WINDOW, /* names under way: some are asked, some wait for their turn */
    HOPS_MAX = 8,                   /* CNAMEs that lead out of the server's own zones */
};

struct asking;

/* A name that is being asked for. */
struct question {
    struct asking *asking;
    uint32_t number;
    unsigned int hops;
    struct question *next; /* of those that are free */
};

/* A run of questions. */
struct asking {
    struct event_base *base;
    struct dns_client *client;
    struct address server;
    in_port_t port;
    struct names *names;
    const struct config *config;
    struct uncovered *uncovered;
    struct mx_result *result;
    struct progress progress;
    uint32_t *again; /* the numbers of names to ask once more */
    size_t n_again, again_capacity;
    size_t next; /* name, or place in the numbers */
    bool is_again;
    size_t under_way;
    struct question questions[WINDOW], *free;
    int r;
};

static void asking_deinit(struct asking *asking)
{
    dns_client_free(asking->client);
    if (asking->base)
        event_base_free(asking->base);
    free(asking->again);
    progress_end(&asking->progress);
}

static bool covers(const struct policy *policy, struct text host)
{
    return policy_covers_mx(policy->mx, policy->n_mx, host);
}

static bool covers_all(const struct policy *policy, const struct dns_answer *answer)
{
    for (size_t i = 0; i < answer->n_values; i++)
        if (!covers(policy, answer->values[i]))
            return false;
    return true;
}

static const struct policy *policy_of(const struct config *config, size_t list)
{
    return snapshot_policy(config->snapshot, config->lists[list].policy);
}

/* Whether any policy covers a server, one that sync finds no members for, too. */
static bool is_covered(const struct snapshot *snapshot, struct text host)
{
    for (size_t i = 0; i < snapshot_n_policies(snapshot); i++)
        if (covers(snapshot_policy(snapshot, i), host))
            return true;
    return false;
}

/* Whether a value of an answer is also an earlier one: with another preference. */
static bool is_repeated(const struct dns_answer *answer, size_t number)
{
    for (size_t i = 0; i < number; i++)
        if (text_equals(answer->values[i], answer->values[number]))
            return true;
    return false;
}

/* Notes the servers that keep a name out. Those that are known already are looked for first: there
 * may be thousands of policies. */
static int note_uncovered(struct asking *asking, const struct dns_answer *answer)
{
    for (size_t i = 0; i < answer->n_values; i++) {
        int r;

        if (is_repeated(answer, i) || uncovered_count(asking->uncovered, answer->values[i]) ||
            is_covered(asking->config->snapshot, answer->values[i]))
            continue;
        r = uncovered_add(asking->uncovered, answer->values[i]);
        if (r)
            return r;
    }
    asking->result->uncovered++;
    return 0;
}

/* The domain whose policy host a policy's is an alias of; empty if it is no alias of one. */
static struct text followed_by(const struct policy *policy)
{
    const struct rows *rows = &policy->rows[OWNER_POLICY_HOST];
    struct text domain;

    if (rows->n == 1 && rows->first->type == RECORD_CNAME &&
        owner_match(OWNER_POLICY_HOST, rows->first->content, &domain))
        return domain;
    return TEXT("");
}

/* Whether the policy host of a policy is, step by step, an alias of that of a domain. If the domain
 * were a member the alias would lead back to itself, and the configuration would be refused. */
static bool follows(const struct config *config, const struct policy *policy, struct text name)
{
    for (size_t step = 0; step <= snapshot_n_policies(config->snapshot); step++) {
        struct text next = followed_by(policy);
        struct domain domain;

        if (text_equals(next, name))
            return true;
        if (next.length == 0 || !snapshot_find(config->snapshot, next, &domain))
            return false;
        policy = domain.policy;
    }
    return false;
}

/* Whether a policy makes no name for challenges of a domain, as it would be too long: with such a
 * member the configuration would be refused. */
static bool has_no_challenge(const struct policy *policy, struct text name)
{
    const struct rows *rows = &policy->rows[OWNER_ACME_CHALLENGE];

    return rows->n && challenge_check_domain(rows->first->content, name) != 0;
}

/* Judges a name by the MX records that it has. One with more of them than are kept is covered by no
 * policy, as it cannot be told. */
static int judge(struct asking *asking, struct name_entry *entry, const struct dns_answer *answer)
{
    struct text name = names_text(asking->names, entry);

    entry->policy = NAMES_NONE;
    for (size_t i = 0; i < asking->config->n_lists && answer->n_values < DNS_VALUES_MAX; i++) {
        const struct policy *policy = policy_of(asking->config, i);

        if (!covers_all(policy, answer) || follows(asking->config, policy, name) ||
            has_no_challenge(policy, name))
            continue;
        names_set(entry, asking->config->lists[i].policy);
        return 0;
    }
    return note_uncovered(asking, answer);
}

static const char *describe_failure(const struct dns_answer *answer, char rcode[static 16])
{
    switch (answer->outcome) {
    case DNS_FAILED:
        return dns_rcode_text(answer->rcode, rcode);
    case DNS_NO_ANSWER:
        return "no answer";
    case DNS_MALFORMED:
        return "a malformed answer";
    default:
        return answer->truncated ? "an answer that is cut short"
                                 : "an answer that leads to other servers";
    }
}

/* Has a name asked again, or gives it up. */
static int take_failure(struct asking *asking, const struct question *question,
                        const struct dns_answer *answer)
{
    struct text name = names_text(asking->names, &asking->names->items[question->number]);
    char rcode[16];

    if (!asking->is_again) {
        if (ARRAY_RESERVE(asking->again, asking->n_again, asking->again_capacity))
            return -ENOMEM;
        asking->again[asking->n_again++] = question->number;
        return 0;
    }
    if (asking->result->failed++ == 0)
        snprintf(asking->result->failure, sizeof(asking->result->failure), "%s: %s",
                 quote_text(name).text, describe_failure(answer, rcode));
    return 0;
}

/* Whether an answer says nothing, but leads out of the server's zones. A server that knows that
 * there is nothing says so with a SOA record (RFC 2308 2.2), or at least with authority. */
static bool leads_elsewhere(const struct dns_answer *answer)
{
    return answer->outcome == DNS_NO_DATA && !answer->zone &&
           (answer->alias || !answer->authoritative);
}

static int take_answer(struct asking *asking, const struct question *question,
                       const struct dns_answer *answer)
{
    struct name_entry *entry = &asking->names->items[question->number];

    /* A part of the servers must not pass for all. */
    if (answer->outcome > DNS_NO_NAME || answer->truncated || leads_elsewhere(answer))
        return take_failure(asking, question, answer);
    if (answer->outcome == DNS_FOUND &&
        !(answer->n_values == 1 && text_equals(answer->values[0], TEXT("."))))
        return judge(asking, entry, answer);
    entry->policy = NAMES_NONE;
    asking->result->without++;
    return 0;
}

static void go_on(struct asking *asking);

static void on_answer(void *context, const struct dns_answer *answer);

static int ask(struct question *question, const char *name)
{
    struct asking *asking = question->asking;

    return dns_client_ask(asking->client, &asking->server, asking->port, true, name, ns_t_mx,
                          on_answer, question);
}

static void on_answer(void *context, const struct dns_answer *answer)
{
    struct question *question = context;
    struct asking *asking = question->asking;

    if (leads_elsewhere(answer) && answer->alias && question->hops++ < HOPS_MAX) {
        asking->r = ask(question, answer->alias);
        if (asking->r == 0)
            return;
    }
    asking->under_way--;
    if (asking->r == 0)
        asking->r = take_answer(asking, question, answer);
    question->next = asking->free;
    asking->free = question;
    go_on(asking);
}

/* Asks for the name of a number. */
static int begin(struct asking *asking, uint32_t number)
{
    struct text name = names_text(asking->names, &asking->names->items[number]);
    struct question *question = asking->free;
    char text[NAME_TEXT_MAX + 1];

    asking->free = question->next;
    *question = (struct question){.asking = asking, .number = number};
    memcpy(text, name.data, name.length);
    text[name.length] = '\0';
    asking->under_way++;
    return ask(question, text);
}

/* Asks for the next names, as far as the window allows. Ends the loop when nothing is under way. */
static void go_on(struct asking *asking)
{
    size_t n = asking->is_again ? asking->n_again : asking->names->n;

    while (asking->r == 0 && asking->next < n && asking->under_way < WINDOW) {
        size_t next = asking->next++;

        asking->r = begin(asking, asking->is_again ? asking->again[next] : (uint32_t)next);
    }
    if (!asking->is_again)
        progress_show(&asking->progress, asking->next - asking->under_way, n, "names");
    if (asking->r || asking->under_way == 0)
        event_base_loopexit(asking->base, NULL);
}

/* Asks for all names, or for those once more whose look-up has failed. */
static int ask_all(struct asking *asking, bool again)
{
    asking->is_again = again;
    asking->next = 0;
    if (again)
        dns_client_forgive(asking->client);
    go_on(asking);
    if (event_base_dispatch(asking->base) < 0)
        return -ENOMEM;
    return asking->r;
}

static void set_server(struct asking *asking, const struct listen_address *address)
{
    bool v6 = address->socket.any.sa_family == AF_INET6;

    asking->server.family = address->socket.any.sa_family;
    asking->port = ntohs(v6 ? address->socket.v6.sin6_port : address->socket.v4.sin_port);
    if (v6)
        memcpy(asking->server.octets, &address->socket.v6.sin6_addr, 16);
    else
        memcpy(asking->server.octets, &address->socket.v4.sin_addr, 4);
}

int mx_ask(struct names *names, const struct config *config, struct uncovered *uncovered,
           struct mx_result *out)
{
    CLEANUP(asking_deinit)
    struct asking asking = {
        .names = names, .config = config, .uncovered = uncovered, .result = out};
    int r;

    *out = (struct mx_result){0};
    set_server(&asking, &config->sync.nameserver);
    for (size_t i = 0; i < WINDOW; i++) {
        asking.questions[i].next = asking.free;
        asking.free = &asking.questions[i];
    }
    asking.base = event_base_new();
    if (!asking.base || dns_client_new(asking.base, &asking.client))
        return -ENOMEM;
    progress_begin(&asking.progress);
    r = ask_all(&asking, false);
    return r || asking.n_again == 0 ? r : ask_all(&asking, true);
}
