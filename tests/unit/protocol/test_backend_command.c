#include "protocol/backend_command.h"

#include "cmocka_all.h"
#include "fixture.h"
#include "protocol/request.h"

/* What a command gets; the caller frees it. */
static char *answer(struct text command)
{
    struct snapshot *snapshot = fixture_snapshot();
    struct buffer out = BUFFER_INIT;
    char *text;

    backend_command_run(command, snapshot, NULL, &out);
    snapshot_unref(snapshot);
    text = buffer_take_string(&out);
    assert_non_null(text);
    return text;
}

static void assert_answer(const char *command, const char *expected)
{
    char *text = answer(text_from(command));

    assert_string_equal(text, expected);
    free(text);
}

static void assert_begins(const char *command, const char *expected)
{
    char *text = answer(text_from(command));

    assert_memory_equal(text, expected, strlen(expected));
    free(text);
}

#define TLS_ROW(NAME, TABS)                                                                        \
    NAME TABS "3600\tIN\tTXT\t\"v=TLSRPTv1; rua=mailto:postmaster@example.net,"                    \
              "https://report.example/tls\"\n"

static void lookup_shows_records_as_dig_does(void **state)
{
    (void)state;
    assert_answer("lookup _smtp._tls.full.example TXT", TLS_ROW("_smtp._tls.full.example.", " "));
    assert_answer("  lookup   _SMTP._tls.FULL.example.  any ",
                  TLS_ROW("_smtp._tls.full.example.", " "));
    assert_answer("lookup mta-sts.full.example A", "mta-sts.full.example.\t3600\tIN\tA\t"
                                                   "192.0.2.40\n");
}

static void lookup_tells_a_name_without_the_type_from_one_that_is_not_ours(void **state)
{
    (void)state;
    assert_answer("lookup mta-sts.full.example TXT",
                  "mta-sts.full.example exists and has no record of this type\n");
    assert_answer("lookup _tls.full.example ANY", "_tls.full.example exists without records\n");
    assert_answer("lookup _tls.full.example TXT", "_tls.full.example exists without records\n");
    assert_answer("lookup mta-sts.full.example FOO", "unknown record type\n");
    assert_answer("lookup www.full.example ANY", "not a name of this service\n");
    assert_answer("lookup \xff\xfe TXT", "not a name of this service\n");
}

static void status_counts_what_is_answered_from(void **state)
{
    (void)state;
    assert_begins("status", "policies: 5\ndomains: 15\nheld back: 0\nmemory: ");
}

static void status_tells_of_own_zones(void **state)
{
    const char begin[] = "policies: 3\ndomains: 4\nheld back: 0\nown zones: 8\n"
                         "own zones to notify: 8\ncatalog: cat.example, serial 1000\nmemory: ";
    struct snapshot *snapshot = fixture_zones();
    struct buffer out = BUFFER_INIT;
    struct notify *notify;

    (void)state;
    notify = fixture_notify(snapshot);
    backend_command_run(TEXT("status"), snapshot, notify, &out);
    assert_memory_equal(out.data, begin, sizeof(begin) - 1);
    buffer_deinit(&out);
    notify_free(notify);
    snapshot_unref(snapshot);
}

static void what_is_no_command_gets_the_list_of_them(void **state)
{
    static const char *const commands[] = {"",
                                           " ",
                                           "STATUS",
                                           "statu",
                                           "status x",
                                           "lookup a",
                                           "lookup a b c",
                                           "\xff",
                                           "reload x",
                                           "status\n",
                                           "lookup a b c d e f"};
    char *help = answer(TEXT("help"));

    (void)state;
    assert_non_null(strstr(help, "lookup NAME TYPE"));
    for (size_t i = 0; i < ARRAY_LENGTH(commands); i++) {
        const char begin[] = "no such command; the commands are:\n";
        char *text = answer(text_from(commands[i]));

        assert_memory_equal(text, begin, sizeof(begin) - 1);
        assert_string_equal(text + sizeof(begin) - 1, help);
        free(text);
    }
    free(help);
}

static bool orders_reload(const char *json)
{
    CLEANUP(request_deinit) struct request request = REQUEST_INIT;
    CLEANUP(buffer_deinit) struct buffer reply = BUFFER_INIT;
    struct snapshot *snapshot = fixture_snapshot();
    struct method_call call = {
        .arguments = request.arguments, .snapshot = snapshot, .reply = &reply};

    assert_int_equal(request_decode_json(&request, text_from(json)), 0);
    method_answer(request.method, &call);
    snapshot_unref(snapshot);
    assert_false(reply.failed);
    return call.orders_reload;
}

static void only_the_command_reload_orders_a_reload(void **state)
{
    (void)state;
    assert_true(orders_reload("{\"method\":\"directBackendCmd\","
                              "\"parameters\":{\"query\":\" reload \"}}"));
    assert_false(orders_reload("{\"method\":\"directBackendCmd\","
                               "\"parameters\":{\"query\":\"status\"}}"));
    assert_false(orders_reload("{\"method\":\"directBackendCmd\","
                               "\"parameters\":{\"query\":\"reload now\"}}"));
    assert_false(
        orders_reload("{\"method\":\"initialize\",\"parameters\":{\"query\":\"reload\"}}"));
    assert_false(orders_reload("{\"method\":\"later\",\"parameters\":{\"query\":\"reload\"}}"));
    assert_answer("reload", "reload ordered; the log has its result\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lookup_shows_records_as_dig_does),
        cmocka_unit_test(lookup_tells_a_name_without_the_type_from_one_that_is_not_ours),
        cmocka_unit_test(status_counts_what_is_answered_from),
        cmocka_unit_test(status_tells_of_own_zones),
        cmocka_unit_test(what_is_no_command_gets_the_list_of_them),
        cmocka_unit_test(only_the_command_reload_orders_a_reload),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
