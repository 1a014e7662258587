/* dnssec: what is answered or denied at our names validates (RFC 4035 5). */
#include "verify/checks.h"

#include "base/buffer.h"

void verify_dnssec(struct look *look)
{
    static const struct {
        const char *name;
        enum question question;
        enum check_name check; /* that reports other failures */
    } asked[] = {
        {"_mta-sts TXT", QUESTION_MTA_STS, CHECK_TXT},
        {"_tls TXT", QUESTION_TLS_PARENT, CHECK_TLS_ENT},
        {"_smtp._tls TXT", QUESTION_TLSRPT, CHECK_TLSRPT},
        {"mta-sts A", QUESTION_HOST_A, CHECK_POLICY_HOST},
        {"mta-sts AAAA", QUESTION_HOST_AAAA, CHECK_POLICY_HOST},
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
