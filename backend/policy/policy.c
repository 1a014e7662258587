#include "policy/policy.h"

#include "base/number.h"

#include <nettle/sha2.h>

const char *policy_mode_text(enum policy_mode mode)
{
    static const char *const texts[] = {
        [POLICY_MODE_ABSENT] = NULL,
        [POLICY_MODE_ENFORCE] = "enforce",
        [POLICY_MODE_TESTING] = "testing",
        [POLICY_MODE_NONE] = "none",
    };

    return texts[mode];
}

bool policy_id_valid(struct text id)
{
    return id.length >= 1 && id.length <= POLICY_ID_MAX && text_span(id, "") == id.length;
}

void policy_write_body(struct buffer *out, const struct policy_spec *spec)
{
    buffer_printf(out, "version: STSv1\r\nmode: %s\r\n", policy_mode_text(spec->mode));
    if (spec->mode != POLICY_MODE_NONE)
        for (size_t i = 0; i < spec->n_mx; i++)
            buffer_printf(out, "mx: %s\r\n", spec->mx[i].text);
    buffer_printf(out, "max_age: %u\r\n", spec->max_age);
}

bool policy_covers_mx(const struct name *patterns, size_t n, struct text host)
{
    const char *dot = host.length ? memchr(host.data, '.', host.length) : NULL;
    struct text parent = TEXT(""); /* with the dot before it */

    if (dot && dot != host.data)
        parent = text_after(host, (size_t)(dot - host.data));
    for (size_t i = 0; i < n; i++) {
        struct text pattern = name_text(&patterns[i]);

        if (text_equals(pattern, host))
            return true;
        if (parent.length && text_starts_with(pattern, TEXT("*")) &&
            text_equals(text_after(pattern, 1), parent))
            return true;
    }
    return false;
}

void policy_derive_id(struct text body, char id[POLICY_ID_MAX + 1])
{
    uint8_t digest[POLICY_ID_MAX / 2];
    struct sha256_ctx context;

    sha256_init(&context);
    sha256_update(&context, body.length, (const uint8_t *)body.data);
    sha256_digest(&context, sizeof(digest), digest);
    hex_write(digest, sizeof(digest), id);
}

const struct fault_text rua_faults[] = {
    [RUA_SCHEME] = {"neither mailto: nor https:", "a URI that begins with one of them"},
    [RUA_RESERVED] = {"an unencoded \",\", \"!\" or \";\"",
                      "%2C, %21 or %3B (RFC 8460, 3), and several URIs as a list: [a, b]"},
    [RUA_CHARACTER] = {"a character that no URI has", "it percent-encoded"},
    [RUA_UNICODE_HOST] = {"a host name beyond ASCII", "its form that begins with xn--"},
    [RUA_PERCENT] = {"\"%\" without two hexadecimal digits", "%25 for the sign itself"},
    [RUA_NO_MAILBOX] = {"mailto: without a mailbox", "mailto:local-part@domain"},
    [RUA_NO_HOST] = {"https: without a host", "https://host/path"},
};

/* Checks each character of a URI (RFC 3986 2, RFC 8460 3). HOST is the part of it that names a
 * host. */
static int rua_character_fault(struct text uri, struct text host)
{
    for (;;) {
        uri = text_after(uri, text_span(uri, "-._~:/?#[]@$&'()*+="));
        if (uri.length == 0)
            return 0;
        if ((unsigned char)*uri.data >= 0x80 && uri.data >= host.data &&
            uri.data < host.data + host.length)
            return RUA_UNICODE_HOST;
        if (*uri.data && strchr(",!;", *uri.data))
            return RUA_RESERVED;
        if (*uri.data != '%')
            return RUA_CHARACTER;
        if (uri.length < 3 || hex_digit_value(uri.data[1]) < 0 || hex_digit_value(uri.data[2]) < 0)
            return RUA_PERCENT;
        uri = text_after(uri, 3);
    }
}

/* Takes the host out of what follows "mailto:". */
static int find_mail_host(struct text address, struct text *host)
{
    const char *at;

    address = text_take(&address, '?');
    at = memrchr(address.data, '@', address.length);
    if (!at || at == address.data || at == address.data + address.length - 1)
        return RUA_NO_MAILBOX;
    *host = text_after(address, (size_t)(at + 1 - address.data));
    return 0;
}

/* Takes the host, with what stands beside it, out of what follows "https:". */
static int find_web_host(struct text rest, struct text *host)
{
    size_t length = 0;

    if (rest.length < 3 || !text_starts_with(rest, TEXT("//")) || strchr("/?#:@", rest.data[2]))
        return RUA_NO_HOST;
    rest = text_after(rest, 2);
    while (length < rest.length && !strchr("/?#", rest.data[length]))
        length++;
    *host = text_of(rest.data, length);
    return 0;
}

int rua_host(struct text uri, bool *mail, struct text *host)
{
    /* Schemes compare without case (RFC 3986 3.1). */
    *mail = text_take_prefix(&uri, TEXT("mailto:"));
    if (*mail)
        return find_mail_host(uri, host);
    return text_take_prefix(&uri, TEXT("https:")) ? find_web_host(uri, host) : RUA_SCHEME;
}

int rua_check(struct text uri)
{
    struct text host = TEXT("");
    bool mail;
    int missing = rua_host(uri, &mail, &host), fault;

    if (missing == RUA_SCHEME)
        return RUA_SCHEME;
    /* A wrong character tells more than what is missing because of it. */
    fault = rua_character_fault(uri, host);
    return fault ? fault : missing;
}
