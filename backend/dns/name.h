/* Domain names in the one form that everything here compares: canonical text.
 *
 * Canonical text is lower-case ASCII (RFC 4343), A-labels only (RFC 5890), labels joined by dots,
 * without the final dot. All names of this service consist of letters, digits, hyphens and the
 * underscores of its own prefixes, so canonical text is unambiguous and needs no escapes.
 */
#pragma once

#include "base/quote.h"

enum {
    NAME_TEXT_MAX = 253,  /* octets of a text: 255 on the wire, RFC 1035 3.1 */
    NAME_LABEL_MAX = 63,  /* octets of a label, RFC 1035 3.1 */
    NAME_PREFIX_MAX = 11, /* octets of "_smtp._tls.", the longest prefix of an owner name */
};

struct name {
    uint8_t length;
    char text[NAME_TEXT_MAX + 1]; /* canonical and terminated */
};

/* A view of a name's text. */
static inline struct text name_text(const struct name *name)
{
    return text_of(name->text, name->length);
}

/* Whether two names are the same. */
static inline bool name_equals(const struct name *a, const struct name *b)
{
    return text_equals(name_text(a), name_text(b));
}

/* What is wrong with a name; positive, for the caller to report. */
enum name_fault {
    NAME_EMPTY = 1,
    NAME_EMPTY_LABEL,
    NAME_LABEL_TOO_LONG,
    NAME_TOO_LONG,
    NAME_CHARACTER,
    NAME_COMMA,
    NAME_SPACE, /* white space of any script */
    NAME_HYPHEN,
    NAME_UNDERSCORE,
    NAME_WILDCARD,
    NAME_PATTERN, /* of an mx pattern: "*" elsewhere than alone in the first label */
    NAME_IP_ADDRESS,
    NAME_NUMERIC,
    NAME_IDNA,
    NAME_ESCAPE,
};

/* Reads a mail domain as an operator writes it: labels of letters, digits and hyphens (RFC 952,
 * 1123), U-labels converted (RFC 5891, with the mappings of UTS 46), one trailing dot allowed, and
 * short enough that "_smtp._tls.<domain>" is a legal name. Returns 0, an enum name_fault, or
 * -ENOMEM. */
int name_from_domain(struct text text, struct name *out);

/* Reads a host name: as name_from_domain, with the whole length of a name. */
int name_from_host(struct text text, struct name *out);

/* Reads an mx pattern: a host name, or "*." and a host name (RFC 8461 4.1). */
int name_from_mx_pattern(struct text text, struct name *out);

/* What an octet becomes that no name of this service has. */
#define NAME_OPAQUE '\x01'

/* Reads a query name as PowerDNS sends it: any case, with or without the final dot, master-file
 * escapes (RFC 1035 5.1). A label may have any octet; the ones that canonical text never has become
 * NAME_OPAQUE. The root becomes the empty name. Returns 0 or an enum name_fault, after which OUT is
 * of no use. */
int name_from_question(struct text text, struct name *out);

/* What each enum name_fault is in a message, for example "an underscore". */
extern const struct fault_text name_faults[];
