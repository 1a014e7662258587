#include "config/options.h"

#include <errno.h>
#include <search.h>

enum {
    KEY_LENGTH_MAX = 32,  /* bytes of an unknown key that is compared with the known ones */
    SUGGESTION_EDITS = 2, /* how far a suggested key may be from the one found */
};

void option_describe(const struct option *option, struct buffer *out)
{
    if (option->type->describe)
        option->type->describe(option, out);
    else
        buffer_add_string(out, option->type->expects);
    if (option->list)
        buffer_add_string(out, ", or a list of these");
}

int option_report(const struct option_input *input, const char *what)
{
    CLEANUP(buffer_deinit) struct buffer expected = BUFFER_INIT;
    const char *text;

    option_describe(input->option, &expected);
    text = buffer_string(&expected);
    input->context->diagnostics->out_of_memory |= !text;
    NODE_ERROR(input->context, input->node, "found %s, expected %s", what, text ? text : "");
    return REPORTED;
}

int option_refuse(const struct option_input *input)
{
    return option_report(input, node_describe(input->node).text);
}

/* Reports a node that cannot be a value of its row at all. A section without a value is one without
 * keys. */
static int check_kind(const struct option_input *input)
{
    int kinds = input->option->type->kinds ? input->option->type->kinds : OPTION_FROM_SCALAR;

    if (input->node->kind == NODE_INVALID)
        return REPORTED;
    if (node_is_null(input->node))
        return kinds & OPTION_FROM_MAPPING ? 0 : option_refuse(input);
    return kinds & 1 << input->node->kind ? 0 : option_refuse(input);
}

/* Reads one value, or one item of a list. */
static int read_value(const struct option_input *input, void *value)
{
    int r = check_kind(input);

    return r ? r : input->option->type->read(input, value);
}

static bool is_same(const struct option_type *type, const void *a, const void *b)
{
    return type->compare ? type->compare(a, b) == 0 : memcmp(a, b, type->size) == 0;
}

/* Adds a value of a list to the tree of those before it, in which a list of ten thousand takes no
 * longer for each than a short one. Returns 0, REPORTED if the same one is there, or -ENOMEM. */
static int note_value(const struct option_input *input, const void *value, void **values)
{
    const void *const *found = tsearch(value, values, input->option->type->compare);

    if (!found)
        return -ENOMEM;
    if (*found == value)
        return 0;
    NODE_ERROR(input->context, input->node, "%s is listed already under %s",
               quote_text(node_text(input->node)).text, input->option->key);
    return REPORTED;
}

static void free_nothing(void *value)
{
    (void)value;
}

static void forget_values(void **values)
{
    tdestroy(*values, free_nothing);
}

/* Reads a list, or one value in its place. */
static int read_list(const struct option_input *input, void *settings)
{
    const struct option *option = input->option;
    bool sequence = input->node->kind == NODE_SEQUENCE;
    size_t room = sequence ? input->node->length : 1, n = 0;
    CLEANUP(forget_values) void *values = NULL;
    struct option_input item = *input;
    int result = 0;
    char *items;

    if (option->max_items && room > option->max_items) {
        NODE_ERROR(input->context, input->node, "found %zu values of %s, expected at most %u", room,
                   option->key, option->max_items);
        return REPORTED;
    }
    items = arena_alloc(input->context->arena, room * option->type->size);
    if (!items)
        return -ENOMEM;
    item.node = sequence ? input->node->first : input->node;
    for (size_t i = 0; i < room; i++, item.node = item.node->next) {
        int r = read_value(&item, items + n * option->type->size);

        if (r == 0)
            r = note_value(&item, items + n * option->type->size, &values);
        if (r < 0)
            return r;
        if (r == 0)
            n++;
        else
            result = r;
    }
    if (result == 0 && option->check)
        result = option->check(input, items, n);
    if (result)
        return result;
    memcpy((char *)settings + option->offset, &items, sizeof(items));
    memcpy((char *)settings + option->n_offset, &n, sizeof(n));
    return 0;
}

static int read_section(const struct option_input *input, void *settings)
{
    const struct option *option = input->option;
    struct option_keys keys;
    int r = check_kind(input);

    if (r)
        return r;
    r = options_read(input->context, option->section, input->node, settings, &keys);
    if (r)
        return r;
    *(bool *)((char *)settings + option->offset) = true;
    return keys.invalid ? REPORTED : 0;
}

static int read_option(const struct option_input *input, void *settings)
{
    if (input->option->type == &option_section)
        return read_section(input, settings);
    if (input->option->list)
        return read_list(input, settings);
    return read_value(input, (char *)settings + input->option->offset);
}

int options_set_defaults(const struct load_context *context, const struct option_table *table,
                         void *settings)
{
    for (size_t i = 0; i < table->n; i++) {
        const struct option *option = &table->rows[i];
        int r = 0;

        if (option->type == &option_section)
            r = options_set_defaults(context, option->section, settings);
        if (option->fallback) {
            const struct node node = {.text = option->fallback,
                                      .length = (uint32_t)strlen(option->fallback),
                                      .kind = NODE_SCALAR};

            r = read_option(&(struct option_input){context, option, &node}, settings);
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

static void report_unknown(const struct load_context *context, const struct option_table *table,
                           const struct node *key)
{
    CLEANUP(buffer_deinit) struct buffer expected = BUFFER_INIT;
    const char *nearest = nearest_key(table, node_text(key)), *text;

    for (size_t i = 0; i < table->n; i++)
        buffer_printf(&expected, "%s%s",
                      i == 0             ? ""
                      : i + 1 < table->n ? ", "
                                         : " or ",
                      table->rows[i].key);
    if (nearest)
        buffer_printf(&expected, " (is %s meant?)", nearest);
    text = buffer_string(&expected);
    context->diagnostics->out_of_memory |= !text;
    NODE_ERROR(context, key, "unknown key %s, expected %s", quote_text(node_text(key)).text,
               text ? text : "");
}

static const struct option *find_option(const struct option_table *table, struct text key)
{
    for (size_t i = 0; i < table->n; i++)
        if (text_equals(key, text_from(table->rows[i].key)))
            return &table->rows[i];
    return NULL;
}

int options_read(const struct load_context *context, const struct option_table *table,
                 const struct node *node, void *settings, struct option_keys *keys)
{
    struct option_keys seen = {0};

    for (const struct node *key = node_first(node); key; key = key->next->next) {
        const struct option *option = find_option(table, node_text(key));
        uint32_t bit;
        int r;

        if (!option) {
            report_unknown(context, table, key);
            continue;
        }
        bit = 1U << (option - table->rows);
        r = read_option(&(struct option_input){context, option, key->next}, settings);
        if (r < 0)
            return r;
        seen.present |= bit;
        seen.invalid |= r ? bit : 0;
    }
    for (size_t i = 0; i < table->n; i++) {
        if (!table->rows[i].required || seen.present & 1U << i)
            continue;
        seen.invalid |= 1U << i;
        NODE_ERROR(context, node, "missing key %s", table->rows[i].key);
    }
    if (keys)
        *keys = seen;
    return 0;
}

/* The same for keys that begin with what KEY holds. */
static void name_restart(const struct option_table *table, struct buffer *key, const void *before,
                         const void *after, struct buffer *out)
{
    size_t prefix = key->length;

    for (size_t i = 0; i < table->n; i++) {
        const struct option *option = &table->rows[i];
        const char *old = (const char *)before + option->offset;
        const char *now = (const char *)after + option->offset;
        bool section = option->type == &option_section;

        buffer_add_string(key, option->key);
        if (option->restart && !is_same(option->type, old, now)) {
            buffer_add_string(out, out->length ? ", " : "");
            buffer_add_text(out, buffer_text(key));
        } else if (section && (*(const bool *)now || !option->restart)) {
            buffer_add_string(key, ".");
            name_restart(option->section, key, before, after, out);
        }
        key->length = prefix;
    }
}

void options_name_restart(const struct option_table *table, const void *before, const void *after,
                          struct buffer *out)
{
    CLEANUP(buffer_deinit) struct buffer key = BUFFER_INIT;

    name_restart(table, &key, before, after, out);
}
