/* mx: every MX of the domain is one of the policy's (RFC 8461 4.1). The servers themselves are
 * tried for starttls, which they share with other domains. */
#include "verify/checks.h"

#include "base/quote.h"
#include "verify/mail_servers.h"

#include <stdio.h>

/* What the policy has, for "expected": its patterns, as many as fit. */
static void describe_patterns(const struct policy *policy, char *out, size_t size)
{
    size_t used = (size_t)snprintf(out, size, "an mx of the policy: ");

    for (size_t i = 0; i < policy->n_mx && used < size; i++)
        used +=
            (size_t)snprintf(out + used, size - used, "%s%s", i ? ", " : "", policy->mx[i].text);
    if (used >= size)
        snprintf(out + size - 4, 4, "…");
}

static void check_host(struct look *look, struct text host)
{
    const struct policy *policy = look->domain.policy;
    const struct mx_use *use = look_mx_use(look);
    char expected[512];

    for (size_t i = 0; i < policy->n_mx; i++)
        if (text_equals(name_text(&policy->mx[i]), host))
            use->seen[i] = true;
    if (policy_covers_mx(policy->mx, policy->n_mx, host))
        return;
    describe_patterns(policy, expected, sizeof(expected));
    look_report(look, CHECK_MX, look_severity(look), expected, "the MX %s", quote_text(host).text);
}

static void look_at_mx(struct look *look)
{
    const struct dns_answer *answer = &look->answers[QUESTION_MX];
    bool failed = dns_answer_is_failure(answer);

    if (failed || answer->outcome != DNS_FOUND) {
        /* That there is no MX, mx alone reports. */
        look_report(look, failed && !look_wants(look, CHECK_MX) ? CHECK_STARTTLS : CHECK_MX,
                    look_severity(look), "MX records", "%s", look_describe(look, answer));
        if (dns_answer_is_transient(answer))
            look_is_transient(look);
        look->mx_unknown = failed;
        return;
    }
    if (answer->n_values == 1 && text_equals(answer->values[0], TEXT("."))) {
        look_report(look, CHECK_MX, look_severity(look), "MX records",
                    "a null MX: the domain takes no mail (RFC 7505)");
        return;
    }
    for (size_t i = 0; i < answer->n_values; i++)
        check_host(look, answer->values[i]);
    if (mail_servers_add(look->tools->mail_servers, answer->values, answer->n_values,
                         &look->mail_servers))
        look->failed = true;
}

void verify_mx(struct look *look)
{
    look_at_mx(look);
}

void verify_starttls(struct look *look)
{
    if (!look_wants(look, CHECK_MX))
        look_at_mx(look);
}
