#include "cases.h"
#include "cmocka_all.h"
#include "protocol/request.h"

static int decode(const struct test_case *test_case, struct request *request)
{
    struct text path = test_case->fields[1], body = test_case->fields[2];

    if (text_equals(test_case->fields[0], TEXT("path")))
        return request_decode_path(request, path, body);
    if (text_equals(test_case->fields[0], TEXT("form")))
        return request_decode_form(request, path, body);
    if (text_equals(test_case->fields[0], TEXT("any-json")))
        return request_decode_any_json(request, body);
    assert_string_equal(test_case->fields[0].data, "json");
    return request_decode_json(request, body);
}

static void assert_text(struct text text, struct text expected)
{
    assert_int_equal(text.length, expected.length);
    assert_memory_equal(text.data ? text.data : "", expected.data, expected.length);
}

static void run_case(const struct test_case *test_case)
{
    CLEANUP(request_deinit) struct request request = REQUEST_INIT;
    const char *expected = test_case->fields[3].data;
    int r = decode(test_case, &request);

    print_message("# line %zu\n", test_case->line);
    if (*expected == '!') {
        assert_int_equal(r, REQUEST_MALFORMED);
        assert_string_equal(request.fault, expected + 1);
        return;
    }
    assert_int_equal(r, 0);
    assert_string_equal(request.method ? request.method->name : "-", expected);
    assert_text(request.arguments[PARAMETER_QNAME].text, test_case->fields[4]);
    assert_text(request.arguments[PARAMETER_QTYPE].text, test_case->fields[5]);
    assert_text(request.arguments[PARAMETER_QUERY].text, test_case->fields[6]);
}

/* JSON of every form decodes the same without the reader of the plain one. */
static void run_both(const struct test_case *test_case)
{
    struct test_case any = *test_case;

    run_case(test_case);
    if (!text_equals(test_case->fields[0], TEXT("json")))
        return;
    any.fields[0] = TEXT("any-json");
    run_case(&any);
}

static void requests_decode_the_same_in_every_encoding(void **state)
{
    (void)state;
    cases_run("requests/requests.cases", run_both);
}

static void assert_name(const char *path, enum parameter parameter, const char *expected)
{
    CLEANUP(request_deinit) struct request request = REQUEST_INIT;

    assert_int_equal(request_decode_path(&request, text_from(path), TEXT("")), 0);
    assert_text(request.arguments[parameter].text, text_from(expected));
}

static void a_name_at_the_end_of_a_path_is_whole_and_its_suffix_is_not_of_it(void **state)
{
    (void)state;
    assert_name("getDomainInfo/_tls.example.net", PARAMETER_NAME, "_tls.example.net");
    assert_name("list/1/_tls.example.net", PARAMETER_ZONENAME, "_tls.example.net");
    assert_name("getDomainInfo/%5ftls%2eexample%2e.json", PARAMETER_NAME, "_tls.example.");
    assert_name("list/1/%5ftls%2eexample%2e.json", PARAMETER_ZONENAME, "_tls.example.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_decode_the_same_in_every_encoding),
        cmocka_unit_test(a_name_at_the_end_of_a_path_is_whole_and_its_suffix_is_not_of_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
