#include "cmocka_all.h"
#include "failing_malloc.h"
#include "fixture.h"
#include "fixture_answer.h"
#include "protocol/jansson_alloc.h"
#include "service/announcements.h"
#include "service/remote.h"
#include "service/retirement.h"

#include <errno.h>
#include <event2/event.h>
#include <jansson.h>

static struct snapshot *snapshot;

static int build(void)
{
    struct snapshot *built = NULL;
    int r = fixture_build(&built);

    snapshot_unref(built);
    return r;
}

static void building_reports_every_failed_allocation(void **state)
{
    (void)state;
    assert_true(failing_malloc_each(build) > 20);
}

/* A snapshot with other ids, as the time before an announcement wants it. */
static int announce(void)
{
    struct waiting_id item = {.policy = 0, .id = "before", .due = 1};
    struct announcements announcements = {.items = &item, .n = 1};
    CLEANUP(past_deinit) struct past past = PAST_INIT;
    const struct domain_changes changes = DOMAIN_CHANGES_INIT;
    const struct snapshot_before before = {.past = &past, .changes = &changes};
    struct snapshot *other = NULL;
    int r = past_of(snapshot, &past);

    r = r ? r : announcements_apply(&announcements, snapshot, &before, 0, &other);
    snapshot_unref(other);
    return r;
}

static int plan(void)
{
    CLEANUP(past_deinit) struct past past = PAST_INIT;
    struct announcements planned = ANNOUNCEMENTS_INIT;
    const struct announcement before = {.policy = 0, .id = TEXT("before")};
    struct snapshot *other = NULL;
    int r = fixture_announce(snapshot, snapshot, &before, &other);

    r = r ? r : past_of(other, &past);
    r = r ? r : announcements_plan(&past, snapshot, 0, &planned);
    announcements_deinit(&planned);
    snapshot_unref(other);
    return r;
}

static void announcing_reports_every_failed_allocation(void **state)
{
    (void)state;
    assert_true(failing_malloc_each(announce) > 4);
    assert_true(failing_malloc_each(plan) > 3);
}

/* Has the domains of one snapshot retire in another one, and then some of them go. */
static int retire(void)
{
    CLEANUP(domain_changes_deinit) struct domain_changes changes = DOMAIN_CHANGES_INIT;
    CLEANUP(past_deinit) struct past past = PAST_INIT;
    CLEANUP(retirement_deinit)
    struct retirement retirement = {
        .past = &past, .published = snapshot, .directory = "/nonexistent", .now = 1};
    CLEANUP(snapshot_unref_pointer) struct snapshot *loaded = NULL;
    int r = fixture_build_zones(0, &loaded);

    r = r ? r : past_of(snapshot, &past);
    r = r ? r : retirement_apply(&retirement, &loaded, &changes);
    if (r)
        return r;
    assert_true(snapshot_n_retiring(loaded) > 5);
    retiring_set_deinit(&retirement.set);
    retirement.now = snapshot_last_until(loaded);
    retirement.directory = NULL; /* else they would begin anew, as SNAPSHOT is the past */
    r = retiring_set_add_all(&retirement.set, loaded);
    r = r ? r : retirement_apply(&retirement, &loaded, &changes);
    if (r == 0)
        assert_int_equal(snapshot_n_retiring(loaded), 0);
    return r;
}

static void retiring_reports_every_failed_allocation(void **state)
{
    (void)state;
    assert_true(failing_malloc_each(retire) > 40);
}

/* Decodes and answers as the listeners do: either the whole reply or a failure. */
static int answer(int decoded, const struct request *request)
{
    CLEANUP(buffer_deinit) struct buffer reply = BUFFER_INIT;

    if (decoded) {
        assert_int_equal(decoded, -ENOMEM);
        return decoded;
    }
    fixture_answer(request, snapshot, NULL, &reply);
    if (reply.failed)
        return -1;
    assert_memory_equal(reply.data, "{\"result\":[{", 12);
    return 0;
}

static int answer_path(void)
{
    CLEANUP(request_deinit) struct request request = REQUEST_INIT;
    int r = request_decode_path(&request, TEXT("lookup/mta%2dsts.full%2eexample%2e/ANY"), TEXT(""));

    return answer(r, &request);
}

static int answer_form(void)
{
    CLEANUP(request_deinit) struct request request = REQUEST_INIT;
    int r = request_decode_form(
        &request, TEXT("lookup"),
        TEXT("parameters={\"qname\":\"_mta-sts.full.example.\",\"qtype\":\"ANY\"}"));

    return answer(r, &request);
}

static int answer_json(void)
{
    CLEANUP(request_deinit) struct request request = REQUEST_INIT;
    int r = request_decode_any_json(
        &request, TEXT("{\"method\":\"lookup\",\"parameters\":"
                       "{\"qname\":\"_smtp._tls.full.example.\",\"qtype\":\"ANY\"}}"));

    return answer(r, &request);
}

static void a_request_that_cannot_be_answered_is_a_fault_never_a_false(void **state)
{
    (void)state;
    assert_true(failing_malloc_each(answer_path) >= 2);
    assert_true(failing_malloc_each(answer_form) > 5);
    assert_true(failing_malloc_each(answer_json) > 5);
}

/* A reader of JSON may overlook that it could not keep a character, and find another name. */
static void a_name_is_never_read_in_part(void **state)
{
    bool failed = true;

    (void)state;
    for (size_t n = 0; failed; n++) {
        CLEANUP(request_deinit) struct request request = REQUEST_INIT;
        int r;

        failing_malloc_once(n);
        r = request_decode_any_json(
            &request, TEXT("{\"method\":\"lookup\",\"parameters\":{\"qtype\":\"ANY\","
                           "\"qname\":\"_mta-sts.a-name-of-some-length.full.example.\"}}"));
        failed = failing_malloc_end();
        assert_int_equal(r, failed ? -ENOMEM : 0);
    }
}

/* How many requests are counted, whatever the outcome. */
static uint64_t n_counted(const struct counters *counters)
{
    uint64_t n = 0;

    for (size_t method = 0; method < METHOD_COUNT_MAX; method++)
        for (enum outcome outcome = 0; outcome < OUTCOME_COUNT; outcome++)
            n += counter_read(&counters->requests[LISTENER_REMOTE][method][outcome]);
    return n;
}

/* Answers a request with the Nth allocation failed, and checks that it is counted exactly if it has
 * a reply. Returns whether there was such an allocation. */
static bool answer_and_count(const char *json, const struct remote *remote, size_t n)
{
    CLEANUP(request_deinit) struct request request = REQUEST_INIT;
    CLEANUP(buffer_deinit) struct buffer reply = BUFFER_INIT;
    uint64_t before = n_counted(remote->counters);
    struct producer *rest = NULL;
    bool failed;

    assert_int_equal(request_decode_json(&request, text_from(json)), 0);
    failing_malloc_once(n);
    remote_answer(remote, &request, &reply, &rest);
    failed = failing_malloc_end();
    assert_int_equal(reply.failed, failed);
    assert_int_equal(n_counted(remote->counters) - before, failed ? 0 : 1);
    assert_true(!failed || !rest);
    producer_free(rest);
    return failed;
}

static void a_request_that_cannot_be_answered_is_not_counted_as_empty(void **state)
{
    static const char *const requests[] = {
        "{\"method\":\"getAllDomains\"}",
        "{\"method\":\"getUpdatedMasters\"}",
        "{\"method\":\"list\",\"parameters\":{\"zonename\":\"cat.example.\",\"domain_id\":1}}",
        "{\"method\":\"searchRecords\",\"parameters\":{\"pattern\":\"*\",\"maxResults\":9}}",
        "{\"method\":\"directBackendCmd\",\"parameters\":{\"query\":\"status\"}}",
        "{\"method\":\"noSuchMethod\"}",
    };
    struct snapshot *zones = fixture_zones();
    struct notify *notify = fixture_notify(zones);
    struct counters *counters = counters_new();
    const struct remote remote = {
        .listener = LISTENER_REMOTE, .snapshot = &zones, .notify = notify, .counters = counters};

    (void)state;
    assert_non_null(counters);
    for (size_t i = 0; i < ARRAY_LENGTH(requests); i++) {
        size_t n = 0;

        while (answer_and_count(requests[i], &remote, n))
            n++;
        assert_true(n > 0);
    }
    free(counters);
    notify_free(notify);
    snapshot_unref(zones);
}

static int set_up(void **state)
{
    (void)state;
    event_set_mem_functions(__wrap_malloc, __wrap_realloc, free);
    jansson_alloc_init();
    json_object_seed(1);
    snapshot = fixture_snapshot();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    snapshot_unref(snapshot);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(building_reports_every_failed_allocation),
        cmocka_unit_test(retiring_reports_every_failed_allocation),
        cmocka_unit_test(announcing_reports_every_failed_allocation),
        cmocka_unit_test(a_request_that_cannot_be_answered_is_a_fault_never_a_false),
        cmocka_unit_test(a_name_is_never_read_in_part),
        cmocka_unit_test(a_request_that_cannot_be_answered_is_not_counted_as_empty),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
