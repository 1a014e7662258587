#include "dns/name.h"

#include "base/number.h"
#include "base/utf8.h"
#include "dns/address.h"

#include <errno.h>
#include <idn2.h>

/* Octets; U-labels are longer in UTF-8 than the A-labels that they become. */
enum { IDNA_INPUT_MAX = 1024 };

const struct fault_text name_faults[] = {
    [NAME_EMPTY] = {"nothing", "a domain name"},
    [NAME_EMPTY_LABEL] = {"an empty label", "labels of 1 to 63 octets with one dot between them"},
    [NAME_LABEL_TOO_LONG] = {"a label of more than 63 octets", "labels of 1 to 63 octets"},
    [NAME_TOO_LONG] =
        {"a name that is too long",
         "at most 253 octets, and 242 for a domain, so that _smtp._tls.<domain> is legal"},
    [NAME_CHARACTER] = {"a character that no host name has", "letters, digits and hyphens"},
    [NAME_COMMA] = {"a comma", "one name; in YAML a list is written [a, b]"},
    [NAME_SPACE] = {"white space", "one name without it"},
    [NAME_HYPHEN] = {"a hyphen at the edge of a label", "a letter or digit there"},
    [NAME_UNDERSCORE] = {"an underscore", "letters, digits and hyphens"},
    [NAME_WILDCARD] = {"a wildcard", "one domain name, without *"},
    [NAME_PATTERN] = {"a misplaced *", "*. and a host name, as in *.example.net"},
    [NAME_IP_ADDRESS] = {"an IP address", "a domain name"},
    [NAME_NUMERIC] = {"a number as the last label", "a name that does not look like an IP address"},
    [NAME_IDNA] = {"a name that IDNA does not allow", "letters and digits that RFC 5891 permits"},
    [NAME_ESCAPE] = {"a broken escape", "a backslash and a character or three digits up to 255"},
};

/* Each octet as canonical text has it, 0 for those that it never has. */
static const char canonical_octets[256] = {
    ['-'] = '-', ['_'] = '_', ['0'] = '0', ['1'] = '1', ['2'] = '2', ['3'] = '3', ['4'] = '4',
    ['5'] = '5', ['6'] = '6', ['7'] = '7', ['8'] = '8', ['9'] = '9', ['a'] = 'a', ['b'] = 'b',
    ['c'] = 'c', ['d'] = 'd', ['e'] = 'e', ['f'] = 'f', ['g'] = 'g', ['h'] = 'h', ['i'] = 'i',
    ['j'] = 'j', ['k'] = 'k', ['l'] = 'l', ['m'] = 'm', ['n'] = 'n', ['o'] = 'o', ['p'] = 'p',
    ['q'] = 'q', ['r'] = 'r', ['s'] = 's', ['t'] = 't', ['u'] = 'u', ['v'] = 'v', ['w'] = 'w',
    ['x'] = 'x', ['y'] = 'y', ['z'] = 'z', ['A'] = 'a', ['B'] = 'b', ['C'] = 'c', ['D'] = 'd',
    ['E'] = 'e', ['F'] = 'f', ['G'] = 'g', ['H'] = 'h', ['I'] = 'i', ['J'] = 'j', ['K'] = 'k',
    ['L'] = 'l', ['M'] = 'm', ['N'] = 'n', ['O'] = 'o', ['P'] = 'p', ['Q'] = 'q', ['R'] = 'r',
    ['S'] = 's', ['T'] = 't', ['U'] = 'u', ['V'] = 'v', ['W'] = 'w', ['X'] = 'x', ['Y'] = 'y',
    ['Z'] = 'z',
};

static inline char canonical_octet(char octet)
{
    return canonical_octets[(unsigned char)octet];
}

/* Why a host name may not have an octet. */
static int octet_fault(char octet)
{
    switch (octet) {
    case '_':
        return NAME_UNDERSCORE;
    case '*':
        return NAME_WILDCARD;
    case ',':
        return NAME_COMMA;
    default:
        return octet > 0 && utf8_is_space((unsigned char)octet) ? NAME_SPACE : NAME_CHARACTER;
    }
}

/* Checks the label from START up to END. Returns 0 or what is wrong with it. */
static int label_fault(const char *text, size_t start, size_t end)
{
    if (end == start)
        return NAME_EMPTY_LABEL;
    if (end - start > NAME_LABEL_MAX)
        return NAME_LABEL_TOO_LONG;
    if (text[start] == '-' || text[end - 1] == '-')
        return NAME_HYPHEN;
    return 0;
}

/* Whether the label from START up to END is a number. No top-level domain is one, so that names and
 * addresses never look alike (RFC 1123 2.1). */
static bool is_number(const char *text, size_t start, size_t end)
{
    while (end > start && is_digit(text[end - 1]))
        end--;
    return end == start;
}

/* Reads a host name of ASCII letters, digits and hyphens without a final dot, of at most MAX
 * octets. */
static int read_ascii(struct text text, size_t max, struct name *out)
{
    struct name name;
    size_t start = 0; /* of the label */
    int r;

    if (text.length > max)
        return NAME_TOO_LONG;
    for (size_t i = 0; i < text.length; i++) {
        char octet = canonical_octet(text.data[i]);

        if (text.data[i] == '.') {
            r = label_fault(name.text, start, i);
            if (r)
                return r;
            start = i + 1;
            octet = '.';
        } else if (octet == 0 || octet == '_') {
            return octet_fault(text.data[i]);
        }
        name.text[i] = octet;
    }
    r = label_fault(name.text, start, text.length);
    if (r)
        return r;
    if (is_number(name.text, start, text.length))
        return NAME_NUMERIC;
    name.text[text.length] = '\0';
    name.length = (uint8_t)text.length;
    memcpy(out, &name, offsetof(struct name, text) + text.length + 1);
    return 0;
}

/* What a result of libidn2 that is not IDN2_OK means. */
static int idna_fault(int code)
{
    switch (code) {
    case IDN2_MALLOC:
        return -ENOMEM;
    case IDN2_TOO_BIG_LABEL:
    case IDN2_PUNYCODE_BIG_OUTPUT:
        return NAME_LABEL_TOO_LONG;
    case IDN2_TOO_BIG_DOMAIN:
        return NAME_TOO_LONG;
    default:
        return NAME_IDNA;
    }
}

static void free_idna(uint8_t **text)
{
    idn2_free(*text);
}

static struct text without_final_dot(struct text text)
{
    if (text.length > 1 && text.data[text.length - 1] == '.')
        text.length--;
    return text;
}

/* Reads a name with characters beyond ASCII. */
static int read_unicode(struct text text, size_t max, struct name *out)
{
    CLEANUP(free_idna) uint8_t *ascii = NULL;
    char input[IDNA_INPUT_MAX + 1];
    uint32_t space;
    int r;

    if (text.length > IDNA_INPUT_MAX)
        return NAME_TOO_LONG;
    if (memchr(text.data, '\0', text.length))
        return NAME_CHARACTER;
    if (utf8_find_space(text, &space) < text.length)
        return NAME_SPACE;
    memcpy(input, text.data, text.length);
    input[text.length] = '\0';
    r = idn2_lookup_u8((const uint8_t *)input, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    if (r != IDN2_OK)
        return idna_fault(r);
    /* The full stops of other scripts are dots by now, the final one too. */
    return read_ascii(without_final_dot(text_from((const char *)ascii)), max, out);
}

static bool is_ascii(struct text text)
{
    for (size_t i = 0; i < text.length; i++)
        if ((unsigned char)text.data[i] >= 0x80)
            return false;
    return true;
}

/* Whether a text that is not empty is an address, in brackets or not. */
static bool is_address(struct text text)
{
    struct address address;

    if (text.data[text.length - 1] == ']' && text.data[0] == '[')
        text = text_of(text.data + 1, text.length - 2);
    return address_from_text(text, &address);
}

/* Reads a host name of at most MAX octets. Most are right and of ASCII, so that is tried first; if
 * it fails, the other forms are. */
static int read_name(struct text text, size_t max, struct name *out)
{
    int r;

    if (text.length == 0)
        return NAME_EMPTY;
    text = without_final_dot(text);
    r = read_ascii(text, max, out);
    if (r == 0)
        return 0;
    if (!is_ascii(text))
        return read_unicode(text, max, out);
    return is_address(text) ? NAME_IP_ADDRESS : r;
}

int name_from_host(struct text text, struct name *out)
{
    return read_name(text, NAME_TEXT_MAX, out);
}

int name_from_domain(struct text text, struct name *out)
{
    return read_name(text, NAME_TEXT_MAX - NAME_PREFIX_MAX, out);
}

int name_from_mx_pattern(struct text text, struct name *out)
{
    bool wildcard = text_starts_with(text, TEXT("*."));
    struct name host;
    int r = name_from_host(wildcard ? text_after(text, 2) : text, &host);

    if (r)
        return r == NAME_WILDCARD ? NAME_PATTERN : r;
    if (!wildcard) {
        *out = host;
        return 0;
    }
    if (host.length > NAME_TEXT_MAX - 2)
        return NAME_TOO_LONG;
    memcpy(out->text, "*.", 2);
    memcpy(out->text + 2, host.text, host.length + 1);
    out->length = (uint8_t)(host.length + 2);
    return 0;
}

/* Reads the escape at the start of a text: "\.", "\032". Returns how many octets it takes, or 0 if
 * it is broken. */
static size_t read_escape(struct text text, unsigned char *octet)
{
    uint64_t value;

    if (text.length < 2)
        return 0;
    if (!is_digit(text.data[1])) {
        *octet = (unsigned char)text.data[1];
        return 2;
    }
    if (text.length < 4 || !number_read(text_of(text.data + 1, 3), UINT8_MAX, &value))
        return 0;
    *octet = (unsigned char)value;
    return 4;
}

int name_from_question(struct text text, struct name *out)
{
    size_t length = 0, label = 0; /* octets of the name, and of the label at its end */

    if (text.length == 0)
        return NAME_EMPTY;
    if (text_equals(text, TEXT("."))) {
        *out = (struct name){0};
        return 0;
    }
    while (text.length) {
        unsigned char octet = (unsigned char)*text.data;
        size_t n = octet == '\\' ? read_escape(text, &octet) : 1;
        bool dot = n == 1 && octet == '.';

        if (n == 0)
            return NAME_ESCAPE;
        if (dot && label == 0)
            return NAME_EMPTY_LABEL;
        text = text_after(text, n);
        if (dot && text.length == 0)
            break;
        label = dot ? 0 : label + 1;
        if (label > NAME_LABEL_MAX)
            return NAME_LABEL_TOO_LONG;
        if (length == NAME_TEXT_MAX)
            return NAME_TOO_LONG;
        out->text[length] = canonical_octet((char)octet);
        if (out->text[length] == 0)
            out->text[length] = dot ? '.' : NAME_OPAQUE;
        length++;
    }
    out->text[length] = '\0';
    out->length = (uint8_t)length;
    return 0;
}
