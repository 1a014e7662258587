#include "verify/checks.h"

/* A domain that is held back is expected to lack its TXT record; as long as it does, nobody fetches
 * its policy. Whether certificates exist can differ from machine to machine, so what DNS says goes
 * before what this machine sees. */
static bool has_policy(const struct look *look)
{
    const struct dns_answer *answer = &look->answers[QUESTION_MTA_STS];

    return look->domain.policy->mode != POLICY_MODE_ABSENT &&
           !(look->domain.held && look->asked & NEEDS(QUESTION_MTA_STS) &&
             (answer->outcome == DNS_NO_NAME || answer->outcome == DNS_NO_DATA));
}

static bool has_mode(const struct look *look)
{
    return look->domain.policy->mode != POLICY_MODE_ABSENT;
}

static bool has_rua(const struct look *look)
{
    return look->domain.policy->rows[OWNER_TLSRPT].n > 0;
}

static bool has_records(const struct look *look)
{
    return has_mode(look) || has_rua(look);
}

static bool has_mx(const struct look *look)
{
    return look->domain.policy->mode == POLICY_MODE_ENFORCE ||
           look->domain.policy->mode == POLICY_MODE_TESTING;
}

#define HOST_QUESTIONS (NEEDS(QUESTION_HOST_A) | NEEDS(QUESTION_HOST_AAAA))

const struct check checks[] = {
    [CHECK_TXT] = {"txt", NEEDS(QUESTION_MTA_STS), has_policy, verify_txt,
                   "Remove records of that name from the zone, see that every name server of the "
                   "zone asks the service, and wait for the TTL after a change.",
                   "dig _mta-sts.%d TXT"},
    [CHECK_TLS_ENT] = {"tls-ent", NEEDS(QUESTION_TLS_PARENT), has_rua, verify_tls_ent,
                       "Have the name server that says so ask the service: resolvers that "
                       "minimise names never get to _smtp._tls otherwise.",
                       "dig _tls.%d TXT"},
    [CHECK_TLSRPT] = {"tlsrpt", NEEDS(QUESTION_TLSRPT), has_rua, verify_tlsrpt,
                      "Remove records of that name from the zone, see that every name server of "
                      "the zone asks the service, and wait for the TTL after a change.",
                      "dig _smtp._tls.%d TXT"},
    [CHECK_SERVERS] = {"servers", NEEDS(QUESTION_ZONE), has_records, verify_servers,
                       "Give this name server the overlay with the same files, or remove it from "
                       "the NS records of the zone.",
                       "dig +norecurse @SERVER _mta-sts.%d TXT"},
    [CHECK_DNSSEC] = {"dnssec",
                      NEEDS(QUESTION_MTA_STS) | NEEDS(QUESTION_TLS_PARENT) |
                          NEEDS(QUESTION_TLSRPT) | HOST_QUESTIONS,
                      has_records, verify_dnssec,
                      "Sign the zone with NSEC3 in narrow mode (pdnsutil set-nsec3 ZONE '1 0 0 -' "
                      "narrow), or use zones of the service's own.",
                      "delv _mta-sts.%d TXT"},
    [CHECK_POLICY_HOST] = {"policy-host", HOST_QUESTIONS, has_mode, verify_policy_host,
                           "Set policy_host, or remove other records at and below that name from "
                           "the zone.",
                           "dig mta-sts.%d A"},
    [CHECK_HTTPS] = {"https", HOST_QUESTIONS | NEEDS(QUESTION_MTA_STS), has_policy, verify_https,
                     "Mend the web server or its certificate: senders do without the policy "
                     "meanwhile.",
                     "curl -v https://mta-sts.%d/.well-known/mta-sts.txt"},
    [CHECK_POLICY] = {"policy", HOST_QUESTIONS | NEEDS(QUESTION_MTA_STS), has_policy, verify_policy,
                      "Reload the service behind this web server, or copy what \"pdns-mta-sts "
                      "policy\" prints there.",
                      "curl https://mta-sts.%d/.well-known/mta-sts.txt"},
    [CHECK_MX] =
        {"mx", NEEDS(QUESTION_MX), has_mx, verify_mx,
         "Add the server to mx of the policy if it may receive this mail, else correct the "
         "MX records or move the domain to another policy.",
         "dig %d MX"},
    [CHECK_STARTTLS] = {"starttls", NEEDS(QUESTION_MX), has_mx, verify_starttls,
                        "Give the mail server STARTTLS with a certificate of a trusted CA for its "
                        "own name, and renew it in time.",
                        "openssl s_client -starttls smtp -connect MX:25 -verify_hostname MX"},
    [CHECK_RUA] = {"rua", 0, has_rua, NULL, "Correct rua, or the records of its domain.",
                   "pdns-mta-sts lookup _smtp._tls.%d TXT"},
};

bool check_find(struct text name, enum check_name *out)
{
    for (enum check_name check = 0; check < CHECK_COUNT; check++)
        if (text_equals(name, text_from(checks[check].name))) {
            *out = check;
            return true;
        }
    return false;
}
