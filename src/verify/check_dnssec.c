/* dnssec: what is answered or denied at our names validates (RFC 4035 5). */
#include "verify/checks.h"

#include "base/buffer.h"

void verify_dnssec(struct look *look)
{
    static const struct {
        enum question question;
        const char *name;
        enum check_name check; /* that reports other failures */
    } asked[] = {
        {QUESTION_MTA_STS, "_mta-sts TXT", CHECK_TXT},
        {QUESTION_TLS_PARENT, "_tls TXT", CHECK_TLS_ENT},
        {QUESTION_TLSRPT, "_smtp._tls TXT", CHECK_TLSRPT},
        {QUESTION_HOST_A, "mta-sts A", CHECK_POLICY_HOST},
        {QUESTION_HOST_AAAA, "mta-sts AAAA", CHECK_POLICY_HOST},
    };
    CLEANUP(buffer_deinit) struct buffer found = BUFFER_INIT;

    for (size_t i = 0; i < ARRAY_LENGTH(asked); i++) {
        const struct dns_answer *answer = &look->answers[asked[i].question];

        if (!dns_answer_is_failure(answer) || (!answer->bogus && look_wants(look, asked[i].check)))
            continue;
        buffer_printf(&found, "%s%s: %s", found.length ? ", " : "", asked[i].name,
                      look_describe(look, answer));
        if (dns_answer_is_transient(answer))
            look_is_transient(look);
    }
    if (found.failed)
        look->failed = true;
    else if (found.length)
        look_report(look, CHECK_DNSSEC, FINDING_ERROR, "answers that validate", "%s",
                    buffer_string(&found));
}
