#include "config/sync_types.h"

#include "base/number.h"
#include "dns/address.h"

#include <errno.h>
#include <netinet/in.h>

enum {
    URL_MAX = 255, /* bytes */
    FILE_MAX = 255,
    SERVER_ID_MAX = 63,
};

static bool is_word_character(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != '\0' && strchr("-._", c));
}

/* How many of the first bytes of a text are such characters, or one of MORE. */
static size_t span(struct text text, const char *more)
{
    size_t n = 0;

    while (n < text.length && (is_word_character(text.data[n]) ||
                               (text.data[n] != '\0' && strchr(more, text.data[n]))))
        n++;
    return n;
}

/* How long the host at the start of a text is, an IPv6 address in its brackets; 0: there is none.
 */
static size_t host_length(struct text text)
{
    size_t n;

    if (text.length == 0 || text.data[0] != '[')
        return span(text, "");
    n = 1 + span(text_after(text, 1), ":");
    return n < text.length && text.data[n] == ']' ? n + 1 : 0;
}

/* Skips ":8081". Returns whether what is there is a port, or nothing of that kind. */
static bool skip_port(struct text *text)
{
    uint64_t port;
    size_t n = 1;

    if (text->length == 0 || text->data[0] != ':')
        return true;
    while (n < text->length && is_digit(text->data[n]))
        n++;
    if (!number_read(text_of(text->data + 1, n - 1), UINT16_MAX, &port) || port == 0)
        return false;
    *text = text_after(*text, n);
    return true;
}

static bool is_loopback(struct text host)
{
    struct address address;

    return text_equals(host, TEXT("localhost")) || text_equals(host, TEXT("[::1]")) ||
           (address_from_text(host, &address) && address.family == AF_INET &&
            address.octets[0] == IN_LOOPBACKNET);
}

static int read_url(const struct option_input *input, void *value)
{
    const struct text plain = TEXT("http://"), secure = TEXT("https://");
    struct text url = node_text(input->node), rest, host;

    if (url.length > URL_MAX)
        return option_refuse(input);
    if (text_starts_with(url, plain))
        rest = text_after(url, plain.length);
    else if (text_starts_with(url, secure))
        rest = text_after(url, secure.length);
    else
        return option_refuse(input);
    host = text_of(rest.data, host_length(rest));
    rest = text_after(rest, host.length);
    if (host.length == 0 || !skip_port(&rest) ||
        (rest.length && (rest.data[0] != '/' || span(rest, "/~") < rest.length)))
        return option_refuse(input);
    if (text_starts_with(url, plain) && !is_loopback(host))
        NODE_WARNING(input->context, input->node,
                     "the key of the API goes to %s without encryption: use https, or a tunnel",
                     quote_text(host).text);
    while (url.data[url.length - 1] == '/')
        url.length--;
    return option_keep_string(input, url, value);
}

_Static_assert(URL_MAX == 255, "the text below names the limit");

const struct option_type type_url = {
    .size = sizeof(const char *),
    .expects = "an http or https URL of at most 255 bytes, without user, password or query",
    .read = read_url,
};

static int read_key_file(const struct option_input *input, void *value)
{
    struct text path = node_text(input->node);

    if (path.length > FILE_MAX || path.data[0] != '/')
        return option_refuse(input);
    return option_keep_string(input, path, value);
}

_Static_assert(FILE_MAX == 255, "the text below names the limit");

const struct option_type type_key_file = {
    .size = sizeof(const char *),
    .expects = "an absolute path of at most 255 bytes",
    .read = read_key_file,
};

static int read_server_id(const struct option_input *input, void *value)
{
    struct text id = node_text(input->node);

    if (id.length == 0 || id.length > SERVER_ID_MAX || span(id, "") < id.length)
        return option_refuse(input);
    return option_keep_string(input, id, value);
}

_Static_assert(SERVER_ID_MAX == 63, "the text below names the limit");

const struct option_type type_server_id = {
    .size = sizeof(const char *),
    .expects = "1 to 63 letters, digits and - . _",
    .read = read_server_id,
};

/* Reads a word of a command. */
static int read_word(const struct option_input *input, const struct node *node, bool first,
                     char **out)
{
    const struct option_input word = {input->context, input->option, node};

    if (node->kind == NODE_INVALID)
        return REPORTED;
    if (node->kind != NODE_SCALAR || (first && (node_is_null(node) || node->text[0] != '/')))
        return option_refuse(&word);
    *out = arena_alloc(input->context->arena, (size_t)node->length + 1);
    if (!*out)
        return -ENOMEM;
    memcpy(*out, node->text, node->length);
    return 0;
}

static int read_command(const struct option_input *input, void *value)
{
    bool sequence = input->node->kind == NODE_SEQUENCE;
    size_t n = sequence ? input->node->length : 1;
    const struct node *node = sequence ? input->node->first : input->node;
    char **words;

    if (n == 0)
        return option_report(input, "an empty list");
    words = arena_alloc(input->context->arena, (n + 1) * sizeof(*words));
    if (!words)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++, node = node->next) {
        int r = read_word(input, node, i == 0, &words[i]);

        if (r)
            return r;
    }
    *(char *const **)value = words;
    return 0;
}

const struct option_type type_command = {
    .size = sizeof(char *const *),
    .kinds = OPTION_FROM_SCALAR | OPTION_FROM_SEQUENCE,
    .expects = "the absolute path of a program, or a list of it and its arguments",
    .read = read_command,
};

static void describe_server(const struct option *option, struct buffer *out)
{
    buffer_printf(out, "an IP address and port such as 127.0.0.1:%u or [::1]:%u", option->port,
                  option->port);
}

static int read_server(const struct option_input *input, void *value)
{
    if (!listen_address_parse(node_text(input->node), input->option->port, value))
        return option_refuse(input);
    return 0;
}

const struct option_type type_server = {
    .size = sizeof(struct listen_address),
    .describe = describe_server,
    .read = read_server,
};
