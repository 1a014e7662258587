/* dnssec: what is answered or denied at our names validates (RFC 4035 5). */
#include "verify/checks.h"

#include "base/quote.h"

void verify_dnssec(struct look *look)
{
    static const struct {
        enum question question;
        const char *name;
    } asked[] = {
        {QUESTION_MTA_STS, "_mta-sts TXT"},   {QUESTION_TLS_PARENT, "_tls TXT"},
        {QUESTION_TLSRPT, "_smtp._tls TXT"},  {QUESTION_HOST_A, "mta-sts A"},
        {QUESTION_HOST_AAAA, "mta-sts AAAA"},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(asked); i++) {
        const struct dns_answer *answer = &look->answers[asked[i].question];

        if (answer->bogus)
            look_report(look, CHECK_DNSSEC, FINDING_ERROR, "an answer that validates",
                        "a bogus answer: %s", asked[i].name);
    }
}
