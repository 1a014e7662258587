#include "config/options.h"

#include <errno.h>

enum {
    KEY_LENGTH_MAX = 32,  /* bytes of an unknown key that is compared with the known ones */
    SUGGESTION_EDITS = 2, /* how far a suggested key may be from the one found */
};

static void describe(const struct option *option, struct buffer *out)
{
    option->type->describe(option, out);
    if (option->list)
        buffer_add_string(out, ", or a list of these");
}

void option_report(const struct option_context *context, const struct option *option,
                   const struct node *node, const char *what)
{
    CLEANUP(buffer_deinit) struct buffer expected = BUFFER_INIT;

    if (option->list)
        describe(option, &expected);
    else
        option->type->describe(option, &expected);
    buffer_add(&expected, "", 1);
    context->diagnostics->out_of_memory |= expected.failed;
    diagnostics_error(context->diagnostics, node_place(node, context->sources),
                      "found %s, expected %s", what, expected.failed ? "" : expected.data);
}

/* Reads one value, or one item of a list, if the node can be one at all. */
static int read_value(const struct option_context *context, const struct option *option,
                      const struct node *node, void *value)
{
    if (node->kind == NODE_INVALID)
        return REPORTED;
    if (!(option->type->kinds & 1 << node->kind) || node_is_null(node)) {
        option_report(context, option, node, node_describe(node).text);
        return REPORTED;
    }
    return option->type->read(context, option, node, value);
}

/* Reports an item that is in the list already. Returns whether there is one. */
static bool report_repeated(const struct option_context *context, const struct option *option,
                            const struct option_list *list, const struct node *node)
{
    size_t size = option->type->size;
    const char *items = list->items;

    if (!option->type->equals)
        return false;
    for (size_t i = 0; i < list->n; i++) {
        if (!option->type->equals(items + i * size, items + list->n * size))
            continue;
        diagnostics_error(context->diagnostics, node_place(node, context->sources),
                          "found %s again, expected each %s once", quote_text(node_text(node)).text,
                          option->key);
        return true;
    }
    return false;
}

/* Reads the items of a list; those with an error are left out. */
static int read_items(const struct option_context *context, const struct option *option,
                      const struct node *first, struct option_list *list)
{
    int result = 0;

    for (const struct node *node = first; node; node = node->next) {
        int r =
            read_value(context, option, node, (char *)list->items + list->n * option->type->size);

        if (r < 0)
            return r;
        if (r == 0 && !report_repeated(context, option, list, node))
            list->n++;
        else
            result = REPORTED;
    }
    return result;
}

static int read_list(const struct option_context *context, const struct option *option,
                     const struct node *node, struct option_list *out)
{
    bool sequence = node->kind == NODE_SEQUENCE;
    size_t n = sequence ? node->length : 1;
    struct node alone = *node;
    struct option_list list = {0};
    int r;

    if (option->max_items && n > option->max_items) {
        diagnostics_error(context->diagnostics, node_place(node, context->sources),
                          "found %zu values of %s, expected at most %u", n, option->key,
                          option->max_items);
        return REPORTED;
    }
    list.items = arena_alloc(context->arena, n * option->type->size);
    if (!list.items)
        return -ENOMEM;
    alone.next = NULL;
    r = read_items(context, option, sequence ? node->first : &alone, &list);
    if (r == 0)
        *out = list;
    return r;
}

static int read_option(const struct option_context *context, const struct option *option,
                       const struct node *node, void *value)
{
    int r = option->list ? read_list(context, option, node, value)
                         : read_value(context, option, node, value);

    if (r == 0 && option->check)
        r = option->check(context, option, node, value);
    return r;
}

static char *value_of(const struct option *option, void *settings)
{
    return (char *)settings + option->offset;
}

int options_set_defaults(const struct option_context *context, const struct option_table *table,
                         void *settings)
{
    for (size_t i = 0; i < table->n; i++) {
        const struct option *option = &table->rows[i];
        void *value = value_of(option, settings);
        int r = 0;

        if (option->type == &option_section)
            r = options_set_defaults(context, option->section, value);
        if (option->fallback) {
            struct node node = {.text = option->fallback,
                                .length = (uint32_t)strlen(option->fallback),
                                .kind = NODE_SCALAR};

            r = read_option(context, option, &node, value);
        }
        if (r)
            return r;
    }
    return 0;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The number of letters to add, take away or change to make one word of the other (Levenshtein's
 * distance). Neither may be longer than KEY_LENGTH_MAX. */
static size_t edit_distance(struct text a, struct text b)
{
    size_t row[KEY_LENGTH_MAX + 1];

    for (size_t j = 0; j <= b.length; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.length; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= b.length; j++) {
            size_t changed = diagonal + (a.data[i - 1] != b.data[j - 1]);

            diagonal = row[j];
            row[j] = smaller(changed, smaller(row[j], row[j - 1]) + 1);
        }
    }
    return row[b.length];
}

/* The key that was probably meant, or NULL. */
static const char *nearest_key(const struct option_table *table, struct text key)
{
    const char *nearest = NULL;
    size_t best = smaller(SUGGESTION_EDITS, key.length / 2) + 1;

    if (key.length > KEY_LENGTH_MAX)
        return NULL;
    for (size_t i = 0; i < table->n; i++) {
        size_t distance = edit_distance(key, text_from(table->rows[i].key));

        if (distance < best) {
            best = distance;
            nearest = table->rows[i].key;
        }
    }
    return nearest;
}

static void report_unknown(const struct option_context *context, const struct option_table *table,
                           const struct node *key)
{
    CLEANUP(buffer_deinit) struct buffer expected = BUFFER_INIT;
    const char *nearest = nearest_key(table, node_text(key));

    for (size_t i = 0; i < table->n; i++)
        buffer_printf(&expected, "%s%s",
                      i == 0             ? ""
                      : i + 1 < table->n ? ", "
                                         : " or ",
                      table->rows[i].key);
    if (nearest)
        buffer_printf(&expected, " (is %s meant?)", nearest);
    buffer_add(&expected, "", 1);
    context->diagnostics->out_of_memory |= expected.failed;
    diagnostics_error(context->diagnostics, node_place(key, context->sources),
                      "found unknown key %s, expected %s", quote_text(node_text(key)).text,
                      expected.failed ? "" : expected.data);
}

static const struct option *find_option(const struct option_table *table, struct text key)
{
    for (size_t i = 0; i < table->n; i++)
        if (text_equals(key, text_from(table->rows[i].key)))
            return &table->rows[i];
    return NULL;
}

static void check_required(const struct option_context *context, const struct option_table *table,
                           const struct node *node, struct option_marks *marks)
{
    for (size_t i = 0; i < table->n; i++) {
        if (!table->rows[i].required || marks->present & 1U << i)
            continue;
        marks->invalid |= 1U << i;
        diagnostics_error(context->diagnostics, node_place(node, context->sources),
                          "found a mapping without the key %s, expected it", table->rows[i].key);
    }
}

int options_read(const struct option_context *context, const struct option_table *table,
                 const struct node *node, void *settings, struct option_marks *marks)
{
    struct option_marks seen = {0};

    for (const struct node *key = node->first; key; key = key->next->next) {
        const struct option *option = find_option(table, node_text(key));
        uint32_t bit;
        int r;

        if (!option) {
            report_unknown(context, table, key);
            continue;
        }
        bit = 1U << (option - table->rows);
        r = read_option(context, option, key->next, value_of(option, settings));
        if (r < 0)
            return r;
        seen.present |= bit;
        if (r > 0)
            seen.invalid |= bit;
    }
    check_required(context, table, node, &seen);
    if (marks)
        *marks = seen;
    return 0;
}

/* Describes the rows of a table whose keys begin with what KEY holds. */
static int describe_table(const struct option_table *table, struct buffer *key,
                          void (*row)(const struct option_description *description, void *context),
                          void *context)
{
    size_t prefix = key->length;

    for (size_t i = 0; i < table->n; i++) {
        CLEANUP(buffer_deinit) struct buffer type = BUFFER_INIT;
        const struct option *option = &table->rows[i];
        int r = 0;

        describe(option, &type);
        buffer_add(&type, "", 1);
        buffer_printf(key, "%s%s", prefix ? "." : "", option->key);
        buffer_add(key, "", 1);
        if (type.failed || key->failed)
            return -ENOMEM;
        row(&(struct option_description){key->data, type.data, option}, context);
        key->length--;
        if (option->section)
            r = describe_table(option->section, key, row, context);
        if (r)
            return r;
        key->length = prefix;
    }
    return 0;
}

int options_describe(const struct option_table *table,
                     void (*row)(const struct option_description *description, void *context),
                     void *context)
{
    CLEANUP(buffer_deinit) struct buffer key = BUFFER_INIT;

    return describe_table(table, &key, row, context);
}
