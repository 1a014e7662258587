#include "base/buffer.h"
#include "cases.h"
#include "cmocka_all.h"
#include "net/http_head.h"

static const char *const verbs[] = {"OTHER", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};

/* Writes a head as the table has it. */
static void describe(const struct http_head *head, struct buffer *out)
{
    buffer_printf(out, "%s ", verbs[head->verb]);
    buffer_add_text(out, head->target);
    if (head->host.length || head->is_1_0)
        buffer_add_string(out, " ");
    buffer_add_text(out, head->host);
    if (head->n_hosts > 1)
        buffer_printf(out, " %zu-hosts", head->n_hosts);
    if (head->is_1_0)
        buffer_add_string(out, " 1.0");
    if (!head->keepalive)
        buffer_add_string(out, " closed");
    if (head->is_chunked)
        buffer_add_string(out, " chunked");
    if (head->body_length)
        buffer_printf(out, " %ju-bytes", (uintmax_t)head->body_length);
    if (head->expects_continue)
        buffer_add_string(out, " continue");
}

static void run_head(const struct test_case *test_case)
{
    CLEANUP(buffer_deinit) struct buffer text = BUFFER_INIT, read = BUFFER_INIT;
    struct http_head head = {.n_hosts = 77};

    print_message("# line %zu\n", test_case->line);
    for (size_t i = 1; i < test_case->n_fields; i++) {
        buffer_add_text(&text, test_case->fields[i]);
        buffer_add_string(&text, "\r\n");
    }
    buffer_add_string(&text, "\r\n");
    if (http_head_read(buffer_text(&text), &head)) {
        describe(&head, &read);
    } else {
        assert_int_equal(head.n_hosts, 77);
        buffer_add_string(&read, "!");
    }
    assert_string_equal(buffer_string(&read), test_case->fields[0].data);
}

static void heads_are_read_or_refused(void **state)
{
    (void)state;
    cases_run("http/heads.cases", run_head);
}

/* No part of a sound head is one, up to its last byte. */
static void a_head_that_is_cut_short_is_refused(void **state)
{
    struct text text = TEXT("\r\nPOST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n");
    struct http_head head;

    (void)state;
    assert_true(http_head_read(text, &head));
    for (size_t n = 0; n < text.length; n++)
        assert_false(http_head_read(text_of(text.data, n), &head));
}

static void run_chunk(const struct test_case *test_case)
{
    struct text which = test_case->fields[0];
    bool sound = text_equals(test_case->fields[1], TEXT("sound"));

    print_message("# line %zu\n", test_case->line);
    assert_true(sound || text_equals(test_case->fields[1], TEXT("!")));
    assert_int_equal(http_chunk_is_sound(test_case->fields[2], text_equals(which, TEXT("first")),
                                         text_equals(which, TEXT("last"))),
                     sound);
}

static void what_precedes_a_chunk_is_sound_or_refused(void **state)
{
    (void)state;
    cases_run("http/chunks.cases", run_chunk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_are_read_or_refused),
        cmocka_unit_test(a_head_that_is_cut_short_is_refused),
        cmocka_unit_test(what_precedes_a_chunk_is_sound_or_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
