/* The types of values that any option table may use. */
#include "base/number.h"
#include "config/options.h"

#include <errno.h>
#include <grp.h>
#include <sys/un.h>

enum { URL_PATH_MAX = 255 }; /* bytes */

/* Bytes, without the terminator: unix(7). */
enum { DIRECTORY_MAX = 255 }; /* bytes */
enum { SOCKET_PATH_MAX = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1 };

/* The value of a key that is absent and has no default is NULL. */
static int compare_strings(const void *a, const void *b)
{
    const char *left = *(const char *const *)a, *right = *(const char *const *)b;

    return left && right ? strcmp(left, right) : (left != NULL) - (right != NULL);
}

int option_keep_string(const struct option_input *input, struct text text, const char **out)
{
    int r = arena_copy_text(input->context->arena, text, &text);

    if (r)
        return r;
    *out = text.data;
    return 0;
}

/* Finds the choice that a node names, or NULL. */
static const struct option_choice *find_choice(const struct option_choice *choices,
                                               const struct node *node)
{
    for (; choices->text; choices++)
        if (text_equals(node_text(node), text_from(choices->text)))
            return choices;
    return NULL;
}

static void describe_choices(const struct option *option, struct buffer *out)
{
    for (const struct option_choice *choice = option->choices; choice->text; choice++) {
        if (choice != option->choices)
            buffer_add_string(out, choice[1].text ? ", " : " or ");
        buffer_add_string(out, choice->text);
    }
}

static int read_choice(const struct option_input *input, void *value)
{
    const struct option_choice *choice = find_choice(input->option->choices, input->node);

    if (!choice)
        return option_refuse(input);
    *(int *)value = choice->value;
    return 0;
}

const struct option_type option_choice = {
    .size = sizeof(int),
    .describe = describe_choices,
    .read = read_choice,
};

static void describe_boolean(const struct option *option, struct buffer *out)
{
    if (option->choices)
        describe_choices(option, out);
    else
        buffer_add_string(out, "yes or no");
}

static int read_boolean(const struct option_input *input, void *value)
{
    static const struct option_choice words[] = {
        {"yes", true}, {"no", false}, {"true", true}, {"false", false}, {NULL, 0}};
    const struct option_choice *choices = input->option->choices;
    const struct option_choice *choice = find_choice(choices ? choices : words, input->node);

    if (!choice)
        return option_refuse(input);
    *(bool *)value = choice->value;
    return 0;
}

const struct option_type option_boolean = {
    .size = sizeof(bool),
    .describe = describe_boolean,
    .read = read_boolean,
};

static void describe_integer(const struct option *option, struct buffer *out)
{
    buffer_printf(out, "a whole number from %u to %u", option->min, option->max);
}

static int read_integer(const struct option_input *input, void *value)
{
    uint64_t number;

    if (!number_read(node_text(input->node), input->option->max, &number) ||
        number < input->option->min)
        return option_refuse(input);
    *(uint32_t *)value = (uint32_t)number;
    return 0;
}

static int compare_integers(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

    return (left > right) - (left < right);
}

const struct option_type option_integer = {
    .size = sizeof(uint32_t),
    .describe = describe_integer,
    .read = read_integer,
    .compare = compare_integers,
};

static void describe_duration(const struct option *option, struct buffer *out)
{
    buffer_printf(out, "%u to %u seconds, or a number with s, m, h, d or w", option->min,
                  option->max);
}

/* Takes the unit off the end of a duration. Returns its seconds; 1 if there is none. */
static uint32_t take_unit(struct text *duration)
{
    static const struct {
        char letter;
        uint32_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};

    for (size_t i = 0; i < ARRAY_LENGTH(units); i++) {
        if (duration->length == 0 || duration->data[duration->length - 1] != units[i].letter)
            continue;
        duration->length--;
        return units[i].seconds;
    }
    return 1;
}

static int read_duration(const struct option_input *input, void *value)
{
    struct text digits = node_text(input->node);
    uint32_t unit = take_unit(&digits);
    uint64_t number;

    if (!number_read(digits, input->option->max / unit, &number) ||
        number * unit < input->option->min)
        return option_refuse(input);
    *(uint32_t *)value = (uint32_t)number * unit;
    return 0;
}

static void describe_percent(const struct option *option, struct buffer *out)
{
    buffer_printf(out, "%u%% to %u%%", option->min, option->max);
}

static int read_percent(const struct option_input *input, void *value)
{
    struct text digits = node_text(input->node);
    uint64_t number;

    if (digits.length == 0 || digits.data[digits.length - 1] != '%')
        return option_refuse(input);
    digits.length--;
    if (!number_read(digits, input->option->max, &number) || number < input->option->min)
        return option_refuse(input);
    *(uint32_t *)value = (uint32_t)number;
    return 0;
}

const struct option_type option_percent = {
    .size = sizeof(uint32_t),
    .describe = describe_percent,
    .read = read_percent,
};

const struct option_type option_duration = {
    .size = sizeof(uint32_t),
    .describe = describe_duration,
    .read = read_duration,
};

static int read_url_path(const struct option_input *input, void *value)
{
    struct text path = node_text(input->node);

    if (path.length == 0 || path.length > URL_PATH_MAX || path.data[0] != '/' ||
        text_span(path, "-._~/") < path.length)
        return option_refuse(input);
    while (path.length && path.data[path.length - 1] == '/')
        path.length--;
    return option_keep_string(input, path, value);
}

_Static_assert(URL_PATH_MAX == 255, "the text below names the limit");

const struct option_type option_url_path = {
    .size = sizeof(const char *),
    .expects = "a path of at most 255 letters, digits and - . _ ~ / that begins with /",
    .read = read_url_path,
    .compare = compare_strings,
};

static void describe_address(const struct option *option, struct buffer *out)
{
    buffer_printf(out, "an IP address and port such as 127.0.0.1:%u or [::1]:%u", option->port,
                  option->port);
}

static int read_address(const struct option_input *input, void *value)
{
    struct listen_address *address = value;

    if (!listen_address_parse(node_text(input->node), input->option->port, address))
        return option_refuse(input);
    if (!listen_address_is_loopback(address))
        NODE_WARNING(input->context, input->node,
                     "%s is not a loopback address: whoever reaches it gets answers",
                     address->text);
    return 0;
}

static int compare_addresses(const void *a, const void *b)
{
    const struct listen_address *left = a, *right = b;

    return strcmp(left->text, right->text);
}

const struct option_type option_address = {
    .size = sizeof(struct listen_address),
    .describe = describe_address,
    .read = read_address,
    .compare = compare_addresses,
};

static int read_directory(const struct option_input *input, void *value)
{
    struct text path = node_text(input->node);

    if (path.length > DIRECTORY_MAX || (path.data[0] != '/' && !text_equals(path, TEXT("none"))))
        return option_refuse(input);
    return option_keep_string(input, path, value);
}

_Static_assert(DIRECTORY_MAX == 255, "the text below names the limit");

const struct option_type option_directory = {
    .size = sizeof(const char *),
    .expects = "an absolute path of at most 255 bytes, or none",
    .read = read_directory,
    .compare = compare_strings,
};

static int read_socket_path(const struct option_input *input, void *value)
{
    struct text path = node_text(input->node);

    if (path.length < 2 || path.length > SOCKET_PATH_MAX || path.data[0] != '/' ||
        path.data[path.length - 1] == '/')
        return option_refuse(input);
    return option_keep_string(input, path, value);
}

_Static_assert(SOCKET_PATH_MAX == 107, "the text below names the limit");

const struct option_type option_socket_path = {
    .size = sizeof(const char *),
    .expects = "an absolute path of at most 107 bytes",
    .read = read_socket_path,
    .compare = compare_strings,
};

static int read_permissions(const struct option_input *input, void *value)
{
    struct text digits = node_text(input->node);
    uint32_t mode = 0;

    if (digits.length == 4 && digits.data[0] == '0')
        digits = text_after(digits, 1);
    if (digits.length != 3)
        return option_refuse(input);
    for (size_t i = 0; i < digits.length; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '7')
            return option_refuse(input);
        mode = mode << 3 | (uint32_t)(digits.data[i] - '0');
    }
    *(uint32_t *)value = mode;
    return 0;
}

const struct option_type option_permissions = {
    .size = sizeof(uint32_t),
    .expects = "permissions as three octal digits, such as \"0660\"",
    .read = read_permissions,
};

/* The configuration is read by one thread at a time. */
static int read_group(const struct option_input *input, void *value)
{
    /* cppcheck-suppress getgrnamCalled */
    const struct group *group = getgrnam(input->node->text);

    if (!group)
        return option_refuse(input);
    *(uint32_t *)value = group->gr_gid;
    return 0;
}

const struct option_type option_group = {
    .size = sizeof(uint32_t),
    .expects = "the name of a group of this system",
    .read = read_group,
};

const struct option_type option_section = {
    .size = sizeof(bool),
    .kinds = OPTION_FROM_MAPPING,
    .expects = "a mapping",
};

int option_keep_node(const struct option_input *input, void *value)
{
    *(const struct node **)value = input->node;
    return 0;
}

const struct option_type option_mapping = {
    .size = sizeof(struct node *),
    .kinds = OPTION_FROM_MAPPING,
    .expects = "a mapping",
    .read = option_keep_node,
};

const struct option_type option_sequence = {
    .size = sizeof(struct node *),
    .kinds = OPTION_FROM_SEQUENCE,
    .expects = "a list",
    .read = option_keep_node,
};
