/* The status, and the metrics that are made of it and of counters. */
#include "admin/metrics.h"
#include "cmocka_all.h"
#include "fixture.h"

#include <jansson.h>
#include <stdio.h>

enum { PIECE_MAX = 33 << 10 /* bytes of a long reply at a time */ };

struct fixture {
    struct notify *notify;
    struct status *status;
    struct snapshot *snapshot;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    struct diagnostics none = DIAGNOSTICS_INIT;

    assert_int_equal(notify_new(&fixture.notify), 0);
    assert_int_equal(status_new(fixture.notify, &fixture.status), 0);
    fixture.snapshot = fixture_snapshot();
    status_set_snapshot(fixture.status, fixture.snapshot, status_waiting_new(0));
    status_set_applied(fixture.status, &none, 0.25);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    status_free(fixture->status);
    notify_free(fixture->notify);
    snapshot_unref(fixture->snapshot);
    return 0;
}

/* The status as the admin listener shows it. */
static json_t *read_status(struct status *status)
{
    struct producer *producer = status_json_new(status, NULL);
    struct buffer text = BUFFER_INIT;
    size_t begin = 0;
    json_t *json;

    while (producer->more(producer, &text)) {
        assert_in_range(text.length - begin, 1, PIECE_MAX);
        begin = text.length;
    }
    producer_free(producer);
    assert_false(text.failed);
    json = json_loadb(text.data, text.length, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    buffer_deinit(&text);
    return json;
}

static const char *text_at(const json_t *json, const char *key)
{
    return json_string_value(json_object_get(json, key));
}

static json_int_t number_at(const json_t *json, const char *key)
{
    return json_integer_value(json_object_get(json, key));
}

static void every_policy_is_shown_with_its_domains(void **state)
{
    struct fixture *fixture = *state;
    json_t *json = read_status(fixture->status), *policies = json_object_get(json, "policies");
    size_t domains = 0, i;
    json_t *policy;

    assert_int_equal(json_array_size(policies), snapshot_n_policies(fixture->snapshot));
    json_array_foreach(policies, i, policy) {
        const struct policy *expected = snapshot_policy(fixture->snapshot, i);

        assert_string_equal(text_at(policy, "domain"), expected->primary.data);
        if (expected->mode == POLICY_MODE_ABSENT) {
            assert_null(text_at(policy, "mode"));
            assert_null(text_at(policy, "id"));
        } else {
            assert_string_equal(text_at(policy, "mode"), policy_mode_text(expected->mode));
            assert_string_equal(text_at(policy, "id"), expected->id.data);
            assert_int_equal(number_at(policy, "max_age"), expected->max_age);
        }
        assert_null(json_object_get(policy, "authority"));
        domains += (size_t)number_at(policy, "domains");
    }
    assert_int_equal(domains, snapshot_n_domains(fixture->snapshot));
    assert_int_equal(number_at(json, "n_domains"), domains);
    assert_true(number_at(json, "snapshot_bytes") > 1000);
    assert_int_equal(number_at(json, "n_zones"), 0);
    assert_null(json_object_get(json, "catalog"));
    json_decref(json);
}

/* Has the service answer from a snapshot with zones, of which PowerDNS has notified none. */
static void serve(struct fixture *fixture, struct snapshot *zones)
{
    snapshot_unref(fixture->snapshot);
    fixture->snapshot = zones;
    assert_int_equal(notify_prepare(fixture->notify, fixture->snapshot, NULL), 0);
    notify_adopt(fixture->notify);
    status_set_snapshot(fixture->status, fixture->snapshot, status_waiting_new(0));
}

static void own_zones_are_shown_with_their_serials(void **state)
{
    struct fixture *fixture = *state;
    const json_t *policies, *catalog;
    struct zone zone;
    json_t *json;

    serve(fixture, fixture_zones());
    snapshot_catalog(fixture->snapshot, 0, &zone);
    notify_set(fixture->notify, zone.id, zone.serial);
    json = read_status(fixture->status);
    assert_int_equal(number_at(json, "n_zones"), 8);
    assert_int_equal(number_at(json, "n_zones_to_notify"), 7);
    catalog = json_object_get(json, "catalog");
    assert_string_equal(text_at(catalog, "zone"), "cat.example");
    assert_int_equal(number_at(catalog, "serial"), 1000);
    policies = json_object_get(json, "policies");
    assert_string_equal(text_at(json_array_get(policies, 0), "authority"), "zones");
    assert_int_equal(number_at(json_array_get(policies, 0), "serial"), 1000);
    assert_int_equal(number_at(json_array_get(policies, 0), "zones"), 6);
    assert_int_equal(number_at(json_array_get(policies, 1), "zones"), 1);
    assert_null(json_object_get(json_array_get(policies, 2), "authority"));
    json_decref(json);
}

static void a_refused_reload_is_told_with_its_errors(void **state)
{
    struct fixture *fixture = *state;
    struct diagnostics diagnostics = DIAGNOSTICS_INIT;
    struct place place = {.file = "a \"b\".yaml", .line = 3, .column = 4};
    json_t *json, *reload, *errors;

    diagnostics_error(&diagnostics, place, "found \\, expected /");
    diagnostics_warning(&diagnostics, place, "careful");
    status_set_refused(fixture->status, &diagnostics, "Permission denied", 1.5);
    diagnostics_deinit(&diagnostics);
    json = read_status(fixture->status);
    reload = json_object_get(json, "last_reload");
    errors = json_object_get(reload, "errors");
    assert_string_equal(text_at(reload, "result"), "refused");
    assert_int_equal(number_at(reload, "n_errors"), 2);
    assert_int_equal(number_at(reload, "warnings"), 1);
    assert_int_equal(json_array_size(errors), 2);
    assert_string_equal(json_string_value(json_array_get(errors, 0)),
                        "a \"b\".yaml:3:4: found \\, expected /");
    assert_string_equal(json_string_value(json_array_get(errors, 1)), "Permission denied");
    assert_int_equal(number_at(json, "generation"), 1);
    json_decref(json);
}

static void an_applied_reload_forgets_the_errors(void **state)
{
    struct fixture *fixture = *state;
    struct diagnostics none = DIAGNOSTICS_INIT;
    json_t *json, *reload;

    status_set_refused(fixture->status, &none, "Permission denied", 0);
    status_set_snapshot(fixture->status, fixture->snapshot, status_waiting_new(0));
    status_set_applied(fixture->status, &none, 0);
    json = read_status(fixture->status);
    reload = json_object_get(json, "last_reload");
    assert_string_equal(text_at(reload, "result"), "applied");
    assert_int_equal(json_array_size(json_object_get(reload, "errors")), 0);
    assert_int_equal(number_at(json, "generation"), 2);
    json_decref(json);
}

/* Ids that wait of the first policies. */
static struct status_waiting *waiting_of(size_t n)
{
    struct status_waiting *waiting = status_waiting_new(n);

    for (size_t i = 0; i < n; i++)
        waiting->ids[i] = (struct status_waiting_id){
            .policy = (uint32_t)i, .announced = "old", .next = "new", .due = 1790000000};
    return waiting;
}

static void ids_that_wait_are_shown_until_none_does(void **state)
{
    struct fixture *fixture = *state;
    const json_t *second;
    json_t *json;

    status_set_snapshot(fixture->status, fixture->snapshot, waiting_of(2));
    json = read_status(fixture->status);
    assert_int_equal(json_array_size(json_object_get(json, "waiting")), 2);
    second = json_array_get(json_object_get(json, "waiting"), 1);
    assert_string_equal(text_at(second, "domain"),
                        snapshot_policy(fixture->snapshot, 1)->primary.data);
    assert_string_equal(text_at(second, "announced"), "old");
    assert_string_equal(text_at(second, "next"), "new");
    assert_string_equal(text_at(second, "due"), "2026-09-21T14:13:20Z");
    json_decref(json);
    status_set_snapshot(fixture->status, fixture->snapshot, waiting_of(0));
    json = read_status(fixture->status);
    assert_true(json_is_array(json_object_get(json, "waiting")));
    assert_int_equal(json_array_size(json_object_get(json, "waiting")), 0);
    json_decref(json);
}

static void an_id_that_waits_is_found_by_its_policy(void **state)
{
    struct fixture *fixture = *state;
    struct status_waiting *waiting = waiting_of(2);
    struct status_view view;

    waiting->ids[0].policy = 1;
    waiting->ids[1].policy = 3;
    status_set_snapshot(fixture->status, fixture->snapshot, waiting);
    status_read(fixture->status, &view);
    for (size_t i = 0; i < snapshot_n_policies(view.snapshot); i++)
        assert_ptr_equal(status_view_waiting(&view, snapshot_policy(view.snapshot, i)),
                         i == 1   ? &waiting->ids[0]
                         : i == 3 ? &waiting->ids[1]
                                  : NULL);
    status_view_deinit(&view);
}

static void a_view_outlives_what_it_was_taken_from(void **state)
{
    struct fixture *fixture = *state;
    struct snapshot *later = fixture_snapshot();
    struct status_view view;

    status_read(fixture->status, &view);
    status_set_snapshot(fixture->status, later, status_waiting_new(0));
    snapshot_unref(later);
    assert_ptr_equal(view.snapshot, fixture->snapshot);
    fixture->snapshot = snapshot_unref(fixture->snapshot);
    assert_int_equal(snapshot_n_policies(view.snapshot), 5);
    status_view_deinit(&view);
}

/* Whether the metrics have a line. */
static bool has_line(const struct buffer *metrics, const char *line)
{
    char wanted[256];

    snprintf(wanted, sizeof(wanted), "\n%s\n", line);
    return memmem(metrics->data, metrics->length, wanted, strlen(wanted)) != NULL;
}

static void count_request(struct counters *counters, const struct method *method,
                          enum outcome outcome)
{
    counter_add(&counters->requests[LISTENER_REMOTE][method_number(method)][outcome], 1);
}

static void counters_of_threads_are_summed(void **state)
{
    struct fixture *fixture = *state;
    const struct settings settings = {.listeners[LISTENER_REMOTE].enabled = true, .threads = 2};
    struct counters *threads[] = {counters_new(), counters_new()};
    const struct method *lookup = method_find(TEXT("lookup"));
    struct buffer metrics = BUFFER_INIT;
    struct status_view view;

    for (size_t i = 0; i < ARRAY_LENGTH(threads); i++) {
        count_request(threads[i], lookup, OUTCOME_ANSWERED);
        counter_add(&threads[i]->streams[LISTENER_REMOTE].accepted, 5);
        counter_add(&threads[i]->streams[LISTENER_REMOTE].closed, 1 + i);
    }
    count_request(threads[1], NULL, OUTCOME_MALFORMED);
    serve(fixture, fixture_zones());
    status_read(fixture->status, &view);
    metrics_write(&settings, (const struct counters *const *)threads, 2, &view, &metrics);
    assert_true(has_line(&metrics,
                         "pdns_mta_sts_requests_total{transport=\"http\",method=\"lookup\","
                         "outcome=\"answered\"} 2"));
    assert_true(has_line(&metrics, "pdns_mta_sts_requests_total{transport=\"http\",method=\"none\","
                                   "outcome=\"malformed\"} 1"));
    assert_true(has_line(&metrics, "pdns_mta_sts_connections{listener=\"http\"} 7"));
    assert_true(
        has_line(&metrics, "pdns_mta_sts_connections_accepted_total{listener=\"http\"} 10"));
    assert_true(has_line(&metrics, "pdns_mta_sts_threads 2"));
    assert_true(has_line(&metrics, "pdns_mta_sts_zones 8"));
    assert_true(has_line(&metrics, "pdns_mta_sts_zones_to_notify 8"));
    assert_true(has_line(&metrics, "pdns_mta_sts_catalog_zones{catalog=\"cat.example\"} 7"));
    assert_true(has_line(&metrics, "pdns_mta_sts_catalog_serial{catalog=\"cat.example\"} 1000"));
    assert_true(has_line(&metrics, "pdns_mta_sts_last_reload_duration_seconds 0.25"));
    assert_null(memmem(metrics.data, metrics.length, "unix", 4));
    status_view_deinit(&view);
    buffer_deinit(&metrics);
    free(threads[0]);
    free(threads[1]);
}

static void each_part_of_the_catalog_is_shown(void **state)
{
    enum { PARTS = 3 };
    struct fixture *fixture = *state;
    const struct settings settings = {.threads = 1};
    struct buffer metrics = BUFFER_INIT;
    struct status_view view;
    json_int_t listed = 0;
    json_t *json, *catalogs;

    serve(fixture, fixture_parts(20, PARTS));
    json = read_status(fixture->status);
    catalogs = json_object_get(json, "catalogs");
    assert_null(json_object_get(json, "catalog"));
    assert_int_equal(json_array_size(catalogs), PARTS);
    status_read(fixture->status, &view);
    metrics_write(&settings, NULL, 0, &view, &metrics);
    for (unsigned int part = 0; part < PARTS; part++) {
        const json_t *catalog = json_array_get(catalogs, part);
        json_int_t zones = number_at(catalog, "zones"), serial = number_at(catalog, "serial");
        char name[32], line[128];

        snprintf(name, sizeof(name), "%u.cat.example", part);
        assert_string_equal(text_at(catalog, "zone"), name);
        snprintf(line, sizeof(line), "pdns_mta_sts_catalog_zones{catalog=\"%s\"} %lld", name,
                 (long long)zones);
        assert_true(has_line(&metrics, line));
        snprintf(line, sizeof(line), "pdns_mta_sts_catalog_serial{catalog=\"%s\"} %lld", name,
                 (long long)serial);
        assert_true(has_line(&metrics, line));
        listed += zones;
    }
    assert_int_equal(listed, number_at(json, "n_zones") - PARTS);
    status_view_deinit(&view);
    buffer_deinit(&metrics);
    json_decref(json);
}

#define TEST(FUNCTION) cmocka_unit_test_setup_teardown(FUNCTION, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_policy_is_shown_with_its_domains),
        TEST(own_zones_are_shown_with_their_serials),
        TEST(a_refused_reload_is_told_with_its_errors),
        TEST(an_applied_reload_forgets_the_errors),
        TEST(ids_that_wait_are_shown_until_none_does),
        TEST(an_id_that_waits_is_found_by_its_policy),
        TEST(a_view_outlives_what_it_was_taken_from),
        TEST(counters_of_threads_are_summed),
        TEST(each_part_of_the_catalog_is_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
