#include "admin/page_template.h"

#include <inttypes.h>
#include <stdio.h>

/* The values of the sections around an operation, the innermost first. */
struct context {
    const json_t *value;
    const struct context *around;
};

static const json_t *member(const json_t *value, struct text name)
{
    return json_object_getn(value, name.data, name.length);
}

static const json_t *find(const struct context *context, const char *path)
{
    struct text rest = text_from(path), name;
    const json_t *found = NULL;

    if (text_equals(rest, TEXT(".")))
        return context->value;
    name = text_take(&rest, '.');
    for (; context && !found; context = context->around)
        found = member(context->value, name);
    while (found && rest.length)
        found = member(found, text_take(&rest, '.'));
    return found;
}

static bool is_there(const json_t *value)
{
    switch (value ? json_typeof(value) : JSON_NULL) {
    case JSON_NULL:
    case JSON_FALSE:
        return false;
    case JSON_TRUE:
    case JSON_OBJECT:
        return true;
    case JSON_ARRAY:
        return json_array_size(value) > 0;
    case JSON_STRING:
        return json_string_length(value) > 0;
    case JSON_INTEGER:
    case JSON_REAL:
        return json_number_value(value) != 0;
    }
    return false;
}

static const char *entity_of(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

static void add_escaped(struct buffer *out, struct text text)
{
    size_t begin = 0;

    for (size_t i = 0; i < text.length; i++) {
        const char *entity = entity_of(text.data[i]);

        if (!entity)
            continue;
        buffer_add(out, text.data + begin, i - begin);
        buffer_add_string(out, entity);
        begin = i + 1;
    }
    buffer_add_text(out, text_after(text, begin));
}

/* Adds a number with its digits in groups of three. */
static void add_grouped(struct buffer *out, json_int_t number)
{
    char digits[24];
    int n = snprintf(digits, sizeof(digits), "%" JSON_INTEGER_FORMAT, number);
    int first = digits[0] == '-';

    for (int i = 0; i < n; i++) {
        if (i > first && (n - i) % 3 == 0)
            buffer_add_string(out, ",");
        buffer_add(out, &digits[i], 1);
    }
}

static void add_value(struct buffer *out, const json_t *value)
{
    if (json_is_string(value))
        add_escaped(out, text_of(json_string_value(value), json_string_length(value)));
    else if (json_is_integer(value))
        add_grouped(out, json_integer_value(value));
    else if (json_is_real(value))
        buffer_printf(out, "%g", json_real_value(value));
}

static void render(const struct page_template *template, size_t from, size_t to,
                   const struct context *context, struct buffer *out);

static void render_section(const struct page_template *template, size_t at, const json_t *value,
                           const struct context *context, struct buffer *out)
{
    size_t end = template->operations[at].n, n = json_is_array(value) ? json_array_size(value) : 1;

    for (size_t i = 0; i < n; i++) {
        const struct context inner = {
            .value = json_is_array(value) ? json_array_get(value, i) : value,
            .around = context,
        };

        render(template, at + 1, end, &inner, out);
    }
}

/* Sections and parts are within each other as deep as the files of the build say. */
static void render(const struct page_template *template, size_t from,
                   size_t to, /* NOLINT(misc-no-recursion) */
                   const struct context *context, struct buffer *out)
{
    for (size_t i = from; i < to; i++) {
        const struct page_operation *operation = &template->operations[i];
        const json_t *value = operation->kind == PAGE_TEXT || operation->kind == PAGE_PART
                                  ? NULL
                                  : find(context, operation->text);

        switch (operation->kind) {
        case PAGE_TEXT:
            buffer_add(out, operation->text, operation->n);
            break;
        case PAGE_VALUE:
            add_value(out, value);
            break;
        case PAGE_SECTION:
            if (is_there(value))
                render_section(template, i, value, context, out);
            i = operation->n - 1;
            break;
        case PAGE_INVERTED:
            if (!is_there(value))
                render(template, i + 1, operation->n, context, out);
            i = operation->n - 1;
            break;
        case PAGE_PART:
            render(operation->part, 0, operation->part->n, context, out);
            break;
        }
    }
}

void page_template_render(const struct page_template *template, const json_t *data,
                          struct buffer *out)
{
    const struct context context = {.value = data};

    render(template, 0, template->n, &context, out);
}
