#include "config/node.h"
#include "config/file_report.h"

#include <errno.h>
#include <yaml.h>

enum {
    MARK_LENGTH = 3,   /* bytes of a byte order mark */
    AGAIN_SIZE = 4096, /* bytes at once, where the file is read again */
};

/* libyaml's parser and the event that it is at. */
struct reader {
    yaml_parser_t parser;
    yaml_event_t event;
    struct file *file; /* NULL: memory is read, the bytes below */
    bool file_refused; /* reading from it has failed */
    struct text bytes;
    uint16_t source;
    const struct sources *sources;
    struct arena *arena;
    struct diagnostics *diagnostics;
};

static struct place make_place(const struct reader *reader, size_t line, size_t column)
{
    return (struct place){
        .file = sources_name(reader->sources, reader->source),
        .line = (uint32_t)line,
        .column = (uint32_t)column,
    };
}

/* The place of the event; libyaml counts from 0. */
static struct place event_place(const struct reader *reader)
{
    yaml_mark_t mark = reader->event.start_mark;

    return make_place(reader, mark.line + 1, mark.column + 1);
}

/* A byte order mark may stand before UTF-8 text. */
static size_t mark_length(struct text bytes)
{
    bool marked = bytes.length >= MARK_LENGTH && memcmp(bytes.data, "\xef\xbb\xbf", 3) == 0;

    return marked ? MARK_LENGTH : 0;
}

/* Reads the next bytes of the file, without its mark. */
static int read_piece(struct file *file, char *bytes, size_t size, size_t *n)
{
    bool first = file->total == 0;
    size_t got, mark;
    int r = file_read(file, bytes, size, &got);

    if (r)
        return r;
    mark = first ? mark_length((struct text){.data = bytes, .length = got}) : 0;
    memmove(bytes, bytes + mark, got - mark);
    /* Nothing would mean the end. */
    if (mark && got == mark)
        return read_piece(file, bytes, size, n);
    *n = got - mark;
    return 0;
}

/* libyaml's way to get the next bytes. */
static int on_read(void *context, unsigned char *bytes, size_t size, size_t *n)
{
    struct reader *reader = context;

    reader->file_refused = read_piece(reader->file, (char *)bytes, size, n) != 0;
    return !reader->file_refused;
}

/* Moves a place behind some bytes. */
static void pass(struct place *place, struct text bytes)
{
    for (size_t i = 0; i < bytes.length; i++) {
        char c = bytes.data[i];

        if (c == '\n') {
            place->line++;
            place->column = 1;
        } else if ((c & 0xc0) != 0x80) {
            place->column++;
        }
    }
}

/* The same for the file's first bytes, which are read once more. */
static void pass_in_file(struct place *place, struct file *file, size_t length)
{
    char bytes[AGAIN_SIZE];
    size_t n = 1;

    file_rewind(file);
    while (length && n && read_piece(file, bytes, sizeof(bytes), &n) == 0) {
        n = n < length ? n : length;
        pass(place, (struct text){.data = bytes, .length = n});
        length -= n;
    }
}

/* The place of a byte: where libyaml cannot read, it gives an offset alone. */
static struct place offset_place(const struct reader *reader, size_t offset)
{
    struct place place = make_place(reader, 1, 1);

    if (reader->file)
        pass_in_file(&place, reader->file, offset);
    else
        pass(&place, (struct text){.data = reader->bytes.data, .length = offset});
    return place;
}

static void report_reader_error(const struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    struct place place;

    if (reader->file_refused) {
        file_report(reader->file, NULL, make_place(reader, 0, 0), reader->diagnostics);
        return;
    }
    place = offset_place(reader, parser->problem_offset);
    if (strstr(parser->problem, "control characters"))
        diagnostics_error(reader->diagnostics, place,
                          "found control character U+%04X, expected printable text",
                          (unsigned int)parser->problem_value);
    else
        diagnostics_error(reader->diagnostics, place, "found invalid UTF-8, expected UTF-8 text");
}

/* Reports why libyaml stopped. */
static int report_parser_error(const struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    yaml_mark_t mark = parser->problem_mark;

    if (parser->error == YAML_MEMORY_ERROR)
        return -ENOMEM;
    if (parser->error == YAML_READER_ERROR)
        report_reader_error(reader);
    else
        diagnostics_error(reader->diagnostics, make_place(reader, mark.line + 1, mark.column + 1),
                          "found a syntax error (%s), expected valid YAML", parser->problem);
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

static struct node *new_node(const struct reader *reader, enum node_kind kind)
{
    struct node *node = arena_alloc(reader->arena, sizeof(*node));

    if (!node)
        return NULL;
    node->line = (uint32_t)reader->event.start_mark.line + 1;
    node->column = (uint32_t)reader->event.start_mark.column + 1;
    node->source = reader->source;
    node->kind = (uint8_t)kind;
    return node;
}

static void report_properties(const struct reader *reader, const yaml_char_t *anchor,
                              const yaml_char_t *tag)
{
    if (anchor)
        diagnostics_error(reader->diagnostics, event_place(reader),
                          "found anchor %s, expected no anchors",
                          quote_text(text_from((const char *)anchor)).text);
    if (tag)
        diagnostics_error(reader->diagnostics, event_place(reader),
                          "found tag %s, expected no tags",
                          quote_text(text_from((const char *)tag)).text);
}

/* Makes a node of a scalar; one with a NUL byte is reported and has no value. */
static int read_scalar(const struct reader *reader, struct node **out)
{
    const yaml_event_t *event = &reader->event;
    struct text text = text_of((const char *)event->data.scalar.value, event->data.scalar.length);
    struct node *node = new_node(reader, NODE_SCALAR);
    int r;

    if (!node)
        return -ENOMEM;
    report_properties(reader, event->data.scalar.anchor, event->data.scalar.tag);
    if (memchr(text.data, '\0', text.length)) {
        diagnostics_error(reader->diagnostics, event_place(reader),
                          "found a NUL byte in %s, expected text without it",
                          quote_text(text).text);
        node->kind = NODE_INVALID;
    } else {
        r = arena_copy_text(reader->arena, text, &text);
        if (r)
            return r;
        node->text = text.data;
        node->length = (uint32_t)text.length;
        node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    }
    *out = node;
    return 0;
}

static int read_node(struct reader *reader, size_t depth, struct node **out);

static int read_sequence(struct reader *reader, size_t depth, struct node **out)
{
    struct node *sequence = new_node(reader, NODE_SEQUENCE), **end;
    int r;

    if (!sequence)
        return -ENOMEM;
    end = &sequence->first;
    while ((r = next_event(reader)) == 0 && reader->event.type != YAML_SEQUENCE_END_EVENT) {
        r = read_node(reader, depth + 1, end);
        if (r)
            return r;
        end = &(*end)->next;
        sequence->length++;
    }
    if (r)
        return r;
    *out = sequence;
    return 0;
}

/* Finds a key that stands in a mapping. */
static const struct node *find_key(const struct node *mapping, struct text key)
{
    for (const struct node *node = mapping->first; node; node = node->next->next)
        if (text_equals(node_text(node), key))
            return node;
    return NULL;
}

/* Reports a key that cannot be used. Returns whether it can. */
static bool check_key(const struct reader *reader, const struct node *mapping,
                      const struct node *key)
{
    struct place place = node_place(key, reader->sources);
    const struct node *first;

    if (key->kind == NODE_INVALID)
        return false;
    if (key->kind != NODE_SCALAR) {
        diagnostics_error(reader->diagnostics, place, "found %s as a key, expected a word",
                          node_describe(key).text);
        return false;
    }
    if (mapping->length >= NODE_KEYS_MAX) {
        diagnostics_error(reader->diagnostics, place,
                          "found more than %d keys in one mapping, expected fewer", NODE_KEYS_MAX);
        return false;
    }
    first = find_key(mapping, node_text(key));
    if (first)
        diagnostics_error(reader->diagnostics, place,
                          "found key %s again, first in line %u, expected each key once",
                          quote_text(node_text(key)).text, first->line);
    return !first;
}

/* Reads a key and its value and, if the key can be used, appends them to a mapping that ends at
 * END. */
static int read_pair(struct reader *reader, size_t depth, struct node *mapping, struct node ***end)
{
    struct node *key, *value;
    bool usable;
    int r = read_node(reader, depth + 1, &key);

    if (r)
        return r;
    usable = check_key(reader, mapping, key);
    r = next_event(reader);
    if (r)
        return r;
    r = read_node(reader, depth + 1, &value);
    if (r)
        return r;
    if (usable) {
        key->next = value;
        **end = key;
        *end = &value->next;
        mapping->length++;
    }
    return 0;
}

static int read_mapping(struct reader *reader, size_t depth, struct node **out)
{
    struct node *mapping = new_node(reader, NODE_MAPPING), **end;
    int r;

    if (!mapping)
        return -ENOMEM;
    end = &mapping->first;
    while ((r = next_event(reader)) == 0 && reader->event.type != YAML_MAPPING_END_EVENT) {
        r = read_pair(reader, depth, mapping, &end);
        if (r)
            return r;
    }
    if (r)
        return r;
    *out = mapping;
    return 0;
}

static int read_bad(struct reader *reader, struct node **out)
{
    struct node *node = new_node(reader, NODE_INVALID);

    if (!node)
        return -ENOMEM;
    *out = node;
    return 0;
}

/* Nothing behind it is read: libyaml's time grows with the square of the depth. */
static int refuse_too_deep(const struct reader *reader)
{
    diagnostics_error(reader->diagnostics, event_place(reader),
                      "found nesting deeper than %d, expected less", NODE_DEPTH_MAX);
    return REPORTED;
}

/* Reads the node that begins with the event, which is the node's last one afterwards. */
static int read_node(struct reader *reader, size_t depth, struct node **out)
{
    const yaml_event_t *event = &reader->event;

    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return read_scalar(reader, out);
    case YAML_SEQUENCE_START_EVENT:
        report_properties(reader, event->data.sequence_start.anchor,
                          event->data.sequence_start.tag);
        return depth > NODE_DEPTH_MAX ? refuse_too_deep(reader) : read_sequence(reader, depth, out);
    case YAML_MAPPING_START_EVENT:
        report_properties(reader, event->data.mapping_start.anchor, event->data.mapping_start.tag);
        return depth > NODE_DEPTH_MAX ? refuse_too_deep(reader) : read_mapping(reader, depth, out);
    default:
        diagnostics_error(reader->diagnostics, event_place(reader),
                          "found alias %s, expected no aliases",
                          quote_text(text_from((const char *)event->data.alias.anchor)).text);
        return read_bad(reader, out);
    }
}

static int report_empty(const struct reader *reader)
{
    diagnostics_error(reader->diagnostics, make_place(reader, 0, 0),
                      "found an empty document, expected a mapping");
    return REPORTED;
}

/* Reads the one document of a stream. */
static int read_stream(struct reader *reader, struct node **out)
{
    struct node *root = NULL;
    int r = next_event(reader); /* the start of the stream */

    if (!r)
        r = next_event(reader);
    if (r)
        return r;
    if (reader->event.type == YAML_STREAM_END_EVENT)
        return report_empty(reader);
    r = next_event(reader);
    if (!r)
        r = read_node(reader, 1, &root);
    if (!r)
        r = next_event(reader); /* the end of the document */
    if (!r)
        r = next_event(reader);
    if (r)
        return r;
    if (reader->event.type != YAML_STREAM_END_EVENT)
        diagnostics_error(reader->diagnostics, event_place(reader),
                          "found a second document, expected one");
    if (node_is_null(root))
        return report_empty(reader);
    *out = root;
    return 0;
}

/* Reads from the file or the memory that the reader was made for. */
static int parse(struct reader *reader, struct node **root)
{
    int r;

    if (!yaml_parser_initialize(&reader->parser))
        return -ENOMEM;
    yaml_parser_set_encoding(&reader->parser, YAML_UTF8_ENCODING);
    if (reader->file)
        yaml_parser_set_input(&reader->parser, on_read, reader);
    else
        yaml_parser_set_input_string(&reader->parser, (const unsigned char *)reader->bytes.data,
                                     reader->bytes.length);
    r = read_stream(reader, root);
    yaml_event_delete(&reader->event);
    yaml_parser_delete(&reader->parser);
    return r;
}

int node_parse(struct text bytes, uint16_t source, const struct sources *sources,
               struct arena *arena, struct diagnostics *diagnostics, struct node **root)
{
    struct reader reader = {
        .bytes = text_after(bytes, mark_length(bytes)),
        .source = source,
        .sources = sources,
        .arena = arena,
        .diagnostics = diagnostics,
    };

    return parse(&reader, root);
}

int node_load(struct file *file, uint16_t source, const struct sources *sources,
              struct arena *arena, struct diagnostics *diagnostics, struct node **root)
{
    struct reader reader = {
        .file = file,
        .source = source,
        .sources = sources,
        .arena = arena,
        .diagnostics = diagnostics,
    };

    return parse(&reader, root);
}

const struct node *node_find(const struct node *mapping, const char *key)
{
    const struct node *found = find_key(mapping, text_from(key));

    return found ? found->next : NULL;
}

struct text node_text(const struct node *node)
{
    return (struct text){.data = node->text, .length = node->length};
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
