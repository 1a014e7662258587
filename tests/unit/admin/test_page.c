/* The page and JSON about domains, as replies to requests. */
#include "admin/domain_data.h"
#include "admin/page.h"
#include "cmocka_all.h"
#include "failing_malloc.h"
#include "fixture.h"
#include "protocol/jansson_alloc.h"
#include "state/bodies.h"
#include "state/sync_runs.h"
#include "state/verify_saving.h"
#include "temporary.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>

static struct notify *notify;
static struct settings settings;
static struct page_maker maker;

/* The reply of the last request. */
static struct http_reply reply;

/* Has a request answered whole. Returns 0, or -ENOMEM if the peer gets a 500 or half a reply. */
static int request(page_answerer *function, const char *target)
{
    const struct http_request asked = {.verb = HTTP_VERB_GET, .target = text_from(target)};

    buffer_deinit(&reply.body);
    reply = (struct http_reply){.status = HTTP_STATUS_OK, .body = BUFFER_INIT};
    function(&maker, &asked, &reply);
    while (reply.rest && !reply.body.failed && reply.rest->more(reply.rest, &reply.body))
        ;
    producer_free(reply.rest);
    reply.rest = NULL;
    return reply.body.failed ? -ENOMEM : 0;
}

static void get(page_answerer *function, const char *target, enum http_status status)
{
    assert_int_equal(request(function, target), 0);
    if (reply.status != status)
        fail_msg("%s: %u", target, reply.status);
}

static bool body_has(const char *text)
{
    return memmem(reply.body.data, reply.body.length, text, strlen(text)) != NULL;
}

/* Has the service answer from a snapshot. */
static void serve(struct snapshot *snapshot, size_t n_waiting)
{
    struct status_waiting *waiting = status_waiting_new(n_waiting);

    for (size_t i = 0; i < n_waiting; i++)
        waiting->ids[i] = (struct status_waiting_id){
            .policy = 1, .announced = "old", .next = "new", .due = 1790000000};
    status_set_snapshot(maker.status, snapshot, waiting);
    snapshot_unref(snapshot);
}

static void serve_states(void)
{
    struct snapshot *snapshot = NULL;

    assert_int_equal(fixture_build_states(&snapshot), 0);
    serve(snapshot, 1);
}

/* A state in which full.example has served two bodies. */
static void make_state(void)
{
    struct policy policy = {.primary = TEXT("full.example"), .mode = POLICY_MODE_TESTING};
    struct state state;

    policy.body = TEXT("mode: testing\r\n<b>\xff");
    assert_int_equal(state_open(&state, ".", STATE_WRITE), 0);
    assert_int_equal(bodies_serve(&state, &policy, 1780000000, 0), 0);
    policy.body = TEXT("mode: enforce\r\n");
    assert_int_equal(bodies_serve(&state, &policy, 1785000000, 1784999999), 0);
    state_close(&state);
}

static int set_up(void **state)
{
    const struct diagnostics none = DIAGNOSTICS_INIT;

    assert_int_equal(temporary_enter(state), 0);
    make_state();
    settings = (struct settings){.state = "."};
    assert_int_equal(notify_new(&notify), 0);
    maker = (struct page_maker){.settings = &settings};
    assert_int_equal(status_new(notify, &maker.status), 0);
    serve_states();
    status_set_applied(maker.status, &none, 0);
    status_set_serving(maker.status, true);
    reply = (struct http_reply){0};
    return 0;
}

static int tear_down(void **state)
{
    buffer_deinit(&reply.body);
    status_free(maker.status);
    notify_free(notify);
    return temporary_leave(state);
}

static json_t *get_json(page_answerer *function, const char *target)
{
    json_t *json;

    get(function, target, HTTP_STATUS_OK);
    json = json_loadb(reply.body.data, reply.body.length, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    return json;
}

static const char *text_at(const json_t *json, const char *key)
{
    return json_string_value(json_object_get(json, key));
}

static void a_domain_is_told_with_its_records(void **state)
{
    json_t *json = get_json(page_answer_domain, "/domain/WWW.ex%61mple.net."), *record;

    (void)state;
    assert_int_equal(json_object_size(json), 9);
    assert_string_equal(text_at(json, "domain"), "www.example.net");
    assert_string_equal(text_at(json, "policy"), "full.example");
    assert_string_equal(text_at(json, "kind"), "cname");
    assert_string_equal(text_at(json, "state"), "published");
    assert_non_null(text_at(json, "id"));
    assert_true(json_is_null(json_object_get(json, "until")));
    assert_true(json_is_array(json_object_get(json, "findings")));
    assert_int_equal(json_array_size(json_object_get(json, "records")), 3);
    record = json_array_get(json_object_get(json, "records"), 0);
    assert_string_equal(text_at(record, "name"), "_mta-sts.www.example.net.");
    assert_string_equal(text_at(record, "type"), "CNAME");
    assert_string_equal(text_at(record, "content"), "_mta-sts.full.example.");
    assert_int_equal(json_integer_value(json_object_get(record, "ttl")), 3600);
    json_decref(json);
}

static void a_retiring_domain_is_told_with_its_former_policy(void **state)
{
    json_t *json;

    (void)state;
    status_set_ahead(maker.status, 60);
    json = get_json(page_answer_domain, "/domain/left.example");
    assert_string_equal(text_at(json, "policy"), "gone.example");
    assert_string_equal(text_at(json, "kind"), "direct");
    assert_string_equal(text_at(json, "state"), "retiring");
    assert_string_equal(text_at(json, "until"), "2026-09-21T14:12:20Z");
    json_decref(json);
}

static void a_domain_that_reports_alone_has_no_id(void **state)
{
    json_t *json = get_json(page_answer_domain, "/domain/only-rua.example");

    (void)state;
    assert_true(json_is_null(json_object_get(json, "id")));
    assert_string_equal(text_at(json, "kind"), "primary");
    json_decref(json);
}

static void own_zones_are_told_with_their_apex(void **state)
{
    CLEANUP(buffer_deinit) struct buffer types = BUFFER_INIT;
    const json_t *record;
    json_t *json;
    size_t i;

    (void)state;
    serve(fixture_zones(), 0);
    json = get_json(page_answer_domain, "/domain/member.example");
    json_array_foreach(json_object_get(json, "records"), i, record)
        buffer_printf(&types, "%s ", text_at(record, "type"));
    assert_string_equal(buffer_string(&types), "SOA NS NS TXT TXT SOA NS NS SOA NS NS A AAAA ");
    json_decref(json);
}

static void what_is_not_ours_is_not_found(void **state)
{
    static const char *const names[] = {"other.example", "",       ".",
                                        "a..b",          "%2e%2e", "_mta-sts.full.example",
                                        "%3Cb%3E",       "a/b",    "%E2%80%AE"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        char target[64];

        snprintf(target, sizeof(target), "/domain/%s", names[i]);
        get(page_answer_domain, target, HTTP_STATUS_NOT_FOUND);
        assert_string_equal(reply.content_type, "text/plain; charset=utf-8");
        snprintf(target, sizeof(target), "/?domain=%s", names[i]);
        get(page_answer, target, HTTP_STATUS_NOT_FOUND);
        assert_true(body_has("No such domain"));
        assert_false(body_has("<b>"));
    }
}

static void what_is_no_query_is_refused(void **state)
{
    static const char *const queries[] = {"?q=%", "?state=<b>", "?from=a", "?q=a&q=b", "?q=%ff"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(queries); i++) {
        get(page_answer_domains, queries[i], HTTP_STATUS_BAD_REQUEST);
        assert_string_equal(reply.content_type, "text/plain; charset=utf-8");
        get(page_answer, queries[i], HTTP_STATUS_BAD_REQUEST);
        assert_false(body_has("<b>"));
    }
    get(page_answer_domain, "/domain/%f", HTTP_STATUS_BAD_REQUEST);
}

static void a_search_gives_hits_and_where_it_goes_on(void **state)
{
    struct snapshot *many = NULL;
    json_t *json = get_json(page_answer_domains, "/domains?q=HELD&state=held_back");

    (void)state;
    assert_int_equal(json_array_size(json_object_get(json, "domains")), 2);
    assert_int_equal(json_object_size(json_array_get(json_object_get(json, "domains"), 0)), 6);
    assert_true(json_is_null(json_object_get(json, "next")));
    json_decref(json);
    assert_int_equal(fixture_build_zones(100, &many), 0);
    serve(many, 0);
    json = get_json(page_answer_domains, "/domains?from=10");
    assert_int_equal(json_array_size(json_object_get(json, "domains")), 50);
    assert_int_equal(json_integer_value(json_object_get(json, "next")), 60);
    json_decref(json);
}

static void a_page_of_hits_links_to_the_next(void **state)
{
    struct snapshot *many = NULL;

    (void)state;
    assert_int_equal(fixture_build_zones(120000, &many), 0);
    serve(many, 0);
    get(page_answer, "/?q=more%2D&state=published", HTTP_STATUS_OK);
    assert_true(body_has("?domain=more-49.example"));
    assert_true(body_has("?q=more-&amp;state=published&amp;from=52"));
    get(page_answer, "/?q=%22%3Cb%3E&from=1", HTTP_STATUS_OK);
    assert_true(body_has("?q=%22%3Cb%3E&amp;state=retiring"));
    assert_true(body_has("&quot;&lt;b&gt;"));
    assert_false(body_has("<b>"));
}

static void a_search_of_the_same_snapshot_has_the_same_tag(void **state)
{
    char tag[PAGE_ETAG_SIZE];

    (void)state;
    get(page_answer_domains, "/domains?q=a", HTTP_STATUS_OK);
    assert_true(reply.conditional);
    strcpy(tag, maker.etag);
    get(page_answer_domains, "/domains?q=a&state=", HTTP_STATUS_OK);
    assert_string_equal(maker.etag, tag);
    get(page_answer, "/?q=a", HTTP_STATUS_OK);
    assert_string_not_equal(maker.etag, tag);
    get(page_answer_domains, "/domains?q=a&state=waiting", HTTP_STATUS_OK);
    assert_string_not_equal(maker.etag, tag);
    get(page_answer_domains, "/domains?q=a&from=1", HTTP_STATUS_OK);
    assert_string_not_equal(maker.etag, tag);
    serve_states();
    get(page_answer_domains, "/domains?q=a", HTTP_STATUS_OK);
    assert_string_not_equal(maker.etag, tag);
}

static void the_overview_names_what_is_held_back_waits_and_retires(void **state)
{
    char tag[PAGE_ETAG_SIZE];

    (void)state;
    get(page_answer, "/", HTTP_STATUS_OK);
    assert_true(body_has("?domain=held.waits.example"));
    assert_true(body_has("?domain=left.example"));
    assert_true(body_has("<code>old</code>"));
    assert_true(body_has("2026-09-21T14:13:20Z"));
    assert_true(reply.conditional);
    strcpy(tag, maker.etag);
    get(page_answer, "/", HTTP_STATUS_OK);
    assert_string_equal(maker.etag, tag);
    serve(fixture_snapshot(), 0);
    get(page_answer, "/", HTTP_STATUS_OK);
    assert_string_not_equal(maker.etag, tag);
    assert_false(body_has("held.waits.example"));
    assert_false(body_has("<code>old</code>"));
}

static void the_overview_shows_the_errors_of_a_refused_reload(void **state)
{
    struct diagnostics diagnostics = DIAGNOSTICS_INIT;

    (void)state;
    for (unsigned int i = 1; i <= 15; i++)
        diagnostics_error(&diagnostics, (struct place){.file = "<b>.yaml", .line = i},
                          "bad & ugly");
    status_set_refused(maker.status, &diagnostics, NULL, 0);
    diagnostics_deinit(&diagnostics);
    get(page_answer, "/", HTTP_STATUS_OK);
    assert_true(body_has("&lt;b&gt;.yaml:10: bad &amp; ugly"));
    assert_false(body_has(".yaml:11: bad"));
    assert_true(body_has("5 more"));
}

/* Makes a snapshot of many policies. */
static struct snapshot *many_policies(size_t n)
{
    struct policy_spec spec = fixture_full_spec();
    struct snapshot *snapshot = NULL;
    struct builder *builder;
    uint32_t policy;

    assert_int_equal(builder_new(42, &builder), 0);
    for (size_t i = 0; i < n; i++) {
        char name[32];

        snprintf(name, sizeof(name), "p%zu.example", i);
        spec.primary = fixture_name(name);
        assert_int_equal(builder_add_policy(builder, &spec, 0, &policy), 0);
    }
    assert_int_equal(builder_freeze(builder, NULL, NULL, &snapshot), 0);
    builder_free(builder);
    return snapshot;
}

/* The data of the overview with the policies from a number on. */
static json_t *overview_data(size_t from)
{
    struct status_view view;
    struct saved saved;
    json_t *data = NULL;

    status_read(maker.status, &view);
    assert_int_equal(saved_open(&saved, &settings), 0);
    page_data_begin();
    assert_int_equal(overview_new(&view, &saved, &maker.held, from, &data), 0);
    saved_close(&saved);
    status_view_deinit(&view);
    return data;
}

static void check_policies(size_t from, size_t n, const char *next)
{
    json_t *data = overview_data(from), *policies = json_object_get(data, "policies");

    assert_int_equal(json_array_size(policies), n);
    if (n) {
        char first[32];

        snprintf(first, sizeof(first), "p%zu.example", from);
        assert_string_equal(text_at(json_array_get(policies, 0), "domain"), first);
    }
    if (next)
        assert_string_equal(text_at(data, "policies_next"), next);
    else
        assert_null(json_object_get(data, "policies_next"));
    json_decref(data);
}

static void policies_are_shown_fifty_at_a_time(void **state)
{
    (void)state;
    serve(many_policies(2051), 0);
    check_policies(0, 50, "50");
    check_policies(2000, 50, "2050");
    check_policies(2050, 1, NULL);
    check_policies(2051, 0, NULL);
    check_policies(INT32_MAX, 0, NULL);
    get(page_answer, "/?policies=2000", HTTP_STATUS_OK);
    assert_true(body_has("?domain=p2049.example"));
    assert_false(body_has("?domain=p2050.example"));
}

static void a_domain_has_a_page_with_its_history(void **state)
{
    (void)state;
    get(page_answer, "/?domain=full.example", HTTP_STATUS_OK);
    assert_true(body_has("_mta-sts.full.example.\t3600\tIN\tTXT\t&quot;v=STSv1; id="));
    assert_true(body_has("https://mta-sts.full.example/.well-known/mta-sts.txt"));
    assert_true(body_has("2026-07-25T17:20:00Z"));
    assert_true(body_has("2026-05-28T20:26:40Z"));
    assert_true(body_has("&lt;b&gt;\\xff"));
    get(page_answer, "/?domain=only-rua.example", HTTP_STATUS_OK);
    assert_false(body_has("/.well-known/mta-sts.txt"));
}

/* What happens next to a domain: the member of the data of its page that says so. */
static json_t *next_of(const char *name, const char *what)
{
    struct status_view view;
    struct saved saved;
    struct domain domain;
    json_t *data = NULL, *next;

    status_read(maker.status, &view);
    assert_int_equal(saved_open(&saved, &settings), 0);
    assert_true(snapshot_find(view.snapshot, text_from(name), &domain));
    page_data_begin();
    assert_int_equal(domain_data_page(&view, &saved, &domain, &data), 0);
    next = json_incref(json_object_get(json_object_get(data, "next"), what));
    json_decref(data);
    saved_close(&saved);
    status_view_deinit(&view);
    return next;
}

static void it_is_told_what_happens_to_a_domain_by_itself(void **state)
{
    json_t *next = next_of("left.example", "retiring");

    (void)state;
    assert_string_equal(text_at(json_object_get(next, "until"), "iso"), "2026-09-21T14:13:20Z");
    json_decref(next);
    next = next_of("waits.example", "waiting");
    assert_string_equal(text_at(next, "announced"), "old");
    assert_string_equal(text_at(next, "next"), "new");
    json_decref(next);
    next = next_of("held.example", "held");
    assert_string_equal(text_at(next, "file"), "/certificates/held.example.pem");
    json_decref(next);
    assert_null(next_of("full.example", "waiting"));
}

static const struct verify_check checks[] = {{"mx", "Do <this>.", "dig MX %d"}};

/* Saves that a run of verify, which ended at a time, found an error of N domains, the last of which
 * is full.example, and a warning of that one. */
static void save_run(int64_t ended, int64_t n)
{
    const struct verify_finding error = {.check = TEXT("mx"),
                                         .error = true,
                                         .found = TEXT("<script>alert('\xff')</script>"),
                                         .expected = TEXT("\"a\" & b"),
                                         .n_domains = n};
    const struct verify_finding warning = {
        .check = TEXT("mx"), .found = TEXT("less"), .expected = TEXT("more"), .n_domains = 1};
    const struct verify_run run = {.started = ended, .ended = ended, .domains = n, .error = n};
    CLEANUP(verify_saving_free_pointer) struct verify_saving *saving = NULL;
    struct state state;

    assert_int_equal(state_open(&state, ".", STATE_WRITE), 0);
    assert_int_equal(verify_saving_new(&state, &saving), 0);
    assert_int_equal(
        verify_saving_add_policy(saving, 0, TEXT("full.example"), &(struct verify_counts){1, 0, 3}),
        0);
    assert_int_equal(verify_saving_add_finding(saving, &error), 0);
    for (int64_t i = 1; i <= n; i++) {
        char name[32];

        snprintf(name, sizeof(name), i < n ? "d%lld.example" : "full.example", (long long)i);
        assert_int_equal(verify_saving_add_domain(saving, text_from(name), 0, VERIFY_ERROR), 0);
        assert_int_equal(verify_saving_add_to_finding(saving, text_from(name)), 0);
    }
    assert_int_equal(verify_saving_add_finding(saving, &warning), 0);
    assert_int_equal(verify_saving_add_to_finding(saving, TEXT("full.example")), 0);
    assert_int_equal(verify_saving_end(saving, &run, checks, ARRAY_LENGTH(checks)), 0);
    verify_saving_free(saving);
    saving = NULL;
    state_close(&state);
}

static json_int_t number_at(const json_t *json, const char *key)
{
    return json_integer_value(json_object_get(json, key));
}

static void findings_are_told_of_all_domains_and_of_one(void **state)
{
    const json_t *findings, *first;
    json_t *data;

    (void)state;
    save_run(time(NULL), 7);
    data = overview_data(0);
    assert_true(json_is_true(json_object_get(json_object_get(data, "health"), "trouble")));
    assert_null(json_object_get(data, "unverified"));
    assert_null(json_object_get(data, "more_findings"));
    findings = json_object_get(data, "findings");
    assert_int_equal(json_array_size(findings), 2);
    first = json_array_get(findings, 0);
    assert_int_equal(number_at(first, "n"), 7);
    assert_int_equal(json_array_size(json_object_get(first, "first")), 5);
    assert_int_equal(number_at(first, "more"), 2);
    assert_string_equal(text_at(first, "do"), "Do <this>.");
    assert_true(json_is_null(json_object_get(json_array_get(findings, 1), "more")));
    assert_true(json_is_true(json_object_get(json_array_get(findings, 1), "warning")));
    first = json_object_get(json_array_get(json_object_get(data, "policies"), 0), "verified");
    assert_int_equal(number_at(first, "error"), 3);
    assert_true(json_real_value(json_object_get(first, "ok_share")) == 25);
    json_decref(data);
    data = get_json(page_answer_domain, "/domain/full.example");
    findings = json_object_get(data, "findings");
    assert_int_equal(json_array_size(findings), 2);
    assert_int_equal(json_object_size(json_array_get(findings, 0)), 5);
    assert_string_equal(text_at(json_array_get(findings, 0), "finding"), "1-0");
    assert_string_equal(text_at(json_array_get(findings, 0), "severity"), "error");
    assert_string_equal(text_at(json_array_get(findings, 0), "found"),
                        "<script>alert('\\xff')</script>");
    assert_string_equal(text_at(json_array_get(findings, 1), "severity"), "warning");
    json_decref(data);
    data = get_json(page_answer_domain, "/domain/www.example.net");
    assert_int_equal(json_array_size(json_object_get(data, "findings")), 0);
    json_decref(data);
}

static void it_is_told_when_a_domain_was_looked_at_or_that_it_was_not(void **state)
{
    json_t *json = get_json(page_answer_domain, "/domain/full.example");

    (void)state;
    assert_true(json_is_null(json_object_get(json, "verified")));
    json_decref(json);
    get(page_answer, "/?domain=full.example", HTTP_STATUS_OK);
    assert_true(body_has("Verify has not looked at it yet."));
    assert_true(body_has("class=\"verdict \""));
    save_run(1780000000, 2);
    json = get_json(page_answer_domain, "/domain/full.example");
    assert_string_equal(text_at(json, "verified"), "2026-05-28T20:26:40Z");
    json_decref(json);
    get(page_answer, "/?domain=full.example", HTTP_STATUS_OK);
    assert_true(body_has("<dt>Verified</dt>"));
    assert_false(body_has("not looked at"));
    json = get_json(page_answer_domain, "/domain/www.example.net");
    assert_true(json_is_null(json_object_get(json, "verified")));
    json_decref(json);
    get(page_answer, "/?domain=www.example.net", HTTP_STATUS_OK);
    assert_true(body_has("Verify has not looked at it yet."));
}

static void findings_are_text_on_the_pages(void **state)
{
    static const char *const targets[] = {"/", "/?domain=full.example", "/?finding=1-0"};

    (void)state;
    save_run(time(NULL), 1);
    for (size_t i = 0; i < ARRAY_LENGTH(targets); i++) {
        get(page_answer, targets[i], HTTP_STATUS_OK);
        assert_true(body_has("&lt;script&gt;alert(&#39;\\xff&#39;)&lt;/script&gt;"));
        assert_true(body_has("&quot;a&quot; &amp; b"));
        assert_true(body_has("Do &lt;this&gt;."));
        assert_true(body_has("<dt>Then</dt><dd><code>pdns-mta-sts verify --save"));
        assert_true(body_has("dig MX full.example"));
        assert_false(body_has("<script>alert"));
    }
}

/* The hits on a page of a finding's domains, which begins at a name; and the name of the next. */
static size_t finding_page(const char *from, char next[64])
{
    char target[128];
    size_t n;
    json_t *json;

    snprintf(target, sizeof(target), "/domains?finding=1-0&from=%s", from);
    json = get_json(page_answer_domains, target);
    n = json_array_size(json_object_get(json, "domains"));
    assert_int_equal(json_object_size(json), 2);
    assert_int_equal(json_object_size(json_array_get(json_object_get(json, "domains"), 0)), 6);
    if (*from)
        assert_string_equal(text_at(json_array_get(json_object_get(json, "domains"), 0), "domain"),
                            from);
    snprintf(next, 64, "%s",
             json_is_null(json_object_get(json, "next")) ? "" : text_at(json, "next"));
    json_decref(json);
    return n;
}

static void all_domains_of_a_finding_are_listed_page_by_page(void **state)
{
    char next[64];

    (void)state;
    save_run(time(NULL), 120);
    get(page_answer, "/", HTTP_STATUS_OK);
    assert_true(body_has("<a href=\"?finding=1-0\">and 115 more</a>"));
    assert_false(body_has("?finding=1-1"));
    assert_int_equal(finding_page("", next), 50);
    assert_int_equal(finding_page(next, next), 50);
    assert_int_equal(finding_page(next, next), 20);
    assert_string_equal(next, "");
    get(page_answer, "/?finding=1-0", HTTP_STATUS_OK);
    assert_true(body_has("?finding=1-0&amp;from=d37.example"));
    assert_true(body_has("Domains <span class=\"count\">120<"));
    assert_false(body_has("First domains"));
    get(page_answer, "/?finding=1-0&from=full.example", HTTP_STATUS_OK);
    assert_true(body_has("<a href=\"?domain=full.example\">full.example</a>"));
    assert_true(body_has("<a href=\"?finding=1-0\">First domains</a>"));
    assert_false(body_has("Further domains"));
}

static void a_domain_of_a_finding_may_have_gone(void **state)
{
    const json_t *domains;
    json_t *json;

    (void)state;
    save_run(time(NULL), 2);
    json = get_json(page_answer_domains, "/domains?finding=1-0");
    domains = json_object_get(json, "domains");
    assert_string_equal(text_at(json_array_get(domains, 0), "domain"), "d1.example");
    assert_true(json_is_null(json_object_get(json_array_get(domains, 0), "state")));
    assert_true(json_is_null(json_object_get(json_array_get(domains, 0), "policy")));
    assert_string_equal(text_at(json_array_get(domains, 1), "domain"), "full.example");
    assert_string_equal(text_at(json_array_get(domains, 1), "state"), "published");
    json_decref(json);
    get(page_answer, "/?finding=1-0", HTTP_STATUS_OK);
    assert_true(body_has("not in the configuration any more"));
    assert_false(body_has("?domain=d1.example"));
}

static void check_no_finding(const char *query, enum http_status status, const char *why)
{
    char target[64];

    snprintf(target, sizeof(target), "/domains?finding=%s", query);
    get(page_answer_domains, target, status);
    assert_true(body_has(why));
    snprintf(target, sizeof(target), "/?finding=%s", query);
    get(page_answer, target, status);
    assert_true(body_has(why));
    assert_true(body_has("<a href=\"./\">To the overview</a>"));
    assert_true(body_has("data-still") == (status == HTTP_STATUS_NOT_FOUND));
}

static void a_finding_of_an_earlier_run_is_said_to_be_over(void **state)
{
    (void)state;
    check_no_finding("1-0", HTTP_STATUS_NOT_FOUND, "verify has saved no such run");
    check_no_finding("0-0", HTTP_STATUS_NOT_FOUND, "verify has saved no such run");
    save_run(1780000000, 7);
    get(page_answer, "/?finding=1-0", HTTP_STATUS_OK);
    check_no_finding("1-2", HTTP_STATUS_NOT_FOUND, "no domain has this finding any more");
    check_no_finding("2-0", HTTP_STATUS_NOT_FOUND, "verify has saved no such run");
    save_run(1780000000, 7);
    check_no_finding("1-0", HTTP_STATUS_NOT_FOUND, "verify has run again since then");
    get(page_answer, "/?finding=2-0", HTTP_STATUS_OK);
    temporary_write("state.db", "this is no database, and long enough to be seen as none: ......."
                                "............................................................");
    check_no_finding("2-0", HTTP_STATUS_SERVICE_UNAVAILABLE, "file is not a database");
}

static void the_overview_says_when_nothing_was_verified_lately(void **state)
{
    json_t *data = overview_data(0);

    (void)state;
    assert_true(json_is_true(json_object_get(json_object_get(data, "unverified"), "never")));
    assert_null(json_object_get(data, "verified"));
    json_decref(data);
    save_run(1780000000, 1);
    data = overview_data(0);
    assert_true(json_is_false(json_object_get(json_object_get(data, "unverified"), "never")));
    assert_true(json_is_true(json_object_get(json_object_get(data, "verified"), "stale")));
    assert_null(json_object_get(data, "runs"));
    json_decref(data);
}

static double real_at(const json_t *json, const char *key)
{
    return json_real_value(json_object_get(json, key));
}

static void runs_become_points_of_plots(void **state)
{
    json_t *data, *runs;
    const json_t *points;

    (void)state;
    save_run(1780000000, 4);
    save_run(1780000300, 1);
    save_run(1780001000, 2);
    data = overview_data(0);
    runs = json_object_get(data, "runs");
    assert_int_equal(number_at(runs, "top_domains"), 4);
    assert_int_equal(number_at(runs, "top_findings"), 4);
    points = json_object_get(runs, "points");
    assert_int_equal(json_array_size(points), 3);
    assert_true(real_at(json_array_get(points, 0), "x") == 0);
    assert_true(real_at(json_array_get(points, 0), "domains") == 0);
    assert_true(real_at(json_array_get(points, 1), "x") == 300);
    assert_true(real_at(json_array_get(points, 1), "error") == 75);
    assert_true(real_at(json_array_get(points, 1), "warning") == 100);
    assert_true(real_at(json_array_get(points, 2), "x") == 1000);
    json_decref(data);
}

static void the_last_runs_are_told_in_numbers(void **state)
{
    json_t *data, *numbers;

    (void)state;
    for (int64_t i = 1; i <= 32; i++)
        save_run(1780000000 + i, i);
    data = overview_data(0);
    numbers = json_object_get(json_object_get(data, "runs"), "numbers");
    assert_int_equal(json_array_size(numbers), 30);
    assert_int_equal(number_at(json_array_get(numbers, 0), "domains"), 32);
    assert_int_equal(number_at(json_array_get(numbers, 0), "error"), 32);
    assert_int_equal(number_at(json_array_get(numbers, 29), "domains"), 3);
    assert_string_equal(text_at(json_object_get(json_array_get(numbers, 29), "ended"), "iso"),
                        "2026-05-28T20:26:43Z");
    json_decref(data);
    get(page_answer, "/", HTTP_STATUS_OK);
    assert_true(body_has("<th scope=\"row\"><time datetime=\"2026-05-28T20:26:43Z\">"));
    assert_true(body_has("<td data-label=\"Ok\" class=\"number\">0</td>"));
}

static void a_refused_sync_is_told_with_its_numbers(void **state)
{
    struct sync_run run = {.started = 1780000000, .ended = 1780000000, .names = 30, .members = 20};
    struct state kept;

    (void)state;
    status_set_syncs(maker.status, true);
    assert_int_equal(state_open(&kept, ".", STATE_WRITE), 0);
    assert_int_equal(sync_runs_add(&kept, &run), 0);
    get(page_answer, "/", HTTP_STATUS_OK);
    assert_false(body_has("The last sync was refused"));
    run = (struct sync_run){.started = 1780003600,
                            .ended = 1780003600,
                            .refused = true,
                            .names = 1234,
                            .uncovered = 56,
                            .failed = 7};
    assert_int_equal(sync_runs_add(&kept, &run), 0);
    state_close(&kept);
    get(page_answer, "/", HTTP_STATUS_OK);
    assert_true(body_has("The last sync was refused"));
    assert_true(body_has("Of 1,234 names, 7 could not be looked up, and 56 have mail servers"));
    assert_true(body_has("not refused was <time class=\"relative\" datetime=\"2026-05-28T"));
    status_set_syncs(maker.status, false);
    get(page_answer, "/", HTTP_STATUS_OK);
    assert_false(body_has("sync was refused"));
}

static void without_a_state_the_pages_are_there_all_the_same(void **state)
{
    (void)state;
    get(page_answer, "/", HTTP_STATUS_OK);
    assert_true(body_has("pdns-mta-sts verify --save"));
    settings.state = "none";
    get(page_answer, "/", HTTP_STATUS_OK);
    assert_true(body_has("Set the key <code>state</code>"));
    assert_false(body_has("pdns-mta-sts verify --save"));
    get(page_answer, "/?domain=full.example", HTTP_STATUS_OK);
    assert_false(body_has("2026-07-25T17:20:00Z"));
}

static void a_state_that_cannot_be_read_is_said(void **state)
{
    json_t *data;

    (void)state;
    temporary_write("state.db", "this is no database, and long enough to be seen as none: ......."
                                "............................................................");
    data = overview_data(0);
    assert_string_equal(text_at(json_object_get(data, "unreadable"), "fault"),
                        "file is not a database");
    json_decref(data);
    get(page_answer, "/", HTTP_STATUS_OK);
    get(page_answer, "/?domain=full.example", HTTP_STATUS_OK);
    assert_true(body_has("not known here: file is not a database."));
    assert_true(body_has("class=\"verdict warning\""));
    get(page_answer_domain, "/domain/full.example", HTTP_STATUS_OK);
}

static void a_state_that_another_has_locked_is_said(void **state)
{
    struct sqlite3 *other = NULL;
    json_t *data;

    (void)state;
    assert_int_equal(sqlite3_open("state.db", &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "PRAGMA locking_mode = EXCLUSIVE; DELETE FROM sync_runs",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    data = overview_data(0);
    assert_string_equal(text_at(json_object_get(data, "unreadable"), "fault"),
                        "database is locked");
    assert_null(json_object_get(data, "unverified"));
    json_decref(data);
    get(page_answer_domain, "/domain/full.example", HTTP_STATUS_OK);
    sqlite3_close(other);
    data = overview_data(0);
    assert_null(json_object_get(data, "unreadable"));
    json_decref(data);
}

static void the_files_of_the_page_are_there(void **state)
{
    (void)state;
    get(page_answer_file, "/page.css", HTTP_STATUS_OK);
    assert_true(body_has("{"));
    get(page_answer_file, "/page.js?x", HTTP_STATUS_OK);
    assert_true(body_has("use strict"));
    get(page_answer_file, "/icon.svg", HTTP_STATUS_OK);
    assert_true(body_has("<svg"));
}

#define FAILING(NAME, FUNCTION, TARGET)                                                            \
    static int NAME(void)                                                                          \
    {                                                                                              \
        maker.held.generation = 0;                                                                 \
        return request(FUNCTION, TARGET);                                                          \
    }

FAILING(get_overview, page_answer, "/")
FAILING(get_domain_page, page_answer, "/?domain=waits.example")
FAILING(get_retiring_page, page_answer, "/?domain=left.example")
FAILING(get_search_page, page_answer, "/?q=b%C3%BCcher")
FAILING(get_refusal, page_answer, "/?q=%")
FAILING(get_not_found, page_answer, "/?domain=other.example")
FAILING(get_finding_page, page_answer, "/?finding=2-0")
FAILING(get_finding, page_answer_domains, "/domains?finding=2-0")
FAILING(get_domain, page_answer_domain, "/domain/full.example")
FAILING(get_domains, page_answer_domains, "/domains?state=retiring")
FAILING(get_style, page_answer_file, "/page.css")

static void every_failed_allocation_fails_the_reply(void **state)
{
    static int (*const requests[])(void) = {get_overview,     get_domain_page, get_retiring_page,
                                            get_search_page,  get_refusal,     get_not_found,
                                            get_finding_page, get_finding,     get_domain,
                                            get_domains,      get_style};
    struct diagnostics diagnostics = DIAGNOSTICS_INIT;

    (void)state;
    diagnostics_error(&diagnostics, (struct place){.file = "a"}, "bad");
    status_set_refused(maker.status, &diagnostics, NULL, 0);
    diagnostics_deinit(&diagnostics);
    save_run(1780000000, 7);
    save_run(1780000300, 2);
    for (size_t i = 0; i < ARRAY_LENGTH(requests); i++)
        assert_true(failing_malloc_each(requests[i]) > 0);
    assert_true(failing_malloc_each(get_overview) > 50);
}

/* As above, but only one allocation fails, and what comes after it does not. */
static void one_failed_allocation_is_enough(void **state)
{
    bool failed = true;

    (void)state;
    save_run(1780000000, 7);
    for (size_t n = 0; failed; n++) {
        int r;

        failing_malloc_once(n);
        r = get_overview();
        failed = failing_malloc_end();
        assert_int_equal(r, failed ? -ENOMEM : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)
        TEST(a_domain_is_told_with_its_records),
        TEST(a_retiring_domain_is_told_with_its_former_policy),
        TEST(a_domain_that_reports_alone_has_no_id),
        TEST(own_zones_are_told_with_their_apex),
        TEST(what_is_not_ours_is_not_found),
        TEST(what_is_no_query_is_refused),
        TEST(a_search_gives_hits_and_where_it_goes_on),
        TEST(a_page_of_hits_links_to_the_next),
        TEST(a_search_of_the_same_snapshot_has_the_same_tag),
        TEST(the_overview_names_what_is_held_back_waits_and_retires),
        TEST(the_overview_shows_the_errors_of_a_refused_reload),
        TEST(policies_are_shown_fifty_at_a_time),
        TEST(a_domain_has_a_page_with_its_history),
        TEST(it_is_told_what_happens_to_a_domain_by_itself),
        TEST(findings_are_told_of_all_domains_and_of_one),
        TEST(it_is_told_when_a_domain_was_looked_at_or_that_it_was_not),
        TEST(findings_are_text_on_the_pages),
        TEST(all_domains_of_a_finding_are_listed_page_by_page),
        TEST(a_domain_of_a_finding_may_have_gone),
        TEST(a_finding_of_an_earlier_run_is_said_to_be_over),
        TEST(the_overview_says_when_nothing_was_verified_lately),
        TEST(runs_become_points_of_plots),
        TEST(the_last_runs_are_told_in_numbers),
        TEST(a_refused_sync_is_told_with_its_numbers),
        TEST(without_a_state_the_pages_are_there_all_the_same),
        TEST(a_state_that_cannot_be_read_is_said),
        TEST(a_state_that_another_has_locked_is_said),
        TEST(the_files_of_the_page_are_there),
        TEST(every_failed_allocation_fails_the_reply),
        TEST(one_failed_allocation_is_enough),
#undef TEST
    };

    jansson_alloc_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
