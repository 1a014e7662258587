#include "config/node.h"

#include <errno.h>
#include <yaml.h>

enum {
    AGAIN_SIZE = 4096,   /* bytes at once, where the file is read again */
    DIRECTIVES_MAX = 16, /* further bytes are not read where there are more */
};

/* libyaml's parser and the event that it is at. */
struct reader {
    yaml_parser_t parser;
    yaml_event_t event;
    const struct load_context *context;
    struct file *file;
    bool file_refused; /* reading from it has failed */
    bool has_tags;     /* reading has ended, as there are many directives */
    bool cancelled;    /* the same, as the load shall end */
    uint16_t source;
    const char *name; /* of the source */
};

/* The place of a mark; libyaml counts from 0. */
static struct place mark_place(const struct reader *reader, yaml_mark_t mark)
{
    return (struct place){reader->name, (uint32_t)mark.line + 1, (uint32_t)mark.column + 1};
}

/* Reports an error at the event. */
#define EVENT_ERROR(READER, ...)                                                                   \
    diagnostics_error((READER)->context->diagnostics,                                              \
                      mark_place(READER, (READER)->event.start_mark), __VA_ARGS__)

/* libyaml's way to get the next bytes. It compares each %TAG directive with all before it, all in
 * one step to the next event, so many of them would take hours. */
static int on_read(void *context, unsigned char *bytes, size_t size, size_t *n)
{
    struct reader *reader = context;
    const yaml_parser_t *parser = &reader->parser;

    reader->has_tags = parser->tag_directives.top - parser->tag_directives.start > DIRECTIVES_MAX;
    reader->cancelled = cancel_asked(&reader->context->cancel);
    if (reader->has_tags || reader->cancelled)
        return 0;
    reader->file_refused = file_read(reader->file, bytes, size, n) != 0;
    return !reader->file_refused;
}

/* The place of a byte: where libyaml cannot read, it gives an offset alone. So the bytes before it
 * are read once more. */
static struct place offset_place(const struct reader *reader, size_t offset)
{
    struct place place = {reader->name, 1, 1};
    char bytes[AGAIN_SIZE];
    size_t n = 1;

    file_rewind(reader->file);
    file_skip_mark(reader->file);
    while (offset && n && file_read(reader->file, bytes, sizeof(bytes), &n) == 0) {
        for (size_t i = 0; i < n && offset; i++, offset--) {
            if (bytes[i] == '\n') {
                place.line++;
                place.column = 1;
            } else if ((bytes[i] & 0xc0) != 0x80) {
                place.column++;
            }
        }
    }
    return place;
}

static void report_directive(const struct reader *reader, yaml_mark_t mark)
{
    diagnostics_error(reader->context->diagnostics, mark_place(reader, mark),
                      "found a %%TAG directive, expected none");
}

static void report_reader_error(const struct reader *reader)
{
    struct diagnostics *diagnostics = reader->context->diagnostics;
    const yaml_parser_t *parser = &reader->parser;
    struct place place;

    if (reader->has_tags) {
        report_directive(reader, parser->mark);
        return;
    }

    if (reader->file_refused) {
        file_report(reader->file, reader->name, (struct place){0}, diagnostics);
        return;
    }
    place = offset_place(reader, parser->problem_offset);
    if (strstr(parser->problem, "control characters"))
        diagnostics_error(diagnostics, place,
                          "found control character U+%04X, expected printable text",
                          (unsigned int)parser->problem_value);
    else
        diagnostics_error(diagnostics, place, "found invalid UTF-8, expected UTF-8 text");
}

/* Mistakes that are often made, by what libyaml says of them. */
static const struct mistake {
    const char *context, *problem; /* NULL: any */
    bool at_context;               /* the place is where the value begins, not where libyaml is */
    const char *text;
} mistakes[] = {
    {"while scanning an alias", NULL, true,
     "a value that begins with * needs quotes: '*.example.net'"},
    {"while scanning an anchor", NULL, true, "a value that begins with & needs quotes"},
    {"while scanning a quoted scalar", "found unexpected end of stream", true,
     "found a quote without an end"},
    {"while scanning a simple key", "could not find expected ':'", true,
     "found a line without a key, expected a key, a colon and a space"},
    {NULL, "found character that cannot start any token", false,
     "a value cannot begin with this character: put it in quotes, or replace a tab by spaces"},
    {NULL, "found a tab character that violates indentation", false,
     "found a tab, expected spaces"},
    {NULL, "did not find expected '-' indicator", false,
     "the line does not begin in the column of those above it"},
    {NULL, "did not find expected key", false,
     "the line does not begin in the column of those above it"},
    {NULL, "mapping values are not allowed in this context", false,
     "found a key within a value: begin it in the column of the keys above, or put a value with a "
     "colon and a space in quotes"},
    {"while parsing a flow node", "did not find expected node content", false,
     "expected a value within [ ] or { }; an address such as '[::1]:8054' needs quotes"},
    {NULL, NULL, false, NULL}, /* all others */
};

static bool is_same(const char *known, const char *said)
{
    return !known || (said && strcmp(known, said) == 0);
}

static void report_syntax(const struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    struct diagnostics *diagnostics = reader->context->diagnostics;
    const struct mistake *mistake = mistakes;
    struct place place;

    while (!is_same(mistake->context, parser->context) ||
           !is_same(mistake->problem, parser->problem))
        mistake++;
    place = mark_place(reader, mistake->at_context ? parser->context_mark : parser->problem_mark);
    if (mistake->text)
        diagnostics_error(diagnostics, place, "%s", mistake->text);
    else
        diagnostics_error(diagnostics, place, "found a syntax error (%s), expected valid YAML",
                          parser->problem);
}

/* Reports why libyaml stopped. */
static int report_parser_error(const struct reader *reader)
{
    if (reader->parser.error == YAML_MEMORY_ERROR)
        return -ENOMEM;
    if (reader->cancelled)
        return -ECANCELED;
    if (reader->parser.error == YAML_READER_ERROR)
        report_reader_error(reader);
    else
        report_syntax(reader);
    return REPORTED;
}

/* Goes on to the next event. */
static int next_event(struct reader *reader)
{
    yaml_event_delete(&reader->event);
    if (!yaml_parser_parse(&reader->parser, &reader->event))
        return report_parser_error(reader);
    return 0;
}

static void report_properties(const struct reader *reader, const yaml_char_t *anchor,
                              const yaml_char_t *tag)
{
    if (anchor)
        EVENT_ERROR(reader,
                    "found anchor %s, expected none: a value that begins with & needs quotes",
                    quote_text(text_from((const char *)anchor)).text);
    if (tag)
        EVENT_ERROR(reader, "found tag %s, expected none: a value that begins with ! needs quotes",
                    quote_text(text_from((const char *)tag)).text);
}

/* Reads a scalar; one with a NUL byte is reported and has no value. */
static int read_scalar(const struct reader *reader, struct node *node)
{
    const yaml_event_t *event = &reader->event;
    struct text text = text_of((const char *)event->data.scalar.value, event->data.scalar.length);
    int r;

    report_properties(reader, event->data.scalar.anchor, event->data.scalar.tag);
    if (memchr(text.data, '\0', text.length)) {
        EVENT_ERROR(reader, "%s contains a NUL byte", quote_text(text).text);
        return 0;
    }
    r = arena_copy_text(reader->context->arena, text, &text);
    if (r)
        return r;
    node->kind = NODE_SCALAR;
    node->text = text.data;
    node->length = (uint32_t)text.length;
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    return 0;
}

static int read_node(struct reader *reader, size_t depth, struct node **out);

/* Finds a key that stands in a mapping. */
static const struct node *find_key(const struct node *mapping, struct text key)
{
    for (const struct node *node = node_first(mapping); node; node = node->next->next)
        if (text_equals(node_text(node), key))
            return node;
    return NULL;
}

/* Reports a key that cannot be used. Returns whether it can. */
static bool check_key(const struct reader *reader, const struct node *mapping,
                      const struct node *key)
{
    const struct node *first;

    if (key->kind == NODE_INVALID)
        return false;
    if (key->kind != NODE_SCALAR) {
        NODE_ERROR(reader->context, key, "found %s as a key, expected a word",
                   node_describe(key).text);
        return false;
    }
    if (mapping->length >= NODE_KEYS_MAX) {
        NODE_ERROR(reader->context, key, "more than %d keys in one mapping", NODE_KEYS_MAX);
        return false;
    }
    first = find_key(mapping, node_text(key));
    if (first)
        NODE_ERROR(reader->context, key, "key %s is set already in line %u",
                   quote_text(node_text(key)).text, first->line);
    return !first;
}

/* Reads an item, and puts it at the end of a sequence. */
static int read_item(struct reader *reader, size_t depth, struct node *sequence, struct node ***end)
{
    int r = read_node(reader, depth + 1, *end);

    if (r)
        return r;
    *end = &(**end)->next;
    sequence->length++;
    return 0;
}

/* Reads a key and its value, and puts them at the end of a mapping if the key can be used. */
static int read_pair(struct reader *reader, size_t depth, struct node *mapping, struct node ***end)
{
    struct node *key, *value;
    bool usable;
    int r = read_node(reader, depth + 1, &key);

    if (r)
        return r;
    usable = check_key(reader, mapping, key);
    r = next_event(reader);
    if (r == 0)
        r = read_node(reader, depth + 1, &value);
    if (r || !usable)
        return r;
    **end = key;
    key->next = value;
    *end = &value->next;
    mapping->length++;
    return 0;
}

static int read_collection(struct reader *reader, size_t depth, enum node_kind kind,
                           struct node *collection)
{
    struct node **end = &collection->first;
    int r;

    /* libyaml's time grows with the square of the depth, so nothing further is read. */
    if (depth > NODE_DEPTH_MAX) {
        EVENT_ERROR(reader, "lists and mappings are nested deeper than %d", NODE_DEPTH_MAX);
        return REPORTED;
    }
    collection->kind = (uint8_t)kind;
    while ((r = next_event(reader)) == 0 && reader->event.type != YAML_SEQUENCE_END_EVENT &&
           reader->event.type != YAML_MAPPING_END_EVENT) {
        r = kind == NODE_SEQUENCE ? read_item(reader, depth, collection, &end)
                                  : read_pair(reader, depth, collection, &end);
        if (r)
            return r;
    }
    return r;
}

static int read_value(struct reader *reader, size_t depth, struct node *node)
{
    switch (reader->event.type) {
    case YAML_SCALAR_EVENT:
        return read_scalar(reader, node);
    case YAML_SEQUENCE_START_EVENT:
        report_properties(reader, reader->event.data.sequence_start.anchor,
                          reader->event.data.sequence_start.tag);
        return read_collection(reader, depth, NODE_SEQUENCE, node);
    case YAML_MAPPING_START_EVENT:
        report_properties(reader, reader->event.data.mapping_start.anchor,
                          reader->event.data.mapping_start.tag);
        return read_collection(reader, depth, NODE_MAPPING, node);
    default:
        EVENT_ERROR(reader,
                    "found alias %s, expected none: a value that begins with * needs quotes",
                    quote_text(text_from((const char *)reader->event.data.alias.anchor)).text);
        return 0;
    }
}

/* Reads the node that begins with the event, which is the node's last one afterwards. */
static int read_node(struct reader *reader, size_t depth, struct node **out)
{
    struct arena *arena = reader->context->arena;
    struct node *node = arena_alloc(arena, sizeof(*node));
    int r;

    if (!node)
        return -ENOMEM;
    if (arena->total >> 20 >= NODE_MEMORY_MAX) {
        EVENT_ERROR(reader, "this file takes more than %d MiB of memory", NODE_MEMORY_MAX);
        return REPORTED;
    }
    node->line = (uint32_t)reader->event.start_mark.line + 1;
    node->column = (uint32_t)reader->event.start_mark.column + 1;
    node->source = reader->source;
    node->kind = NODE_INVALID;
    r = read_value(reader, depth, node);
    if (r)
        return r;
    *out = node;
    return 0;
}

static int report_empty(const struct reader *reader)
{
    diagnostics_error(reader->context->diagnostics, (struct place){.file = reader->name},
                      "the file is empty, expected a mapping");
    return REPORTED;
}

/* Reads the one document of a file. */
static int read_document(struct reader *reader, struct node **out)
{
    struct node *root;
    int r = next_event(reader); /* the start of the stream */

    if (r == 0)
        r = next_event(reader); /* the start of the document */
    if (r)
        return r;
    if (reader->event.type == YAML_STREAM_END_EVENT)
        return report_empty(reader);
    if (reader->event.data.document_start.tag_directives.start)
        report_directive(reader, reader->event.start_mark);
    r = next_event(reader);
    if (r == 0)
        r = read_node(reader, 1, &root);
    if (r == 0)
        r = next_event(reader); /* the end of the document */
    if (r == 0)
        r = next_event(reader);
    if (r)
        return r;
    if (reader->event.type != YAML_STREAM_END_EVENT)
        EVENT_ERROR(reader, "found a second document, expected one");
    if (node_is_null(root))
        return report_empty(reader);
    *out = root;
    return 0;
}

int node_read(const struct load_context *context, struct file *file, uint16_t source,
              struct node **root)
{
    struct reader reader = {.context = context,
                            .file = file,
                            .source = source,
                            .name = sources_name(context->sources, source)};
    int r;

    if (!yaml_parser_initialize(&reader.parser))
        return -ENOMEM;
    file_skip_mark(file);
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input(&reader.parser, on_read, &reader);
    r = read_document(&reader, root);
    yaml_event_delete(&reader.event);
    yaml_parser_delete(&reader.parser);
    return r;
}

const struct node *node_first(const struct node *node)
{
    return node->kind == NODE_SEQUENCE || node->kind == NODE_MAPPING ? node->first : NULL;
}

const struct node *node_find(const struct node *mapping, const char *key)
{
    const struct node *found = find_key(mapping, text_from(key));

    return found ? found->next : NULL;
}

struct text node_text(const struct node *node)
{
    return text_of(node->text, node->length);
}

bool node_is_null(const struct node *node)
{
    static const struct text nothing[] = {{"", 0}, {"~", 1}, {"null", 4}, {"Null", 4}, {"NULL", 4}};

    if (node->kind != NODE_SCALAR || !node->plain)
        return false;
    for (size_t i = 0; i < ARRAY_LENGTH(nothing); i++)
        if (text_equals(node_text(node), nothing[i]))
            return true;
    return false;
}

struct quoted node_describe(const struct node *node)
{
    if (node->kind == NODE_SEQUENCE)
        return (struct quoted){"a list"};
    if (node->kind == NODE_MAPPING)
        return (struct quoted){"a mapping"};
    if (node_is_null(node))
        return (struct quoted){"nothing"};
    return quote_text(node_text(node));
}

struct place node_place(const struct node *node, const struct sources *sources)
{
    return (struct place){
        .file = sources_name(sources, node->source),
        .line = node->line,
        .column = node->column,
    };
}

uint64_t node_pack_place(const struct node *node)
{
    return source_pack(node->source, node->line, node->column);
}
