#include "cmocka_all.h"
#include "fixture.h"
#include "remote_unix.h"

static const char CONVERSATION[] =
    "{\"method\":\"initialize\",\"parameters\":{\"path\":\"/run/pdns.sock\"}}\n"
    "{\"method\": \"lookup\", \"parameters\": {\"qname\": \"mta-sts.only-rua.example.\", "
    "\"qtype\": \"ANY\", \"zone-id\": 1}}\n"
    "nonsense\n"
    "{\"method\":\"lookup\",\"parameters\":{\"qname\":\"_tls.full.example.\",\"qtype\":\"ANY\"}}\n";

static const char REPLIES[] = "{\"result\":true}\n"
                              "{\"result\":false}\n"
                              "{\"error\":\"expected a JSON object\"}\n"
                              "{\"result\":[{\"qtype\":\"ENT\",\"qname\":\"_tls.full.example\","
                              "\"content\":\"\",\"ttl\":3600}]}\n";

/* A connection of the protocol without a socket. */
struct connection {
    struct snapshot *snapshot;
    struct remote_unix remote;
    void *state;
    struct buffer replies;
};

static int set_up(void **state)
{
    struct connection *connection = calloc(1, sizeof(*connection));

    assert_non_null(connection);
    connection->snapshot = fixture_snapshot();
    connection->remote.snapshot = &connection->snapshot;
    connection->state = calloc(1, remote_unix_protocol.state_size);
    assert_non_null(connection->state);
    remote_unix_protocol.begin(connection->state, &connection->remote);
    *state = connection;
    return 0;
}

static int tear_down(void **state)
{
    struct connection *connection = *state;

    remote_unix_protocol.end(connection->state);
    free(connection->state);
    buffer_deinit(&connection->replies);
    snapshot_unref(connection->snapshot);
    free(connection);
    return 0;
}

static struct stream_verdict read_text(struct connection *connection, struct text text)
{
    return remote_unix_protocol.read(connection->state, text, &connection->replies);
}

static void assert_replies(struct connection *connection, const char *expected)
{
    buffer_add(&connection->replies, "", 1);
    assert_string_equal(connection->replies.data, expected);
    buffer_clear(&connection->replies);
}

static void several_requests_in_one_read_are_answered_in_their_order(void **state)
{
    assert_false(read_text(*state, text_from(CONVERSATION)).close);
    assert_replies(*state, REPLIES);
}

static void a_request_may_come_in_any_two_pieces(void **state)
{
    struct text all = text_from(CONVERSATION);

    for (size_t split = 0; split <= all.length; split++) {
        assert_false(read_text(*state, (struct text){all.data, split}).close);
        assert_false(read_text(*state, text_after(all, split)).close);
        assert_replies(*state, REPLIES);
    }
}

static void a_request_may_come_byte_by_byte(void **state)
{
    struct text all = text_from(CONVERSATION);

    for (size_t i = 0; i < all.length; i++)
        assert_false(read_text(*state, (struct text){all.data + i, 1}).close);
    assert_replies(*state, REPLIES);
}

static void a_request_of_64_kib_is_the_longest(void **state)
{
    CLEANUP(buffer_deinit) struct buffer request = BUFFER_INIT;
    struct stream_verdict verdict;

    buffer_printf(&request, "{\"method\":\"getAllDomains\"%*s}", REMOTE_UNIX_REQUEST_MAX - 26, "");
    assert_int_equal(request.length, REMOTE_UNIX_REQUEST_MAX);
    assert_false(read_text(*state, (struct text){request.data, 1000}).close);
    assert_false(
        read_text(*state, (struct text){request.data + 1000, request.length - 1000}).close);
    verdict = read_text(*state, TEXT("\n"));
    assert_false(verdict.close);
    assert_replies(*state, "{\"result\":[]}\n");

    assert_false(read_text(*state, (struct text){request.data, request.length}).close);
    verdict = read_text(*state, TEXT(" "));
    assert_true(verdict.close && verdict.unread);
    assert_replies(*state, "{\"error\":\"expected at most 65536 bytes\"}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)
        TEST(several_requests_in_one_read_are_answered_in_their_order),
        TEST(a_request_may_come_in_any_two_pieces),
        TEST(a_request_may_come_byte_by_byte),
        TEST(a_request_of_64_kib_is_the_longest),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
