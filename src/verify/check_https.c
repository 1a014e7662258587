/* https and policy: at each address of the policy host, the policy comes as senders want it, and is
 * the configured one (RFC 8461 3.3). */
#include "verify/checks.h"

#include "base/quote.h"
#include "verify/certificate.h"

#include <stdio.h>
#include <strings.h>

struct fetching {
    struct look *look;
    char address[INET6_ADDRSTRLEN];
};

/* How the ways in which HTTPS fails read, and what they lack. */
static const struct {
    const char *found, *expected;
} texts[] = {
    [FETCH_NO_CONNECTION] = {"no connection", "a web server at port 443"},
    [FETCH_NO_TLS] = {"no TLS 1.2", "a handshake with TLS 1.2 or later"},
    [FETCH_UNTRUSTED] = {"a certificate that does not chain to a trusted root",
                         "a certificate of a trusted CA, with its chain"},
    [FETCH_EXPIRED] = {"a certificate that has expired", "a valid certificate"},
    [FETCH_OTHER_NAME] = {"a certificate without the name of the policy host",
                          "a certificate whose subjectAltName has mta-sts.<domain>"},
    [FETCH_TOO_LARGE] = {"more than 64 KiB", "a policy"},
    [FETCH_TOO_SLOW] = {"no whole reply in time", "a policy within a minute"},
    [FETCH_BROKEN] = {"no HTTP", "a reply of HTTP"},
};

static bool is_plain_text(const char *type)
{
    static const char plain[] = "text/plain";
    size_t length = sizeof(plain) - 1;

    return type && strncasecmp(type, plain, length) == 0 &&
           (type[length] == '\0' || strchr("; \t", type[length]));
}

/* The check that a failure to fetch is reported under: without https, the policy cannot be
 * compared. */
static enum check_name fetch_check(const struct look *look)
{
    return look_wants(look, CHECK_HTTPS) ? CHECK_HTTPS : CHECK_POLICY;
}

static void report_failure(struct fetching *fetching, const struct fetched *fetched)
{
    char reason[FETCHED_REASON_SIZE];

    look_report(fetching->look, fetch_check(fetching->look), FINDING_ERROR,
                texts[fetched->outcome].expected, "%s at %s%s", texts[fetched->outcome].found,
                fetching->address, fetched_reason(fetched, reason));
    if (fetched->outcome == FETCH_NO_CONNECTION || fetched->outcome == FETCH_TOO_SLOW ||
        fetched->outcome == FETCH_BROKEN)
        look_is_transient(fetching->look);
}

/* Looks at a reply, and at the policy in it. */
static void check_reply(struct fetching *fetching, const struct fetched *fetched)
{
    struct look *look = fetching->look;
    char days[CERTIFICATE_DAYS_SIZE];

    if (certificate_ends_soon(fetched->certificate_ends, days))
        look_report(look, CHECK_HTTPS, FINDING_WARNING, "a certificate that is renewed in time",
                    "a certificate that ends %s at %s", days, fetching->address);
    if (fetched->status / 100 == 3) {
        look_report(look, fetch_check(look), FINDING_ERROR,
                    "status 200; senders follow no redirect", "a redirect (%ld) at %s",
                    fetched->status, fetching->address);
    } else if (fetched->status != 200) {
        look_report(look, fetch_check(look), FINDING_ERROR, "status 200", "status %ld at %s",
                    fetched->status, fetching->address);
        if (fetched->status / 100 == 5)
            look_is_transient(look);
    } else if (!is_plain_text(fetched->content_type)) {
        look_report(look, CHECK_HTTPS, FINDING_ERROR, "text/plain", "the type %s at %s",
                    fetched->content_type ? quote_text(text_from(fetched->content_type)).text
                                          : "nothing",
                    fetching->address);
    } else {
        compare_policy(look, fetching->address, fetched->body);
    }
}

static void take_fetched(void *context, const struct fetched *fetched)
{
    struct fetching *fetching = context;

    if (fetched->outcome == FETCH_DONE)
        check_reply(fetching, fetched);
    else
        report_failure(fetching, fetched);
    look_end(fetching->look);
}

static void fetch_at(struct look *look, struct text text)
{
    struct name host = look_owner_name(look, OWNER_POLICY_HOST);
    struct fetching *fetching = arena_alloc(&look->arena, sizeof(*fetching));
    struct address address;

    if (!fetching) {
        look->failed = true;
        return;
    }
    fetching->look = look;
    snprintf(fetching->address, sizeof(fetching->address), "%.*s", (int)text.length, text.data);
    if (!routes_find(look->tools->routes, text, &address))
        return;
    look_begin(look);
    if (fetcher_start(look->tools->fetcher, FETCH_HTTPS, host.text, &address, take_fetched,
                      fetching)) {
        look->failed = true;
        look_end(look);
    }
}

/* Fetches the policy at each address of the policy host. That there is none, policy-host reports.
 */
static void fetch_policy(struct look *look)
{
    const struct dns_answer *a = &look->answers[QUESTION_HOST_A];
    const struct dns_answer *aaaa = &look->answers[QUESTION_HOST_AAAA];

    if (a->n_values + aaaa->n_values == 0 && !look_wants(look, CHECK_POLICY_HOST)) {
        if (dns_answer_is_transient(a) || dns_answer_is_transient(aaaa))
            look_is_transient(look);
        look_report(look, fetch_check(look), FINDING_ERROR, "an address of the policy host", "%s",
                    look_describe(look, a));
    }
    for (enum question question = QUESTION_HOST_A; question <= QUESTION_HOST_AAAA; question++)
        for (size_t i = 0; i < look->answers[question].n_values; i++)
            if (!look->answers[question].bogus)
                fetch_at(look, look->answers[question].values[i]);
}

void verify_https(struct look *look)
{
    fetch_policy(look);
}

void verify_policy(struct look *look)
{
    if (!look_wants(look, CHECK_HTTPS))
        fetch_policy(look);
}
