#include "cases.h"
#include "cmocka_all.h"
#include "fixture.h"
#include "fixture_answer.h"

#include <jansson.h>

/* The reply to a request in JSON, which must parse; how it ended goes to OUTCOME. */
static json_t *ask(const char *json, int *outcome)
{
    CLEANUP(request_deinit) struct request request = REQUEST_INIT;
    CLEANUP(buffer_deinit) struct buffer reply = BUFFER_INIT;
    struct snapshot *snapshot = fixture_snapshot();
    json_t *parsed;

    assert_int_equal(request_decode_json(&request, text_from(json)), 0);
    *outcome = fixture_answer(&request, snapshot, NULL, &reply);
    snapshot_unref(snapshot);
    assert_false(reply.failed);
    parsed = json_loadb(reply.data, reply.length, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(parsed);
    return parsed;
}

/* A row in short: type, content, ttl. */
static void describe(const json_t *row, struct text qname, struct buffer *out)
{
    struct name name;

    assert_int_equal(name_from_question(qname, &name), 0);
    assert_string_equal(json_string_value(json_object_get(row, "qname")), name.text);
    assert_int_equal(json_object_size(row), 4);
    buffer_printf(out, "%s%s %s %lld", out->length ? ", " : "",
                  json_string_value(json_object_get(row, "qtype")),
                  json_string_value(json_object_get(row, "content")),
                  json_integer_value(json_object_get(row, "ttl")));
}

static void run_lookup(const struct test_case *test_case)
{
    CLEANUP(buffer_deinit) struct buffer rows = BUFFER_INIT;
    struct text expected = test_case->fields[2];
    json_t *request, *reply, *result, *row;
    int outcome;
    size_t i;
    char *text;

    request = json_pack("{s:s, s:{s:s, s:s}}", "method", "lookup", "parameters", "qname",
                        test_case->fields[0].data, "qtype", test_case->fields[1].data);
    text = json_dumps(request, 0);
    reply = ask(text, &outcome);
    result = json_object_get(reply, "result");
    print_message("# line %zu\n", test_case->line);
    if (text_equals(expected, TEXT("false"))) {
        assert_true(json_is_false(result));
        assert_int_equal(outcome, OUTCOME_NOT_OURS);
    } else {
        assert_true(json_is_array(result));
        json_array_foreach(result, i, row)
            describe(row, test_case->fields[0], &rows);
        assert_int_equal(outcome, rows.length ? OUTCOME_ANSWERED : OUTCOME_EMPTY);
        buffer_add(&rows, "", 1);
        assert_string_equal(rows.data, expected.data);
    }
    json_decref(reply);
    json_decref(request);
    free(text);
}

static void lookups_follow_the_answer_table(void **state)
{
    (void)state;
    cases_run("lookups/lookups.cases", run_lookup);
}

static void run_method(const struct test_case *test_case)
{
    CLEANUP(buffer_deinit) struct buffer request = BUFFER_INIT;
    int outcome;
    json_t *reply;
    char *result;

    buffer_printf(&request, "{\"method\":\"%s\",\"parameters\":%s}", test_case->fields[0].data,
                  test_case->fields[1].data);
    buffer_add(&request, "", 1);
    print_message("# line %zu\n", test_case->line);
    reply = ask(request.data, &outcome);
    result = json_dumps(json_object_get(reply, "result"), JSON_ENCODE_ANY | JSON_COMPACT);
    assert_string_equal(result, test_case->fields[2].data);
    assert_int_equal(outcome, *result == 'f'   ? OUTCOME_NOT_OURS
                              : *result == '[' ? OUTCOME_EMPTY
                                               : OUTCOME_ANSWERED);
    free(result);
    json_decref(reply);
}

static void every_method_has_its_answer(void **state)
{
    (void)state;
    cases_run("methods/methods.cases", run_method);
}

static bool has_case[METHOD_COUNT_MAX]; /* by the number of a method */

static void note_case(const struct test_case *test_case)
{
    const struct method *method = method_find(test_case->fields[0]);

    assert_int_equal(method != NULL, strncmp(test_case->fields[0].data, "noSuch", 6) != 0);
    has_case[method_number(method)] = true;
}

static void the_cases_name_the_methods_of_the_table_and_one_more(void **state)
{
    (void)state;
    cases_run("methods/methods.cases", note_case);
    for (size_t number = 0; method_name(number); number++) {
        print_message("# %s\n", method_name(number));
        assert_true(has_case[number]);
    }
}

static void methods_compare_with_case(void **state)
{
    (void)state;
    assert_null(method_find(TEXT("LOOKUP")));
    assert_non_null(method_find(TEXT("lookup")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lookups_follow_the_answer_table),
        cmocka_unit_test(every_method_has_its_answer),
        cmocka_unit_test(the_cases_name_the_methods_of_the_table_and_one_more),
        cmocka_unit_test(methods_compare_with_case),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
