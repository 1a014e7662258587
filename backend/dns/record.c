#include "dns/record.h"

#include "base/number.h"

enum { TXT_STRING_MAX = 255 }; /* octets of one character-string, RFC 1035 3.3 */

struct text record_type_text(enum record_type type)
{
    static const struct text texts[] = {
        [RECORD_ENT] = {"ENT", 3},     [RECORD_A] = {"A", 1},     [RECORD_AAAA] = {"AAAA", 4},
        [RECORD_CNAME] = {"CNAME", 5}, [RECORD_TXT] = {"TXT", 3}, [RECORD_SOA] = {"SOA", 3},
        [RECORD_NS] = {"NS", 2},       [RECORD_PTR] = {"PTR", 3},
    };

    return texts[type];
}

bool record_type_is_name(enum record_type type)
{
    return type == RECORD_CNAME || type == RECORD_NS || type == RECORD_PTR;
}

/* IANA's registry, and what PowerDNS has besides. */
static const char known_types[] =
    "A NS MD MF CNAME SOA MB MG MR NULL WKS PTR HINFO MINFO MX TXT RP AFSDB X25 ISDN RT NSAP "
    "NSAP-PTR SIG KEY PX GPOS AAAA LOC NXT EID NIMLOC SRV ATMA NAPTR KX CERT A6 DNAME SINK OPT APL "
    "DS SSHFP IPSECKEY RRSIG NSEC DNSKEY DHCID NSEC3 NSEC3PARAM TLSA SMIMEA HIP NINFO RKEY TALINK "
    "CDS CDNSKEY OPENPGPKEY CSYNC ZONEMD SVCB HTTPS DSYNC HHIT BRID SPF UINFO UID GID UNSPEC NID "
    "L32 L64 LP EUI48 EUI64 NXNAME TKEY TSIG IXFR AXFR MAILB MAILA ANY URI CAA AVC DOA AMTRELAY "
    "RESINFO WALLET CLA IPN TA DLV ALIAS LUA";

bool record_type_is_known(struct text type)
{
    struct text known = text_from(known_types), number = type;
    uint64_t value;

    if (text_take_prefix(&number, TEXT("TYPE")))
        return number_read(number, UINT16_MAX, &value);
    while (known.length)
        if (text_equals_any_case(text_take(&known, ' '), type))
            return true;
    return false;
}

void record_write_txt(struct buffer *out, struct text value)
{
    buffer_add_string(out, "\"");
    for (size_t i = 0; i < value.length; i++) {
        if (i > 0 && i % TXT_STRING_MAX == 0)
            buffer_add_string(out, "\" \"");
        if (value.data[i] == '"' || value.data[i] == '\\')
            buffer_add_string(out, "\\");
        buffer_add(out, value.data + i, 1);
    }
    buffer_add_string(out, "\"");
}
