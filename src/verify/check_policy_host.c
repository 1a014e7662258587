/* policy-host: mta-sts.<d> has an address, and leads where policy_host says (RFC 8461 3.3). */
#include "verify/checks.h"

#include "base/quote.h"

/* Whether an address is among the values of an answer. */
static bool has_value(const struct dns_answer *answer, struct text value)
{
    for (size_t i = 0; i < answer->n_values; i++)
        if (text_equals(answer->values[i], value))
            return true;
    return false;
}

static const struct dns_answer *answer_for(const struct look *look, enum record_type type)
{
    return &look->answers[type == RECORD_A ? QUESTION_HOST_A : QUESTION_HOST_AAAA];
}

/* Compares the addresses with those that the policy has, if it has any. */
static void compare_addresses(struct look *look)
{
    struct rows rows = look->domain.policy->rows[OWNER_POLICY_HOST];
    size_t n_configured = 0, n_found = look->answers[QUESTION_HOST_A].n_values +
                                       look->answers[QUESTION_HOST_AAAA].n_values;
    const struct dns_answer *other;

    for (size_t i = 0; i < rows.n; i++) {
        const struct row *row = &rows.first[i];

        if (row->type != RECORD_A && row->type != RECORD_AAAA)
            continue;
        n_configured++;
        if (!has_value(answer_for(look, row->type), row->content)) {
            look_report(look, CHECK_POLICY_HOST, FINDING_ERROR, "the addresses of policy_host",
                        "without %s", quote_text(row->content).text);
            return;
        }
    }
    if (n_configured == 0 || n_found <= n_configured)
        return;
    other = &look->answers[look->answers[QUESTION_HOST_A].n_values ? QUESTION_HOST_A
                                                                   : QUESTION_HOST_AAAA];
    look_report(look, CHECK_POLICY_HOST, FINDING_ERROR, "the addresses of policy_host alone",
                "%zu addresses, %s", n_found, look_describe(look, other));
}

void verify_policy_host(struct look *look)
{
    const struct dns_answer *a = &look->answers[QUESTION_HOST_A];
    const struct dns_answer *aaaa = &look->answers[QUESTION_HOST_AAAA];
    struct rows rows = domain_rows(&look->domain, OWNER_POLICY_HOST);
    const struct row *row = rows.n ? &rows.first[rows.n - 1] : NULL;

    if (look_leaves_to_dnssec(look, a) || look_leaves_to_dnssec(look, aaaa))
        return;
    if (a->bogus || aaaa->bogus || a->n_values + aaaa->n_values == 0) {
        look_report(look, CHECK_POLICY_HOST, FINDING_ERROR, "an A or AAAA record", "%s",
                    look_describe(look, aaaa->bogus ? aaaa : a));
        if (dns_answer_is_transient(a) || dns_answer_is_transient(aaaa))
            look_is_transient(look);
        return;
    }
    if (row && row->type == RECORD_CNAME) {
        struct text alias = text_from(a->alias ? a->alias : "");

        if (!text_equals(row->content, alias)) {
            look_report(look, CHECK_POLICY_HOST, FINDING_ERROR, quote_text(row->content).text, "%s",
                        a->alias ? quote_text(alias).text : "no alias");
            return;
        }
    }
    compare_addresses(look);
}
