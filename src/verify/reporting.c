#include "verify/reporting.h"

#include "base/quote.h"
#include "dns/name.h"
#include "verify/expected.h"

#include <errno.h>
#include <search.h>
#include <stdio.h>

/* A domain or host that reports go to. */
struct destination {
    struct reporting *reporting;
    bool mail; /* an MX counts too */
    bool reachable, transient;
    size_t pending;
    struct name name;
};

struct reporting {
    struct resolver *resolver;
    void *destinations; /* a tree of tsearch(3) */
    size_t pending;
    void (*idle)(void *context);
    void *context;
};

int reporting_new(struct resolver *resolver, void (*idle)(void *context), void *context,
                  struct reporting **out)
{
    struct reporting *reporting = calloc(1, sizeof(*reporting));

    if (!reporting)
        return -ENOMEM;
    *reporting = (struct reporting){.resolver = resolver, .idle = idle, .context = context};
    *out = reporting;
    return 0;
}

void reporting_free(struct reporting *reporting)
{
    if (!reporting)
        return;
    tdestroy(reporting->destinations, free);
    free(reporting);
}

size_t reporting_pending(const struct reporting *reporting)
{
    return reporting->pending;
}

static int compare(const void *a, const void *b)
{
    const struct destination *left = a, *right = b;

    if (left->mail != right->mail)
        return left->mail ? 1 : -1;
    return strcmp(left->name.text, right->name.text);
}

static void end(struct destination *destination)
{
    struct reporting *reporting = destination->reporting;

    destination->pending--;
    if (--reporting->pending == 0)
        reporting->idle(reporting->context);
}

static void take_answer(void *context, const struct dns_answer *answer)
{
    struct destination *destination = context;
    bool null_mx = answer->n_values == 1 && text_equals(answer->values[0], TEXT("."));

    destination->reachable |= answer->outcome == DNS_FOUND && !answer->bogus && !null_mx;
    destination->transient |= dns_answer_is_transient(answer);
    end(destination);
}

static int look_up(struct destination *destination)
{
    static const ns_type types[] = {ns_t_a, ns_t_aaaa, ns_t_mx};
    size_t n = destination->mail ? 3 : 2;

    destination->reachable = destination->transient = false;
    for (size_t i = 0; i < n; i++) {
        int r;

        destination->pending++;
        destination->reporting->pending++;
        r = resolver_ask(destination->reporting->resolver, destination->name.text, types[i],
                         take_answer, destination);
        if (r) {
            end(destination);
            return r;
        }
    }
    return 0;
}

/* Takes the next URI off a list, and reads where it leads. Returns whether there is one. */
static bool next_destination(struct text *list, struct destination *out)
{
    struct text uri = text_take(list, ','), host = TEXT("");

    if (uri.length == 0)
        return false;
    *out = (struct destination){0};
    if (rua_host(uri, &out->mail, &host) == 0 && !out->mail)
        host = text_take(&host, ':');
    /* An address needs no look-up, and neither does what is no name: check has warned of it. */
    if (name_from_host(host, &out->name) != 0)
        out->name.length = 0;
    return true;
}

/* The list of URIs that a policy publishes. */
static struct text uris_of(struct arena *arena, const struct policy *policy)
{
    const char *value = expected_txt(arena, policy, OWNER_TLSRPT);
    const char *begin = value ? strstr(value, "rua=") : NULL;

    return begin ? text_from(begin + 4) : TEXT("");
}

int reporting_add(struct reporting *reporting, const struct policy *policy)
{
    CLEANUP(arena_deinit) struct arena arena = ARENA_INIT;
    struct text uris = uris_of(&arena, policy);
    struct destination found;

    while (next_destination(&uris, &found)) {
        struct destination *destination, **known;
        int r;

        if (found.name.length == 0)
            continue;
        destination = malloc(sizeof(*destination));
        if (!destination)
            return -ENOMEM;
        *destination = found;
        destination->reporting = reporting;
        known = tsearch(destination, &reporting->destinations, compare);
        if (!known || *known != destination) {
            free(destination);
            if (!known)
                return -ENOMEM;
            continue;
        }
        r = look_up(destination);
        if (r)
            return r;
    }
    return 0;
}

static void retry(const void *node, VISIT visit, void *context)
{
    struct destination *destination = *(struct destination *const *)node;

    (void)context;
    if ((visit == preorder || visit == leaf) && !destination->reachable && destination->transient)
        look_up(destination);
}

void reporting_retry(struct reporting *reporting)
{
    twalk_r(reporting->destinations, retry, NULL);
}

int reporting_each_finding(const struct reporting *reporting, const struct policy *policy,
                           int (*report)(void *context, const char *expected, const char *found),
                           void *context)
{
    CLEANUP(arena_deinit) struct arena arena = ARENA_INIT;
    struct text uris = uris_of(&arena, policy);
    struct destination key;

    while (next_destination(&uris, &key)) {
        struct destination **known =
            key.name.length ? tfind(&key, &reporting->destinations, compare) : NULL;
        char found[NAME_TEXT_MAX + 64];
        int r;

        if (!known || (*known)->reachable || (*known)->pending)
            continue;
        snprintf(found, sizeof(found), "%s %s, which has no %saddress",
                 key.mail ? "mailto: to" : "https: to", key.name.text,
                 key.mail ? "MX and no " : "");
        r = report(context, key.mail ? "a domain that takes mail" : "a host with an address",
                   found);
        if (r)
            return r;
    }
    return 0;
}
