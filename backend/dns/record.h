/* Records as PowerDNS wants them: a type and a content in text. */
#pragma once

#include "base/buffer.h"

/* Record types that this service synthesizes; RECORD_ENT is PowerDNS's row for a name that exists
 * without records. */
enum record_type {
    RECORD_ENT,
    RECORD_A,
    RECORD_AAAA,
    RECORD_CNAME,
    RECORD_TXT,
    RECORD_SOA,
    RECORD_NS,
    RECORD_PTR,
    RECORD_TYPE_COUNT,
};

/* The mnemonic, for example "TXT". */
struct text record_type_text(enum record_type type);

/* Whether a text is a mnemonic that DNS has for a record type, known to this service or not, in any
 * case: "MX", "any", or "TYPE65" (RFC 3597 5). */
bool record_type_is_known(struct text type);

/* Whether the content of a record of this type is a name: CNAME, NS, PTR. PowerDNS stores names
 * without the final dot, and its check-zone warns of contents that differ from what it would store.
 */
bool record_type_is_name(enum record_type type);

/* What a record says: its type and its content in PowerDNS's form. That of a SOA record is empty:
 * it differs from zone to zone, and is written when it is asked for. */
struct row {
    enum record_type type;
    struct text content;
};

/* The rows of one owner name. */
struct rows {
    const struct row *first;
    size_t n;
};

/* Writes the character-strings of a TXT record as PowerDNS wants its content: each of at most 255
 * octets, in quotes, with '"' and '\' escaped, separated by spaces (RFC 1035 3.3.14, 5.1). */
void record_write_txt(struct buffer *out, struct text value);
