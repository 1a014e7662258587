#include "cmocka_all.h"
#include "fixture.h"
#include "service/remote.h"

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
    struct remote remote;
    void *state;
    struct buffer replies;
};

static int set_up(void **state)
{
    struct connection *connection = calloc(1, sizeof(*connection));

    assert_non_null(connection);
    connection->snapshot = fixture_snapshot();
    connection->remote.listener = LISTENER_UNIX;
    connection->remote.snapshot = &connection->snapshot;
    connection->state = calloc(1, remote_unix_protocol.state_size);
    assert_non_null(connection->state);
    remote_unix_protocol.begin(connection->state, &connection->remote, -1);
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

/* Has a protocol read all of a text, and produces replies to their end, as a connection does.
 * Returns how reading ended. */
static enum stream_outcome read_text(struct connection *connection, struct text text)
{
    struct stream_result result = {0};

    while (text.length && result.outcome != STREAM_CLOSE_UNREAD) {
        result = remote_unix_protocol.read(connection->state, text, &connection->replies);
        assert_in_range(result.n_read, 1, text.length);
        text = text_after(text, result.n_read);
        if (!result.producer)
            continue;
        while (result.producer->more(result.producer, &connection->replies))
            ;
        producer_free(result.producer);
    }
    return result.outcome;
}

static void assert_replies(struct connection *connection, const char *expected)
{
    buffer_add(&connection->replies, "", 1);
    assert_string_equal(connection->replies.data, expected);
    buffer_clear(&connection->replies);
}

static void several_requests_in_one_read_are_answered_in_their_order(void **state)
{
    assert_true(read_text(*state, text_from(CONVERSATION)) <= STREAM_ANSWERED);
    assert_replies(*state, REPLIES);
}

static void a_request_may_come_in_any_two_pieces(void **state)
{
    struct text all = text_from(CONVERSATION);

    for (size_t split = 0; split <= all.length; split++) {
        assert_true(read_text(*state, (struct text){all.data, split}) <= STREAM_ANSWERED);
        assert_true(read_text(*state, text_after(all, split)) <= STREAM_ANSWERED);
        assert_replies(*state, REPLIES);
    }
}

static void a_request_may_come_byte_by_byte(void **state)
{
    struct text all = text_from(CONVERSATION);

    for (size_t i = 0; i < all.length; i++)
        assert_true(read_text(*state, (struct text){all.data + i, 1}) <= STREAM_ANSWERED);
    assert_replies(*state, REPLIES);
}

static void a_request_of_64_kib_is_the_longest(void **state)
{
    CLEANUP(buffer_deinit) struct buffer request = BUFFER_INIT;

    buffer_printf(&request, "{\"method\":\"getAllDomains\"%*s}", REMOTE_UNIX_REQUEST_MAX - 26, "");
    assert_int_equal(request.length, REMOTE_UNIX_REQUEST_MAX);
    assert_true(read_text(*state, (struct text){request.data, 1000}) <= STREAM_ANSWERED);
    assert_true(read_text(*state, (struct text){request.data + 1000, request.length - 1000}) <=
                STREAM_ANSWERED);
    assert_int_equal(read_text(*state, TEXT("\n")), STREAM_ANSWERED);
    assert_replies(*state, "{\"result\":[]}\n");

    assert_true(read_text(*state, buffer_text(&request)) <= STREAM_ANSWERED);
    assert_int_equal(read_text(*state, TEXT(" ")), STREAM_CLOSE_UNREAD);
    assert_replies(*state, "{\"error\":\"expected at most 65536 bytes\"}\n");
}

static const char LISTS[] =
    "{\"method\":\"list\",\"parameters\":{\"zonename\":\"cat.example\",\"domain_id\":-1}}\n"
    "{\"method\":\"initialize\",\"parameters\":{}}\n"
    "{\"method\":\"getAllDomains\",\"parameters\":{}}\n"
    "nonsense\n"
    "{\"method\":\"getAllDomains\",\"parameters\":{}}\n";

/* Replaces the connection's snapshot by one with own zones. */
static void use_zones(struct connection *connection)
{
    snapshot_unref(connection->snapshot);
    connection->snapshot = fixture_zones();
}

/* Takes a reply off the front, as a terminated string. */
static char *take_reply(struct text *replies)
{
    const char *end = memchr(replies->data, '\n', replies->length);
    size_t length;
    char *reply;

    assert_non_null(end);
    length = (size_t)(end - replies->data);
    reply = malloc(length + 1);
    assert_non_null(reply);
    memcpy(reply, replies->data, length);
    reply[length] = '\0';
    *replies = text_after(*replies, length + 1);
    return reply;
}

static void assert_begins(struct text *replies, const char *begin)
{
    char *reply = take_reply(replies);

    assert_memory_equal(reply, begin, strlen(begin));
    assert_string_equal(reply + strlen(reply) - 2, "]}");
    free(reply);
}

static void assert_is(struct text *replies, const char *expected)
{
    char *reply = take_reply(replies);

    assert_string_equal(reply, expected);
    free(reply);
}

static void requests_behind_lists_wait_for_their_end_wherever_pieces_end(void **state)
{
    struct connection *connection = *state;
    struct text all = text_from(LISTS);

    use_zones(connection);
    for (size_t split = 0; split <= all.length; split++) {
        struct text replies;

        read_text(connection, (struct text){all.data, split});
        read_text(connection, text_after(all, split));
        replies = buffer_text(&connection->replies);
        assert_begins(&replies, "{\"result\":[{\"qtype\":\"SOA\",\"qname\":\"cat.example\"");
        assert_is(&replies, "{\"result\":true}");
        assert_begins(&replies, "{\"result\":[{\"id\":");
        assert_is(&replies, "{\"error\":\"expected a JSON object\"}");
        assert_begins(&replies, "{\"result\":[{\"id\":");
        assert_int_equal(replies.length, 0);
        buffer_clear(&connection->replies);
    }
}

static void a_list_is_of_the_snapshot_that_it_began_with(void **state)
{
    struct connection *connection = *state;
    struct buffer *replies = &connection->replies;
    struct stream_result result;
    struct snapshot *other = connection->snapshot;

    connection->snapshot = fixture_zones();
    result = remote_unix_protocol.read(
        connection->state, TEXT("{\"method\":\"getAllDomains\",\"parameters\":{}}\n"), replies);
    assert_non_null(result.producer);
    snapshot_unref(connection->snapshot);
    connection->snapshot = other;
    while (result.producer->more(result.producer, replies))
        ;
    producer_free(result.producer);
    assert_non_null(memmem(replies->data, replies->length, "\"_tls.member.example.\"", 22));
    assert_int_equal(replies->data[replies->length - 1], '\n');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)
        TEST(several_requests_in_one_read_are_answered_in_their_order),
        TEST(a_request_may_come_in_any_two_pieces),
        TEST(a_request_may_come_byte_by_byte),
        TEST(a_request_of_64_kib_is_the_longest),
        TEST(requests_behind_lists_wait_for_their_end_wherever_pieces_end),
        TEST(a_list_is_of_the_snapshot_that_it_began_with),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
