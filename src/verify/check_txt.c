/* txt and tlsrpt: the one TXT record that is configured, and no other (RFC 8461 3.1, RFC 8460 3).
 */
#include "verify/checks.h"
#include "verify/expected.h"

#include "base/quote.h"

static void check_txt_record(struct look *look, enum check_name check, enum owner owner,
                             const struct dns_answer *answer)
{
    const char *expected = expected_txt(&look->arena, look->domain.policy, owner);

    if (!expected) {
        look->failed = true;
        return;
    }
    if (owner == OWNER_MTA_STS && look_announces_old_id(look, answer))
        return;
    if (look_leaves_to_dnssec(look, answer) ||
        (!answer->bogus && answer->n_values == 1 &&
         text_equals(answer->values[0], text_from(expected))))
        return;
    look_report(look, check, FINDING_ERROR, quote_text(text_from(expected)).text, "%s",
                look_describe(look, answer));
    if (dns_answer_is_transient(answer))
        look_is_transient(look);
}

void verify_txt(struct look *look)
{
    check_txt_record(look, CHECK_TXT, OWNER_MTA_STS, &look->answers[QUESTION_MTA_STS]);
}

void verify_tlsrpt(struct look *look)
{
    check_txt_record(look, CHECK_TLSRPT, OWNER_TLSRPT, &look->answers[QUESTION_TLSRPT]);
}
