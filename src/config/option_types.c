/* The types of values that any option table may use. */
#include "config/options.h"

#include <errno.h>
#include <grp.h>
#include <sys/un.h>

enum { URL_PATH_MAX = 255 }; /* bytes */

/* Bytes, without the terminator: unix(7). */
static const size_t SOCKET_PATH_MAX = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;

static int refuse(const struct option_context *context, const struct option *option,
                  const struct node *node)
{
    option_report(context, option, node, node_describe(node).text);
    return REPORTED;
}

static void describe_boolean(const struct option *option, struct buffer *out)
{
    (void)option;
    buffer_add_string(out, "yes or no");
}

static int read_boolean(const struct option_context *context, const struct option *option,
                        const struct node *node, void *value)
{
    static const struct {
        const char *text;
        bool value;
    } words[] = {{"yes", true}, {"no", false}, {"true", true}, {"false", false}};

    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        if (text_equals(node_text(node), text_from(words[i].text))) {
            *(bool *)value = words[i].value;
            return 0;
        }
    }
    return refuse(context, option, node);
}

const struct option_type option_boolean = {
    .size = sizeof(bool),
    .kinds = OPTION_FROM_SCALAR,
    .describe = describe_boolean,
    .read = read_boolean,
};

/* Takes the digits at the start of a text as a number. Returns false if there are none or the
 * number does not fit. */
static bool take_number(struct text *text, uint64_t *out)
{
    uint64_t number = 0;
    size_t n = 0;

    for (; n < text->length && text->data[n] >= '0' && text->data[n] <= '9'; n++)
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(text->data[n] - '0'), &number))
            return false;
    if (n == 0)
        return false;
    *text = text_after(*text, n);
    *out = number;
    return true;
}

static void describe_integer(const struct option *option, struct buffer *out)
{
    buffer_printf(out, "a whole number from %u to %u", option->min, option->max);
}

static int read_integer(const struct option_context *context, const struct option *option,
                        const struct node *node, void *value)
{
    struct text rest = node_text(node);
    uint64_t number;

    if (!take_number(&rest, &number) || rest.length || number < option->min || number > option->max)
        return refuse(context, option, node);
    *(uint32_t *)value = (uint32_t)number;
    return 0;
}

const struct option_type option_integer = {
    .size = sizeof(uint32_t),
    .kinds = OPTION_FROM_SCALAR,
    .describe = describe_integer,
    .read = read_integer,
};

static void describe_duration(const struct option *option, struct buffer *out)
{
    buffer_printf(out, "%u to %u seconds, or a number with s, m, h, d or w", option->min,
                  option->max);
}

/* The seconds of what may stand behind a number; 0 if it is no unit. */
static uint64_t unit_seconds(struct text unit)
{
    static const struct {
        char letter;
        uint32_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};

    if (unit.length == 0)
        return 1;
    for (size_t i = 0; i < ARRAY_LENGTH(units); i++)
        if (unit.length == 1 && unit.data[0] == units[i].letter)
            return units[i].seconds;
    return 0;
}

static int read_duration(const struct option_context *context, const struct option *option,
                         const struct node *node, void *value)
{
    struct text rest = node_text(node);
    uint64_t number, unit;

    if (!take_number(&rest, &number))
        return refuse(context, option, node);
    unit = unit_seconds(rest);
    if (unit == 0 || __builtin_mul_overflow(number, unit, &number) || number < option->min ||
        number > option->max)
        return refuse(context, option, node);
    *(uint32_t *)value = (uint32_t)number;
    return 0;
}

const struct option_type option_duration = {
    .size = sizeof(uint32_t),
    .kinds = OPTION_FROM_SCALAR,
    .describe = describe_duration,
    .read = read_duration,
};

static void describe_choice(const struct option *option, struct buffer *out)
{
    for (const struct option_choice *choice = option->choices; choice->text; choice++) {
        if (choice != option->choices)
            buffer_add_string(out, choice[1].text ? ", " : " or ");
        buffer_add_string(out, choice->text);
    }
}

static int read_choice(const struct option_context *context, const struct option *option,
                       const struct node *node, void *value)
{
    for (const struct option_choice *choice = option->choices; choice->text; choice++) {
        if (text_equals(node_text(node), text_from(choice->text))) {
            *(int *)value = choice->value;
            return 0;
        }
    }
    return refuse(context, option, node);
}

const struct option_type option_choice = {
    .size = sizeof(int),
    .kinds = OPTION_FROM_SCALAR,
    .describe = describe_choice,
    .read = read_choice,
};

static void describe_url_path(const struct option *option, struct buffer *out)
{
    (void)option;
    buffer_printf(out, "a path of at most %d letters, digits and - . _ ~ / that begins with /",
                  URL_PATH_MAX);
}

static bool is_path_character(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != '\0' && strchr("-._~/", c));
}

static int read_url_path(const struct option_context *context, const struct option *option,
                         const struct node *node, void *value)
{
    struct text path = node_text(node);
    int r;

    if (path.length == 0 || path.length > URL_PATH_MAX || path.data[0] != '/')
        return refuse(context, option, node);
    for (size_t i = 0; i < path.length; i++)
        if (!is_path_character(path.data[i]))
            return refuse(context, option, node);
    while (path.length && path.data[path.length - 1] == '/')
        path.length--;
    r = arena_copy_text(context->arena, path, &path);
    if (r)
        return r;
    *(const char **)value = path.data;
    return 0;
}

const struct option_type option_url_path = {
    .size = sizeof(const char *),
    .kinds = OPTION_FROM_SCALAR,
    .describe = describe_url_path,
    .read = read_url_path,
};

static void describe_address(const struct option *option, struct buffer *out)
{
    buffer_printf(out, "an IP address and port such as 127.0.0.1:%u or [::1]:%u", option->port,
                  option->port);
}

static int read_address(const struct option_context *context, const struct option *option,
                        const struct node *node, void *value)
{
    return listen_address_parse(node_text(node), option->port, value)
               ? 0
               : refuse(context, option, node);
}

const struct option_type option_address = {
    .size = sizeof(struct listen_address),
    .kinds = OPTION_FROM_SCALAR,
    .describe = describe_address,
    .read = read_address,
};

static void describe_socket_path(const struct option *option, struct buffer *out)
{
    (void)option;
    buffer_printf(out, "an absolute path of at most %zu bytes", SOCKET_PATH_MAX);
}

static int read_socket_path(const struct option_context *context, const struct option *option,
                            const struct node *node, void *value)
{
    struct text path = node_text(node);
    int r;

    if (path.length < 2 || path.length > SOCKET_PATH_MAX || path.data[0] != '/' ||
        path.data[path.length - 1] == '/')
        return refuse(context, option, node);
    r = arena_copy_text(context->arena, path, &path);
    if (r)
        return r;
    *(const char **)value = path.data;
    return 0;
}

const struct option_type option_socket_path = {
    .size = sizeof(const char *),
    .kinds = OPTION_FROM_SCALAR,
    .describe = describe_socket_path,
    .read = read_socket_path,
};

static void describe_permissions(const struct option *option, struct buffer *out)
{
    (void)option;
    buffer_add_string(out, "permissions as three octal digits, such as \"0660\"");
}

static int read_permissions(const struct option_context *context, const struct option *option,
                            const struct node *node, void *value)
{
    struct text digits = node_text(node);
    uint32_t mode = 0;

    if (digits.length == 4 && digits.data[0] == '0')
        digits = text_after(digits, 1);
    if (digits.length != 3)
        return refuse(context, option, node);
    for (size_t i = 0; i < digits.length; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '7')
            return refuse(context, option, node);
        mode = mode << 3 | (uint32_t)(digits.data[i] - '0');
    }
    *(uint32_t *)value = mode;
    return 0;
}

const struct option_type option_permissions = {
    .size = sizeof(uint32_t),
    .kinds = OPTION_FROM_SCALAR,
    .describe = describe_permissions,
    .read = read_permissions,
};

static void describe_group(const struct option *option, struct buffer *out)
{
    (void)option;
    buffer_add_string(out, "the name of a group of this system");
}

/* The configuration is read by one thread at a time. */
static int read_group(const struct option_context *context, const struct option *option,
                      const struct node *node, void *value)
{
    /* cppcheck-suppress getgrnamCalled */
    const struct group *group = getgrnam(node->text);

    if (!group)
        return refuse(context, option, node);
    *(uint32_t *)value = group->gr_gid;
    return 0;
}

const struct option_type option_group = {
    .size = sizeof(uint32_t),
    .kinds = OPTION_FROM_SCALAR,
    .describe = describe_group,
    .read = read_group,
};

static void describe_mapping(const struct option *option, struct buffer *out)
{
    (void)option;
    buffer_add_string(out, "a mapping");
}

static int read_section(const struct option_context *context, const struct option *option,
                        const struct node *node, void *value)
{
    struct option_marks marks;
    int r = options_read(context, option->section, node, value, &marks);

    if (r)
        return r;
    return marks.invalid ? REPORTED : 0;
}

const struct option_type option_section = {
    .kinds = OPTION_FROM_MAPPING,
    .describe = describe_mapping,
    .read = read_section,
};

static int read_node(const struct option_context *context, const struct option *option,
                     const struct node *node, void *value)
{
    (void)context;
    (void)option;
    *(const struct node **)value = node;
    return 0;
}

const struct option_type option_mapping = {
    .size = sizeof(struct node *),
    .kinds = OPTION_FROM_MAPPING,
    .describe = describe_mapping,
    .read = read_node,
};

static void describe_sequence(const struct option *option, struct buffer *out)
{
    (void)option;
    buffer_add_string(out, "a list");
}

const struct option_type option_sequence = {
    .size = sizeof(struct node *),
    .kinds = OPTION_FROM_SEQUENCE,
    .describe = describe_sequence,
    .read = read_node,
};
