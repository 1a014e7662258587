#include "dns/record.h"

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
