#include "resolver/resolver.h"

#include <errno.h>
#include <stdio.h>
#include <unbound-event.h>
#include <unbound.h>

struct resolver {
    struct event_base *base;
    struct resolver_setup setup;
    struct ub_ctx *context;
    struct lookup *lookups; /* under way */
};

struct lookup {
    struct resolver *resolver;
    struct lookup *next, **link;
    resolver_done done;
    void *context;
    ns_type type;
    int id;
    char name[NS_MAXDNAME];
};

/* Options of unbound.conf(5). A context for the library begins much smaller than a server. */
static const char *const options[][2] = {
    {"module-config:", "validator iterator"},
    {"qname-minimisation:", "yes"},
    {"aggressive-nsec:", "yes"},
    {"harden-below-nxdomain:", "yes"},
    {"harden-dnssec-stripped:", "yes"},
    {"harden-glue:", "yes"},
    {"do-not-query-localhost:", "no"}, /* the operator says whom to ask */
    {"outgoing-range:", "512"},
    {"num-queries-per-thread:", "8192"}, /* more than all looks ask: none is dropped for others */
    {"outgoing-num-tcp:", "64"},
    {"edns-buffer-size:", "1232"},
    {"msg-cache-size:", "1m"},
    {"rrset-cache-size:", "2m"},
    {"key-cache-size:", "512k"},
    {"neg-cache-size:", "256k"},
};

static int set_up(struct ub_ctx *context, const struct resolver_setup *setup, const char **fault)
{
    ub_ctx_debugout(context, NULL); /* what it logs is not for our stderr */
    for (size_t i = 0; i < ARRAY_LENGTH(options); i++) {
        int r = ub_ctx_set_option(context, options[i][0], options[i][1]);

        if (r) {
            *fault = ub_strerror(r);
            return RESOLVER_REFUSED;
        }
    }
    if (setup->trust_anchor && ub_ctx_add_ta_file(context, setup->trust_anchor)) {
        *fault = "the trust anchor cannot be used";
        return RESOLVER_REFUSED;
    }
    if (setup->root_hints && ub_ctx_set_option(context, "root-hints:", setup->root_hints)) {
        *fault = "the root hints cannot be used";
        return RESOLVER_REFUSED;
    }
    if (setup->forward && ub_ctx_set_fwd(context, setup->forward)) {
        *fault = "the resolver's address cannot be used";
        return RESOLVER_REFUSED;
    }
    return 0;
}

/* For a look-up that only has libunbound read the files it was told of; its type is libunbound's.
 */
/* NOLINTNEXTLINE(readability-non-const-parameter) */
static void ignore(void *data, int rcode, void *packet, int length, int sec, char *reason,
                   int was_ratelimited)
{
    (void)data;
    (void)rcode;
    (void)packet;
    (void)length;
    (void)sec;
    (void)reason;
    (void)was_ratelimited;
}

DEFINE_CLEANUP(struct ub_ctx *, ub_ctx_delete)

static int open_context(const struct resolver *resolver, const char **fault, struct ub_ctx **out)
{
    CLEANUP(ub_ctx_delete_pointer)
    struct ub_ctx *context = ub_ctx_create_event(resolver->base);
    int r;

    if (!context)
        return -ENOMEM;
    r = set_up(context, &resolver->setup, fault);
    if (r)
        return r;
    /* It knows this name itself. */
    if (ub_resolve_event(context, "localhost", ns_t_a, ns_c_in, NULL, ignore, NULL)) {
        *fault = "the trust anchor or the root hints cannot be used";
        return RESOLVER_REFUSED;
    }
    *out = context;
    context = NULL;
    return 0;
}

DEFINE_CLEANUP(struct resolver *, resolver_free)

int resolver_new(struct event_base *base, const struct resolver_setup *setup, const char **fault,
                 struct resolver **out)
{
    CLEANUP(resolver_free_pointer) struct resolver *resolver = calloc(1, sizeof(*resolver));
    int r;

    if (!resolver)
        return -ENOMEM;
    resolver->base = base;
    resolver->setup = *setup;
    r = open_context(resolver, fault, &resolver->context);
    if (r)
        return r;
    *out = resolver;
    resolver = NULL;
    return 0;
}

static void lookup_free(struct lookup *lookup)
{
    *lookup->link = lookup->next;
    if (lookup->next)
        lookup->next->link = lookup->link;
    free(lookup);
}

void resolver_free(struct resolver *resolver)
{
    if (!resolver)
        return;
    while (resolver->lookups) {
        ub_cancel(resolver->context, resolver->lookups->id);
        lookup_free(resolver->lookups);
    }
    ub_ctx_delete(resolver->context);
    free(resolver);
}

int resolver_forget(struct resolver *resolver)
{
    struct ub_ctx *context;
    const char *fault;
    int r = open_context(resolver, &fault, &context);

    if (r)
        return -ENOMEM; /* the files could be read before */
    ub_ctx_delete(resolver->context);
    resolver->context = context;
    return 0;
}

/* What libunbound calls at the end: SEC is 0 for insecure, 1 for bogus, 2 for secure. Its type is
 * libunbound's. */
/* NOLINTNEXTLINE(readability-non-const-parameter) */
static void lookup_end(void *data, int rcode, void *packet, int length, int sec, char *reason,
                       int was_ratelimited)
{
    struct lookup *lookup = data;
    struct dns_answer answer = {.outcome = DNS_FAILED, .rcode = rcode};
    CLEANUP(arena_deinit) struct arena arena = ARENA_INIT;
    resolver_done done = lookup->done;
    void *context = lookup->context;

    (void)was_ratelimited;
    if (rcode == ns_r_noerror || rcode == ns_r_nxdomain) {
        if (dns_answer_read(packet, (size_t)length, lookup->name, lookup->type, &arena, &answer))
            answer = (struct dns_answer){.outcome = DNS_NO_ANSWER};
    }
    answer.bogus = sec == 1;
    answer.reason = reason;
    lookup_free(lookup);
    done(context, &answer);
}

int resolver_ask(struct resolver *resolver, const char *name, ns_type type, resolver_done done,
                 void *context)
{
    struct lookup *lookup = calloc(1, sizeof(*lookup));

    if (!lookup)
        return -ENOMEM;
    *lookup = (struct lookup){.resolver = resolver,
                              .next = resolver->lookups,
                              .link = &resolver->lookups,
                              .done = done,
                              .context = context,
                              .type = type};
    snprintf(lookup->name, sizeof(lookup->name), "%s", name);
    if (lookup->next)
        lookup->next->link = &lookup->next;
    resolver->lookups = lookup;
    if (ub_resolve_event(resolver->context, name, type, ns_c_in, lookup, lookup_end, &lookup->id)) {
        lookup_free(lookup);
        return -ENOMEM;
    }
    return 0;
}
