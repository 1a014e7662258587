#include "base/buffer.h"
#include "cmocka_all.h"
#include "config/node.h"
#include "open_text.h"

#include <errno.h>

/* A parse of one text and what came of it. */
struct parse {
    struct sources sources;
    struct arena arena;
    struct diagnostics diagnostics;
    struct node *root;
    int result;
};

static void parse_init(struct parse *parse, struct text text)
{
    CLEANUP(file_deinit) struct file file = FILE_INIT;
    const struct load_context context = {&parse->arena, &parse->sources, &parse->diagnostics, {0}};
    uint16_t number;

    *parse = (struct parse){0};
    assert_int_equal(sources_add(&parse->sources, "f", &(struct source_origin){0}, &number), 0);
    open_text(text, &file);
    parse->result = node_read(&context, &file, number, &parse->root);
}

static void parse_deinit(struct parse *parse)
{
    sources_deinit(&parse->sources);
    arena_deinit(&parse->arena);
    diagnostics_deinit(&parse->diagnostics);
}

/* Writes a tree on one line: every node as line:column and its value. */
static void write_tree(const struct node *node, struct buffer *out)
{
    const char *brackets = node->kind == NODE_SEQUENCE ? "[]" : "{}";

    buffer_printf(out, "%u:%u", node->line, node->column);
    if (node->kind == NODE_SCALAR) {
        buffer_printf(out, node->plain ? "%s" : "'%s'", node->text);
    } else if (node->kind == NODE_INVALID) {
        buffer_add_string(out, "bad");
    } else {
        buffer_printf(out, "%c%u", brackets[0], node->length);
        for (const struct node *child = node->first; child; child = child->next) {
            buffer_add_string(out, " ");
            write_tree(child, out);
        }
        buffer_printf(out, "%c", brackets[1]);
    }
}

static void assert_tree(struct text text, const char *expected)
{
    CLEANUP(parse_deinit) struct parse parse;
    CLEANUP(buffer_deinit) struct buffer tree = BUFFER_INIT;

    parse_init(&parse, text);
    assert_int_equal(parse.result, 0);
    assert_int_equal(parse.diagnostics.total[SEVERITY_ERROR], 0);
    write_tree(parse.root, &tree);
    assert_string_equal(buffer_string(&tree), expected);
}

/* The text is refused with exactly this one error. */
static void assert_error(struct text text, int result, const char *expected)
{
    CLEANUP(parse_deinit) struct parse parse;
    const struct diagnostic *found;
    char line[256];

    parse_init(&parse, text);
    assert_int_equal(parse.result, result);
    assert_int_equal(parse.diagnostics.total[SEVERITY_ERROR], 1);
    found = parse.diagnostics.kept[SEVERITY_ERROR];
    snprintf(line, sizeof(line), "%s%s", found->place, found->text);
    assert_string_equal(line, expected);
}

static void nodes_know_their_place(void **state)
{
    (void)state;
    assert_tree(TEXT("a: 1\nb:\n  - x\n  - {c: \"y\"}\n"),
                "1:1{2 1:1a 1:41 2:1b 3:3[2 3:5x 4:5{1 4:6c 4:9'y'}]}");
    assert_tree(TEXT("[ü, b]"), "1:1[2 1:2ü 1:5b]");
    assert_tree(TEXT("\xef\xbb\xbf"
                     "a: b"),
                "1:1{1 1:1a 1:4b}");
    assert_tree(TEXT("a: b\r\nc: d\r\n"), "1:1{2 1:1a 1:4b 2:1c 2:4d}");
}

static void scalars_keep_their_text_and_whether_they_are_plain(void **state)
{
    (void)state;
    assert_tree(TEXT("[no, '', \"a\\tb\", 'it''s']"), "1:1[4 1:2no 1:6'' 1:10'a\tb' 1:18'it's']");
    assert_tree(TEXT("- |\n  a\n  b\n- >\n  c\n"), "1:1[2 1:3'a\nb\n' 4:3'c\n']");
    assert_tree(TEXT("[a: ]"), "1:1[1 1:2{1 1:2a 1:5}]");
}

static void sixteen_collections_nest_and_no_more(void **state)
{
    (void)state;
    assert_tree(TEXT("[[[[[[[[[[[[[[[[x]]]]]]]]]]]]]]]]"),
                "1:1[1 1:2[1 1:3[1 1:4[1 1:5[1 1:6[1 1:7[1 1:8[1 1:9[1 1:10[1 1:11[1 1:12[1 "
                "1:13[1 1:14[1 1:15[1 1:16[1 1:17x]]]]]]]]]]]]]]]]");
    assert_error(TEXT("[[[[[[[[[[[[[[[[[x]]]]]]]]]]]]]]]]]"), REPORTED,
                 "f:1:17: lists and mappings are nested deeper than 16");
    assert_error(TEXT("[[[[[[[[[[[[[[[[{a: [{b: c}]}]]]]]]]]]]]]]]]]"), REPORTED,
                 "f:1:17: lists and mappings are nested deeper than 16");
}

/* To the end, libyaml would need many seconds for this, and would then miss the brackets. */
static void reading_ends_where_nesting_is_too_deep(void **state)
{
    CLEANUP(buffer_deinit) struct buffer bytes = BUFFER_INIT;

    (void)state;
    for (size_t i = 0; i < 100000; i++)
        buffer_add_string(&bytes, "[");
    assert_false(bytes.failed);
    assert_error(buffer_text(&bytes), REPORTED,
                 "f:1:17: lists and mappings are nested deeper than 16");
}

static void a_directive_may_tell_the_version_and_nothing_else(void **state)
{
    (void)state;
    assert_tree(TEXT("%YAML 1.1\n---\na: b\n"), "3:1{1 3:1a 3:4b}");
    assert_tree(TEXT("# c\n%YAML 1.2\n---\na: b\n"), "4:1{1 4:1a 4:4b}");
    assert_error(TEXT("# c\n%TAG !t! tag:t,2000:\n---\na: b\n"), 0,
                 "f:2:1: found a %TAG directive, expected none");
    assert_error(TEXT("%YAML 1.1\n%YAML 1.1\n---\na: b\n"), REPORTED,
                 "f:2:1: found a syntax error (found duplicate %YAML directive), expected valid "
                 "YAML");
}

/* To the end, libyaml would need minutes for each of these. */
static void reading_ends_where_there_are_many_directives(void **state)
{
    static const char *const starts[] = {"", "a: b\n...\n"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(starts); i++) {
        CLEANUP(buffer_deinit) struct buffer bytes = BUFFER_INIT;
        CLEANUP(parse_deinit) struct parse parse;

        buffer_add_string(&bytes, starts[i]);
        for (unsigned int directive = 0; directive < 200000; directive++)
            buffer_printf(&bytes, "%%TAG !t%u! t:\n", directive);
        buffer_add_string(&bytes, "---\na: b\n");
        parse_init(&parse, buffer_text(&bytes));
        assert_int_equal(parse.result, REPORTED);
        assert_int_equal(parse.diagnostics.total[SEVERITY_ERROR], 1);
        assert_string_equal(parse.diagnostics.kept[SEVERITY_ERROR][0].text,
                            "found a %TAG directive, expected none");
    }
}

static void reading_goes_on_after_what_is_refused(void **state)
{
    CLEANUP(parse_deinit) struct parse parse;
    CLEANUP(buffer_deinit) struct buffer tree = BUFFER_INIT;

    (void)state;
    parse_init(&parse, TEXT("a: &x 1\nb: *x\na: 2\n[k]: 3\nc: !t 4\nd: \"\\0\"\ne: 5\n"));
    assert_int_equal(parse.result, 0);
    assert_int_equal(parse.diagnostics.total[SEVERITY_ERROR], 6);
    write_tree(parse.root, &tree);
    assert_string_equal(buffer_string(&tree),
                        "1:1{5 1:1a 1:41 2:1b 2:4bad 5:1c 5:44 6:1d 6:4bad 7:1e 7:45}");
}

static void an_empty_document_has_its_own_message(void **state)
{
    static const struct text texts[] = {{"", 0},      {"\n", 1},   {"# c", 3},       {"---", 3},
                                        {"--- ~", 5}, {"null", 4}, {"---\n...\n", 8}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
        assert_error(texts[i], REPORTED, "f: the file is empty, expected a mapping");
    assert_tree(TEXT("{}"), "1:1{0}");
    assert_tree(TEXT("''"), "1:1''");
}

static void what_is_no_text_is_refused_with_its_place(void **state)
{
    (void)state;
    assert_error(TEXT("a: b\nc: \xff"), REPORTED,
                 "f:2:4: found invalid UTF-8, expected UTF-8 text");
    assert_error(TEXT("ü: \xc3"), REPORTED, "f:1:4: found invalid UTF-8, expected UTF-8 text");
    assert_error(TEXT("a: b\0c"), REPORTED,
                 "f:1:5: found control character U+0000, expected printable text");
    assert_error(TEXT("a: \xef\xbf\xbf"), REPORTED,
                 "f:1:4: found control character U+FFFF, expected printable text");
    assert_error(TEXT("\xff\xfe"
                      "a\0"),
                 REPORTED, "f:1:1: found invalid UTF-8, expected UTF-8 text");
}

static void errors_of_the_parser_name_their_place(void **state)
{
    (void)state;
    assert_error(TEXT("a: b\nc: [d\n"), REPORTED,
                 "f:3:1: found a syntax error (did not find expected ',' or ']'), expected valid "
                 "YAML");
    assert_error(
        TEXT("a: b: c\n"), REPORTED,
        "f:1:5: found a key within a value: begin it in the column of the keys above, or put "
        "a value with a colon and a space in quotes");
}

static void mistakes_that_are_often_made_are_told_in_plain_words(void **state)
{
    static const struct {
        const char *text, *error;
    } rows[] = {
        {"mx: *.mx.example.net\n",
         "f:1:5: a value that begins with * needs quotes: '*.example.net'"},
        {"mx:\n  - *.x\n", "f:2:5: a value that begins with * needs quotes: '*.example.net'"},
        {"mx: [*mx.example.net, b]\n",
         "f:1:6: a value that begins with * needs quotes: '*.example.net'"},
        {"a: &.\n", "f:1:4: a value that begins with & needs quotes"},
        {"a:\n  b: \"c\n  d: e\n", "f:2:6: found a quote without an end"},
        {"a: b\nmx:a.example\nmode: none\n",
         "f:2:1: found a line without a key, expected a key, a colon and a space"},
        {"a: @b\n", "f:1:4: a value cannot begin with this character: put it in quotes, "
                    "or replace a tab by spaces"},
        {"a:\n\tb: c\n", "f:2:1: a value cannot begin with this character: put it in "
                         "quotes, or replace a tab by spaces"},
        {"a:\n  - b: c\n\td: e\n", "f:3:1: found a tab, expected spaces"},
        {"a:\n  - b: c\n   d: e\n",
         "f:3:4: the line does not begin in the column of those above it"},
        {"a: [::1]:8054\n", "f:1:5: expected a value within [ ] or { }; an address such "
                            "as '[::1]:8054' needs quotes"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        assert_error(text_from(rows[i].text), REPORTED, rows[i].error);
}

static void keys_are_found_by_their_text(void **state)
{
    CLEANUP(parse_deinit) struct parse parse;

    (void)state;
    parse_init(&parse, TEXT("{a: 1, ab: 2, b: {a: 3}}"));
    assert_string_equal(node_find(parse.root, "a")->text, "1");
    assert_string_equal(node_find(parse.root, "ab")->text, "2");
    assert_string_equal(node_find(node_find(parse.root, "b"), "a")->text, "3");
    assert_null(node_find(parse.root, "c"));
    assert_null(node_find(parse.root, ""));
}

static void only_unquoted_nothing_is_nothing(void **state)
{
    CLEANUP(parse_deinit) struct parse parse;

    (void)state;
    parse_init(&parse, TEXT("[~, null, Null, NULL, '', 'null', nULL, none]"));
    for (const struct node *node = parse.root->first; node; node = node->next)
        assert_int_equal(node_is_null(node), node->column < 23);
    assert_false(node_is_null(parse.root));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_know_their_place),
        cmocka_unit_test(scalars_keep_their_text_and_whether_they_are_plain),
        cmocka_unit_test(sixteen_collections_nest_and_no_more),
        cmocka_unit_test(reading_ends_where_nesting_is_too_deep),
        cmocka_unit_test(a_directive_may_tell_the_version_and_nothing_else),
        cmocka_unit_test(reading_ends_where_there_are_many_directives),
        cmocka_unit_test(reading_goes_on_after_what_is_refused),
        cmocka_unit_test(an_empty_document_has_its_own_message),
        cmocka_unit_test(what_is_no_text_is_refused_with_its_place),
        cmocka_unit_test(errors_of_the_parser_name_their_place),
        cmocka_unit_test(mistakes_that_are_often_made_are_told_in_plain_words),
        cmocka_unit_test(keys_are_found_by_their_text),
        cmocka_unit_test(only_unquoted_nothing_is_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
