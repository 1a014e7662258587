#include "cmocka_all.h"
#include "failing_malloc.h"
#include "fixture.h"
#include "fixture_answer.h"
#include "protocol/jansson_alloc.h"
#include "protocol/method.h"
#include "service/announcements.h"

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
    struct snapshot *other = NULL;
    int r = announcements_apply(&announcements, snapshot, snapshot, 0, &other);

    snapshot_unref(other);
    return r;
}

static int plan(void)
{
    struct announcements none = ANNOUNCEMENTS_INIT, planned = ANNOUNCEMENTS_INIT;
    const struct announcement before = {.policy = 0, .id = TEXT("before")};
    struct snapshot *other = NULL;
    int r = snapshot_announce(snapshot, snapshot, &before, 1, &other);

    r = r ? r : announcements_plan(&none, other, snapshot, 0, &planned);
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
        cmocka_unit_test(announcing_reports_every_failed_allocation),
        cmocka_unit_test(a_request_that_cannot_be_answered_is_a_fault_never_a_false),
        cmocka_unit_test(a_name_is_never_read_in_part),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
