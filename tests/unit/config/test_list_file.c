#include "base/buffer.h"
#include "cmocka_all.h"
#include "config/list_file.h"
#include "open_text.h"
#include "temporary.h"

#include <stdio.h>

static const struct cancel never;

/* Writes a file of these bytes and reads it as a list: "line:column=word" or "line:column!fault",
 * separated by spaces. */
static void read_list(struct text bytes, struct buffer *out)
{
    static const char *const faults[] = {
        [LIST_LINE_TOO_LONG] = "long", [LIST_NUL_BYTE] = "nul", [LIST_SEVERAL_WORDS] = "several"};
    CLEANUP(file_deinit) struct file file = FILE_INIT;
    CLEANUP(list_file_free_pointer) struct list_file *list = NULL;
    struct list_entry entry;
    int r;

    open_text(bytes, &file);
    assert_int_equal(list_file_new(&file, &never, &list), 0);
    while ((r = list_file_next(list, &entry)) != LIST_END) {
        buffer_printf(out, "%s%u:%u", out->length ? " " : "", entry.line, entry.column);
        if (r == 0)
            buffer_printf(out, "=%.*s", (int)entry.word.length, entry.word.data);
        else
            buffer_printf(out, "!%s", faults[r]);
    }
    assert_int_equal(list_file_next(list, &entry), LIST_END);
}

static void assert_list(struct text bytes, const char *expected)
{
    CLEANUP(buffer_deinit) struct buffer found = BUFFER_INIT;

    read_list(bytes, &found);
    assert_string_equal(buffer_string(&found), expected);
}

static void lines_end_in_lf_crlf_or_with_the_file(void **state)
{
    (void)state;
    assert_list(TEXT(""), "");
    assert_list(TEXT("\n"), "");
    assert_list(TEXT("\r\n"), "");
    assert_list(TEXT("a"), "1:1=a");
    assert_list(TEXT("a\n"), "1:1=a");
    assert_list(TEXT("a\nb\r\nc"), "1:1=a 2:1=b 3:1=c");
    assert_list(TEXT("\n\r\na\r"), "3:1=a");
    assert_list(TEXT("a\rb\n"), "1:3!several");
}

static void white_space_around_a_word_does_not_count(void **state)
{
    (void)state;
    assert_list(TEXT(" \t a\t \n  \n\tb"), "1:4=a 3:2=b");
}

static void comments_begin_a_line_or_follow_white_space(void **state)
{
    (void)state;
    assert_list(TEXT("# a\n  #b\na # b c\nb\t#\nc#d\n#"), "3:1=a 4:1=b 5:1=c#d");
}

static void several_words_are_a_fault_at_the_second(void **state)
{
    (void)state;
    assert_list(TEXT("a b\nc\n d  e f # g\n"), "1:3!several 2:1=c 3:5!several");
}

/* A line of N characters. */
static void add_line(struct buffer *bytes, char character, size_t n, const char *end)
{
    memset(buffer_reserve(bytes, n), character, n);
    bytes->length += n;
    buffer_add_string(bytes, end);
}

static bool is_cut(struct text bytes)
{
    CLEANUP(file_deinit) struct file file = FILE_INIT;
    CLEANUP(list_file_free_pointer) struct list_file *list = NULL;
    struct list_entry entry;

    open_text(bytes, &file);
    assert_int_equal(list_file_new(&file, &never, &list), 0);
    while (list_file_next(list, &entry) != LIST_END)
        ;
    return list_file_is_cut(list);
}

static void a_last_line_without_its_end_is_told(void **state)
{
    static const size_t lengths[] = {LIST_LINE_MAX + 1, LIST_LINE_MAX + 2, 65536, 65537, 300000};

    (void)state;
    assert_false(is_cut(TEXT("")));
    assert_false(is_cut(TEXT("a\n")));
    assert_false(is_cut(TEXT("a\r\n")));
    assert_true(is_cut(TEXT("a")));
    assert_true(is_cut(TEXT("a\nb\r")));
    assert_true(is_cut(TEXT("a\n# b")));
    assert_true(is_cut(TEXT("a\n ")));
    for (size_t i = 0; i < ARRAY_LENGTH(lengths); i++) {
        CLEANUP(buffer_deinit) struct buffer bytes = BUFFER_INIT;

        add_line(&bytes, '#', lengths[i], "");
        assert_true(is_cut(buffer_text(&bytes)));
        buffer_add_string(&bytes, "\n");
        assert_false(is_cut(buffer_text(&bytes)));
    }
}

static void a_byte_order_mark_at_the_start_is_skipped(void **state)
{
    (void)state;
    assert_list(TEXT("\xef\xbb\xbf"), "");
    assert_list(TEXT("\xef\xbb\xbf"
                     "a\n"),
                "1:1=a");
    assert_list(TEXT("a\n\xef\xbb\xbf"
                     "b\n"),
                "1:1=a 2:1=\xef\xbb\xbf"
                "b");
}

static void a_nul_byte_is_a_fault_of_its_line_alone(void **state)
{
    (void)state;
    assert_list(TEXT("a\nb\0c\n# \0\nd\n\0"), "1:1=a 2:2!nul 3:3!nul 4:1=d 5:1!nul");
}

static void lines_of_the_limit_are_read_and_longer_ones_are_faults(void **state)
{
    static const char *const ends[] = {"\n", "\r\n", "", "\r"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(ends); i++) {
        CLEANUP(buffer_deinit) struct buffer bytes = BUFFER_INIT, found = BUFFER_INIT;

        add_line(&bytes, 'a', LIST_LINE_MAX + 1, "\n");
        add_line(&bytes, 'b', 1, "\n");
        add_line(&bytes, 'c', 200000, "\n");
        add_line(&bytes, 'd', LIST_LINE_MAX, ends[i]);
        read_list(buffer_text(&bytes), &found);
        assert_int_equal(found.length, strlen("1:1025!long 2:1=b 3:1025!long 4:1=") + 1024);
        assert_memory_equal(found.data, "1:1025!long 2:1=b 3:1025!long 4:1=ddd", 37);
    }
}

static void the_last_line_may_be_too_long(void **state)
{
    static const size_t lengths[] = {LIST_LINE_MAX + 1, LIST_LINE_MAX + 2, 65536, 65537, 300000};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(lengths); i++) {
        CLEANUP(buffer_deinit) struct buffer bytes = BUFFER_INIT;

        add_line(&bytes, '#', lengths[i], "");
        assert_list(buffer_text(&bytes), "1:1025!long");
    }
}

/* The reader's buffer ends somewhere in these lines, wherever that is. */
static void lines_are_whole_wherever_the_buffer_ends(void **state)
{
    (void)state;
    for (size_t shift = 0; shift < 40; shift++) {
        CLEANUP(buffer_deinit) struct buffer bytes = BUFFER_INIT, expected = BUFFER_INIT;

        add_line(&bytes, ' ', shift, "\r\n");
        for (unsigned int i = 2; i < 8000; i++) {
            buffer_printf(&bytes, "domain%u.example\r\n", i);
            buffer_printf(&expected, "%s%u:1=domain%u.example", i > 2 ? " " : "", i, i);
        }
        assert_list(buffer_text(&bytes), buffer_string(&expected));
    }
}

/* Only the file begins with a byte order mark, not what the buffer holds next. */
static void a_byte_order_mark_inside_a_file_belongs_to_its_word(void **state)
{
    CLEANUP(buffer_deinit) struct buffer bytes = BUFFER_INIT, expected = BUFFER_INIT;

    (void)state;
    buffer_add_string(&bytes, "0123456789");
    for (unsigned int i = 2; i < 40000; i++) {
        buffer_add_string(&bytes, "\n\xef\xbb\xbf");
        buffer_printf(&expected, " %u:1=\xef\xbb\xbf", i);
    }
    {
        CLEANUP(buffer_deinit) struct buffer found = BUFFER_INIT;

        read_list(buffer_text(&bytes), &found);
        assert_string_equal(buffer_string(&found) + strlen("1:1=0123456789"),
                            buffer_string(&expected));
    }
}

static void a_file_that_grows_beyond_its_limit_is_unreadable(void **state)
{
    CLEANUP(file_deinit) struct file file = FILE_INIT;
    CLEANUP(list_file_free_pointer) struct list_file *list = NULL;
    struct list_entry entry;

    (void)state;
    temporary_write("list", "");
    assert_int_equal(file_open(&file, "list", 2), 0);
    assert_int_equal(list_file_new(&file, &never, &list), 0);
    temporary_append("list", "a\nb\n");
    assert_int_equal(list_file_next(list, &entry), LIST_UNREADABLE);
}

#define TEST(FUNCTION) cmocka_unit_test_setup_teardown(FUNCTION, temporary_enter, temporary_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lines_end_in_lf_crlf_or_with_the_file),
        TEST(white_space_around_a_word_does_not_count),
        TEST(comments_begin_a_line_or_follow_white_space),
        TEST(several_words_are_a_fault_at_the_second),
        TEST(a_last_line_without_its_end_is_told),
        TEST(a_byte_order_mark_at_the_start_is_skipped),
        TEST(a_nul_byte_is_a_fault_of_its_line_alone),
        TEST(lines_of_the_limit_are_read_and_longer_ones_are_faults),
        TEST(the_last_line_may_be_too_long),
        TEST(lines_are_whole_wherever_the_buffer_ends),
        TEST(a_byte_order_mark_inside_a_file_belongs_to_its_word),
        TEST(a_file_that_grows_beyond_its_limit_is_unreadable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
