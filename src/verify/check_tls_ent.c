/* tls-ent: _tls.<d> exists, so that resolvers go on to _smtp._tls.<d> (RFC 8020, RFC 9156). */
#include "verify/checks.h"

void verify_tls_ent(struct look *look)
{
    const struct dns_answer *answer = &look->answers[QUESTION_TLS_PARENT];

    if (look_leaves_to_dnssec(look, answer))
        return;
    if (dns_answer_is_failure(answer) || answer->outcome == DNS_NO_NAME)
        look_report(look, CHECK_TLS_ENT, FINDING_ERROR, "that the name exists, without records",
                    "%s", look_describe(look, answer));
    if (dns_answer_is_transient(answer))
        look_is_transient(look);
}
