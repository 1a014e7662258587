/* Where a certification authority looks that validates a policy host over DNS (DNS-01, RFC
 * 8555 8.4).
 *
 * It asks for TXT records at _acme-challenge.mta-sts.<d>, where no zone can have them in an
 * overlay: a record below mta-sts.<d> makes PowerDNS keep an empty non-terminal there, which hides
 * the addresses of the policy host. So the service has a CNAME record at that name. It leads to a
 * zone that ACME clients write to, and to a name that a template (base/template.h) makes of the
 * domain, for example "%d.acme.example.net". */
#pragma once

#include "base/buffer.h"
#include "base/quote.h"

/* What may be wrong with a template, or with what a domain makes of it. */
enum challenge_fault {
    CHALLENGE_PERCENT = 1, /* a percent sign of neither "%d" nor "%%" */
    CHALLENGE_LABEL,       /* a label that is empty or too long, or has "%d" and more */
    CHALLENGE_CHARACTER,
    CHALLENGE_AT_OWNER, /* at or below a name of the domain's, whose records a record there hides */
    CHALLENGE_TOO_LONG,
};

/* Checks a template of names: labels of letters, digits, hyphens, underscores and percent signs, in
 * which "%d" stands for whole labels. One trailing dot is allowed. Returns 0 or an enum
 * challenge_fault. */
int challenge_check(struct text template);

/* Writes a template in its canonical form, which the following take: in lower case, without the
 * trailing dot. */
void challenge_write_template(struct buffer *out, struct text template);

/* Checks what a domain makes of a template that is right: the name that has the CNAME record, and
 * the name that this leads to. Returns 0 or CHALLENGE_TOO_LONG. */
int challenge_check_domain(struct text template, struct text domain);

/* Writes the name that the CNAME record of a domain leads to, which challenge_check_domain has
 * found right. TO has room for NAME_TEXT_MAX octets. Returns the length. */
size_t challenge_write(struct text template, struct text domain, char *to);

/* What each enum challenge_fault is in a message. */
extern const struct fault_text challenge_faults[];
