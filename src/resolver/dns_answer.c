#include "resolver/dns_answer.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <strings.h>

enum { CHAIN_MAX = 16 }; /* CNAMEs that are followed, more than resolvers do */

static void lower(char *text)
{
    for (; *text; text++)
        *text = (char)tolower((unsigned char)*text);
}

/* Reads a name at RDATA into canonical text. Returns whether it is one. */
static bool read_name(ns_msg *message, const uint8_t *rdata, char name[NS_MAXDNAME])
{
    if (ns_name_uncompress(ns_msg_base(*message), ns_msg_end(*message), rdata, name, NS_MAXDNAME) <
        0)
        return false;
    lower(name);
    return true;
}

static int keep(struct arena *arena, struct text text, struct text *out)
{
    return arena_copy_text(arena, text, out);
}

/* The value of a record, in OUT. Returns 0, DNS_MALFORMED or -ENOMEM. */
static int read_value(ns_msg *message, const ns_rr *rr, struct arena *arena, struct text *out)
{
    const uint8_t *rdata = ns_rr_rdata(*rr);
    size_t length = ns_rr_rdlen(*rr), used = 0;
    char text[NS_MAXDNAME], *joined;

    switch (ns_rr_type(*rr)) {
    case ns_t_a:
        if (length != NS_INADDRSZ || !inet_ntop(AF_INET, rdata, text, sizeof(text)))
            return DNS_MALFORMED;
        return keep(arena, text_from(text), out);
    case ns_t_aaaa:
        if (length != NS_IN6ADDRSZ || !inet_ntop(AF_INET6, rdata, text, sizeof(text)))
            return DNS_MALFORMED;
        return keep(arena, text_from(text), out);
    case ns_t_mx:
    case ns_t_ns:
        used = ns_rr_type(*rr) == ns_t_mx ? NS_INT16SZ : 0;
        if (length <= used || !read_name(message, rdata + used, text))
            return DNS_MALFORMED;
        return keep(arena, text_from(text), out);
    case ns_t_txt:
        joined = arena_alloc(arena, length + 1);
        if (!joined)
            return -ENOMEM;
        *out = text_of(joined, 0);
        for (size_t at = 0; at < length; at += 1 + (size_t)rdata[at]) {
            if (rdata[at] > length - at - 1)
                return DNS_MALFORMED;
            memcpy(joined + out->length, rdata + at + 1, rdata[at]);
            out->length += rdata[at];
        }
        return 0;
    default: /* existence is all that matters */
        *out = TEXT("");
        return 0;
    }
}

/* Collects the records of a type at a name, and the target of a CNAME there. Returns 0,
 * DNS_MALFORMED or -ENOMEM. */
static int read_owner(ns_msg *message, const char *owner, ns_type type, struct arena *arena,
                      char alias[NS_MAXDNAME], struct dns_answer *out)
{
    ns_rr rr;

    for (int i = 0; i < ns_msg_count(*message, ns_s_an); i++) {
        int r;

        if (ns_parserr(message, ns_s_an, i, &rr) < 0)
            return DNS_MALFORMED;
        if (ns_rr_class(rr) != ns_c_in || strcasecmp(ns_rr_name(rr), owner) != 0)
            continue;
        if (ns_rr_type(rr) == ns_t_cname && !read_name(message, ns_rr_rdata(rr), alias))
            return DNS_MALFORMED;
        if (ns_rr_type(rr) != type || out->n_values == DNS_VALUES_MAX)
            continue;
        r = read_value(message, &rr, arena, &out->values[out->n_values]);
        if (r)
            return r;
        out->n_values++;
    }
    return 0;
}

/* Follows the CNAMEs from a name, and collects what stands at their end. */
static int read_chain(ns_msg *message, const char *name, ns_type type, struct arena *arena,
                      struct dns_answer *out)
{
    char owner[NS_MAXDNAME], alias[NS_MAXDNAME];
    struct text first;

    snprintf(owner, sizeof(owner), "%s", name);
    for (int hops = 0; hops < CHAIN_MAX; hops++) {
        int r;

        alias[0] = '\0';
        r = read_owner(message, owner, type, arena, alias, out);
        if (r || out->n_values || !alias[0])
            return r;
        if (hops == 0) {
            r = keep(arena, text_from(alias), &first);
            if (r)
                return r;
            out->alias = first.data;
        }
        memcpy(owner, alias, sizeof(owner));
    }
    return 0;
}

static int read_zone(ns_msg *message, struct arena *arena, struct dns_answer *out)
{
    for (int i = 0; i < ns_msg_count(*message, ns_s_ns); i++) {
        char owner[NS_MAXDNAME];
        struct text zone;
        ns_rr rr;
        int r;

        if (ns_parserr(message, ns_s_ns, i, &rr) < 0)
            return DNS_MALFORMED;
        if (ns_rr_type(rr) != ns_t_soa)
            continue;
        snprintf(owner, sizeof(owner), "%s", ns_rr_name(rr));
        lower(owner);
        r = keep(arena, text_from(owner), &zone);
        if (r)
            return r;
        out->zone = zone.data;
        return 0;
    }
    return 0;
}

static enum dns_outcome outcome_of(const struct dns_answer *answer)
{
    if (answer->n_values)
        return DNS_FOUND;
    if (answer->rcode == ns_r_nxdomain)
        return DNS_NO_NAME;
    return answer->rcode == ns_r_noerror ? DNS_NO_DATA : DNS_FAILED;
}

int dns_answer_read(const uint8_t *message, size_t size, const char *name, ns_type type,
                    struct arena *arena, struct dns_answer *out)
{
    struct dns_answer answer = {0};
    ns_msg handle;
    int r;

    /* Some servers cut a long message in the middle of a record. */
    *out = (struct dns_answer){.outcome = DNS_MALFORMED,
                               .truncated = size >= NS_HFIXEDSZ && message[2] & 0x02};
    if (size > NS_MAXMSG || ns_initparse(message, (int)size, &handle) < 0)
        return 0;
    answer.rcode = (int)ns_msg_getflag(handle, ns_f_rcode);
    answer.authoritative = ns_msg_getflag(handle, ns_f_aa);
    answer.truncated = ns_msg_getflag(handle, ns_f_tc);
    answer.values = arena_alloc(arena, DNS_VALUES_MAX * sizeof(*answer.values));
    if (!answer.values)
        return -ENOMEM;
    r = read_chain(&handle, name, type, arena, &answer);
    if (r == 0)
        r = read_zone(&handle, arena, &answer);
    if (r)
        return r < 0 ? r : 0;
    answer.outcome = outcome_of(&answer);
    *out = answer;
    return 0;
}

bool dns_answer_is_failure(const struct dns_answer *answer)
{
    return answer->bogus || (answer->outcome != DNS_FOUND && answer->outcome != DNS_NO_DATA &&
                             answer->outcome != DNS_NO_NAME);
}

bool dns_answer_is_transient(const struct dns_answer *answer)
{
    return answer->outcome == DNS_NO_ANSWER ||
           (answer->outcome == DNS_FAILED && answer->rcode == ns_r_servfail);
}

const char *dns_rcode_text(int rcode, char buffer[static 16])
{
    static const char *const names[] = {"NOERROR",  "FORMERR", "SERVFAIL",
                                        "NXDOMAIN", "NOTIMP",  "REFUSED"};

    if (rcode >= 0 && (size_t)rcode < ARRAY_LENGTH(names))
        return names[rcode];
    snprintf(buffer, 16, "RCODE %d", rcode);
    return buffer;
}
