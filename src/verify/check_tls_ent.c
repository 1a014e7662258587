/* tls-ent: _tls.<d> exists, so that resolvers go on to _smtp._tls.<d> (RFC 8020, RFC 9156). */
#include "verify/checks.h"

void verify_tls_ent(struct look *look)
{
    const struct dns_answer *answer = &look->answers[QUESTION_TLS_PARENT];

    if (answer->outcome == DNS_NO_NAME && !answer->bogus)
        look_report(look, CHECK_TLS_ENT, FINDING_ERROR, "that the name exists, without records",
                    "no such name (NXDOMAIN)");
}
