#include "answer/lookup.h"
#include "cmocka_all.h"
#include "fixture.h"
#include "fixture_answer.h"
#include "protocol/zone_methods.h"
#include "protocol/zone_stream.h"
#include "snapshot/zones.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* Asks in JSON, with what was notified so far; the whole reply is a terminated string in OUT. */
static void ask(struct snapshot *snapshot, struct notify *notify, const char *json,
                struct buffer *out)
{
    CLEANUP(request_deinit) struct request request = REQUEST_INIT;

    buffer_clear(out);
    assert_int_equal(request_decode_json(&request, text_from(json)), 0);
    fixture_answer(&request, snapshot, notify, out);
    buffer_add(out, "", 1);
    assert_false(out->failed);
}

static void assert_reply(struct snapshot *snapshot, const char *json, const char *expected)
{
    CLEANUP(buffer_deinit) struct buffer reply = BUFFER_INIT;

    ask(snapshot, NULL, json, &reply);
    assert_string_equal(reply.data, expected);
}

enum { MANY = 10000 /* zones, for which getUpdatedMasters is asked some times */ };

/* One zone for each of many domains. */
static struct snapshot *many_zones(void)
{
    struct builder *builder = fixture_begin_zones("ns.example", "h.example", (struct name){0});
    uint32_t policy = fixture_add_reports(builder, "many.example", "mailto:a@example.net", 60);
    char domain[32];

    for (size_t i = 1; i < MANY; i++) {
        snprintf(domain, sizeof(domain), "domain-%zu.example", i);
        fixture_add_member(builder, policy, domain);
    }
    return fixture_end_zones(builder, 1000, NULL, NULL);
}

static void free_notify(struct notify **notify)
{
    notify_free(*notify);
}

static void every_domain_has_the_zones_that_its_policy_fills(void **state)
{
    CLEANUP(snapshot_unref_pointer) struct snapshot *snapshot = fixture_zones();
    static const char *const names[] = {"_mta-sts.full.example", "_tls.full.example",
                                        "mta-sts.full.example",  "_mta-sts.member.example",
                                        "_tls.member.example",   "mta-sts.member.example",
                                        "_tls.only-rua.example", "cat.example"};

    (void)state;
    assert_int_equal(snapshot_n_zones(snapshot), ARRAY_LENGTH(names));
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        struct zone zone = fixture_zone(snapshot, names[i]);

        assert_in_range(zone.id, ZONE_ID_MIN, ZONE_ID_MAX);
        assert_int_equal(zone.serial, 1000);
    }
}

static void ids_ascend_and_are_the_same_in_another_snapshot(void **state)
{
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *one = fixture_zones(), *other = fixture_zones();
    struct zone before, zone;

    (void)state;
    for (size_t i = 0; i < snapshot_n_zones(one); i++, before = zone) {
        snapshot_zone(one, i, &zone);
        assert_int_equal(fixture_zone(other, zone.name.text).id, zone.id);
        assert_true(i == 0 || zone.id > before.id);
    }
}

static void an_apex_has_soa_ns_and_the_records(void **state)
{
    CLEANUP(snapshot_unref_pointer) struct snapshot *snapshot = fixture_zones();
    CLEANUP(buffer_deinit) struct buffer expected = BUFFER_INIT;
    struct zone zone = fixture_zone(snapshot, "mta-sts.member.example");

    (void)state;
    buffer_printf(&expected,
                  "{\"result\":[{\"qtype\":\"SOA\",\"qname\":\"mta-sts.member.example\","
                  "\"content\":\"ns1.example. hostmaster.example. 1000 3600 600 2419200 300\","
                  "\"ttl\":3600,\"domain_id\":%u}]}",
                  zone.id);
    buffer_add(&expected, "", 1);
    assert_reply(snapshot,
                 "{\"method\":\"lookup\",\"parameters\":{\"qname\":\"MTA-STS.member.example.\","
                 "\"qtype\":\"SOA\",\"zone-id\":-1}}",
                 expected.data);
    assert_reply(snapshot,
                 "{\"method\":\"lookup\",\"parameters\":{\"qname\":\"mta-sts.member.example.\","
                 "\"qtype\":\"CNAME\"}}",
                 "{\"result\":[]}");
    assert_reply(snapshot,
                 "{\"method\":\"lookup\",\"parameters\":{\"qname\":\"_tls.only-rua.example.\","
                 "\"qtype\":\"NS\"}}",
                 "{\"result\":[{\"qtype\":\"NS\",\"qname\":\"_tls.only-rua.example\","
                 "\"content\":\"ns1.example\",\"ttl\":3600},{\"qtype\":\"NS\","
                 "\"qname\":\"_tls.only-rua.example\",\"content\":\"ns2.example\","
                 "\"ttl\":3600}]}");
}

static void a_zone_is_listed_whole(void **state)
{
    CLEANUP(snapshot_unref_pointer) struct snapshot *snapshot = fixture_zones();
    CLEANUP(buffer_deinit) struct buffer reply = BUFFER_INIT;
    size_t rows = 0;

    (void)state;
    ask(snapshot, NULL,
        "{\"method\":\"list\",\"parameters\":{\"zonename\":\"_tls.member.example.\","
        "\"domain_id\":1}}",
        &reply);
    for (const char *at = reply.data; (at = strstr(at, "\"qtype\"")); at++)
        rows++;
    assert_int_equal(rows, 4);
    assert_non_null(strstr(reply.data, "_smtp._tls.member.example"));
    assert_reply(snapshot,
                 "{\"method\":\"list\",\"parameters\":{\"zonename\":\"_smtp._tls.member.example.\","
                 "\"domain_id\":1}}",
                 "{\"result\":false}");
    assert_reply(snapshot,
                 "{\"method\":\"list\",\"parameters\":{\"zonename\":\"_mta-sts.overlay.example.\","
                 "\"domain_id\":1}}",
                 "{\"result\":false}");
}

static void the_catalog_points_to_every_zone_but_itself(void **state)
{
    CLEANUP(snapshot_unref_pointer) struct snapshot *snapshot = fixture_zones();
    CLEANUP(buffer_deinit) struct buffer reply = BUFFER_INIT, question = BUFFER_INIT;
    struct zone zone;

    (void)state;
    ask(snapshot, NULL,
        "{\"method\":\"list\",\"parameters\":{\"zonename\":\"cat.example.\",\"domain_id\":1}}",
        &reply);
    for (size_t i = 0; i < snapshot_n_zones(snapshot); i++) {
        CLEANUP(buffer_deinit) struct buffer row = BUFFER_INIT, one = BUFFER_INIT;
        char label[ZONE_LABEL_LENGTH + 1];

        snapshot_zone(snapshot, i, &zone);
        zones_label(name_text(&zone.name), label);
        buffer_printf(&row,
                      "{\"qtype\":\"PTR\",\"qname\":\"%s.zones.cat.example\","
                      "\"content\":\"%s\",\"ttl\":0",
                      label, zone.name.text);
        buffer_add(&row, "", 1);
        assert_true((strstr(reply.data, row.data) != NULL) == !zone.catalog);
        buffer_clear(&question);
        buffer_printf(&question,
                      "{\"method\":\"lookup\",\"parameters\":{\"qname\":\"%s.zones.cat.example.\","
                      "\"qtype\":\"PTR\"}}",
                      label);
        buffer_add(&question, "", 1);
        ask(snapshot, NULL, question.data, &one);
        assert_true((strstr(one.data, row.data) != NULL) == !zone.catalog);
    }
    assert_non_null(
        strstr(reply.data, "\"qname\":\"version.cat.example\",\"content\":\"\\\"2\\\"\""));
}

/* Whether the catalog zone of a part says that it lists a zone: in its list, and if asked. */
static bool part_lists(struct snapshot *snapshot, unsigned int part, const struct zone *zone)
{
    CLEANUP(buffer_deinit) struct buffer row = BUFFER_INIT, question = BUFFER_INIT;
    CLEANUP(buffer_deinit) struct buffer list = BUFFER_INIT, one = BUFFER_INIT;
    char label[ZONE_LABEL_LENGTH + 1];
    bool listed;

    zones_label(name_text(&zone->name), label);
    buffer_printf(&row, "\"qname\":\"%s.zones.%u.cat.example\",\"content\":\"%s\"", label, part,
                  zone->name.text);
    buffer_printf(&question,
                  "{\"method\":\"list\",\"parameters\":{\"zonename\":\"%u.cat.example.\","
                  "\"domain_id\":1}}",
                  part);
    ask(snapshot, NULL, buffer_string(&question), &list);
    listed = strstr(list.data, buffer_string(&row));
    buffer_clear(&question);
    buffer_printf(&question,
                  "{\"method\":\"lookup\",\"parameters\":{\"qname\":\"%s.zones.%u.cat.example.\","
                  "\"qtype\":\"PTR\"}}",
                  label, part);
    ask(snapshot, NULL, buffer_string(&question), &one);
    assert_int_equal(strstr(one.data, row.data) != NULL, listed);
    return listed;
}

static void each_zone_is_in_one_part_of_the_catalog(void **state)
{
    CLEANUP(snapshot_unref_pointer) struct snapshot *snapshot = fixture_parts(20, 3);
    size_t in_part[3] = {0};
    struct zone zone;

    (void)state;
    for (size_t i = 0; i < snapshot_n_zones(snapshot); i++) {
        size_t n = 0;

        snapshot_zone(snapshot, i, &zone);
        for (unsigned int part = 0; part < 3; part++) {
            bool listed = part_lists(snapshot, part, &zone);

            assert_true(!listed || part == zone.part);
            in_part[part] += listed;
            n += listed;
        }
        assert_int_equal(n, zone.catalog ? 0 : 1);
    }
    for (unsigned int part = 0; part < 3; part++) {
        assert_true(in_part[part] > 0);
        assert_int_equal(in_part[part], snapshot_zones(snapshot)->parts[part].n);
    }
}

static void a_part_has_its_number_in_its_plain_form(void **state)
{
    static const char *const none[] = {
        "cat.example",     "3.cat.example",       "00.cat.example",  "01.cat.example",
        "+1.cat.example",  "version.cat.example", "x.cat.example",   "1x.cat.example",
        "1.1.cat.example", "zones.cat.example",   "256.cat.example", "4294967296.cat.example",
    };
    CLEANUP(snapshot_unref_pointer) struct snapshot *snapshot = fixture_parts(20, 3);
    struct answer answer;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(none); i++)
        assert_false(lookup_find(snapshot, text_from(none[i]), &answer));
    assert_true(lookup_find(snapshot, TEXT("2.cat.example"), &answer));
    assert_true(lookup_find(snapshot, TEXT("version.2.cat.example"), &answer));
    assert_true(lookup_find(snapshot, TEXT("zones.2.cat.example"), &answer));
}

/* How many records a search finds. */
static size_t search(struct snapshot *snapshot, const char *pattern, unsigned int most)
{
    CLEANUP(buffer_deinit) struct buffer request = BUFFER_INIT, reply = BUFFER_INIT;
    size_t n = 0;

    buffer_printf(&request,
                  "{\"method\":\"searchRecords\",\"parameters\":{\"pattern\":\"%s\","
                  "\"maxResults\":%u}}",
                  pattern, most);
    buffer_add(&request, "", 1);
    ask(snapshot, NULL, request.data, &reply);
    for (const char *at = reply.data; (at = strstr(at, "\"qtype\"")); at++)
        n++;
    return n;
}

static void records_are_found_by_name_and_content(void **state)
{
    CLEANUP(snapshot_unref_pointer) struct snapshot *snapshot = fixture_zones();

    (void)state;
    assert_int_equal(search(snapshot, "_SMTP._tls.member.example.", 100), 1);
    assert_int_equal(search(snapshot, "_smtp*", 100), 3);
    assert_int_equal(search(snapshot, "*v=TLSRPTv1*", 100), 3);
    assert_int_equal(search(snapshot, "?smtp.*.?ember.example", 100), 1);
    assert_int_equal(search(snapshot, "ns1.example", 100), 7);
    assert_int_equal(search(snapshot, "ns1.example.", 100), 7);
    assert_int_equal(search(snapshot, "*", 5), 5);
    assert_int_equal(search(snapshot, "*", 0), 0);
    assert_int_equal(search(snapshot, "**_smtp***.*?**member***", 100), 1);
    assert_int_equal(search(snapshot, "***", 5), 5);
    assert_int_equal(search(snapshot, "smtp*", 100), 0);
    assert_int_equal(search(snapshot, "*overlay*", 100), 0);
}

static void a_search_for_everything_fits_into_a_reply(void **state)
{
    enum { REPLY_MAX = 2 << 20, MEMBERS = 10000 };
    CLEANUP(snapshot_unref_pointer) struct snapshot *snapshot = fixture_parts(MEMBERS, 1);
    CLEANUP(buffer_deinit) struct buffer reply = BUFFER_INIT;

    (void)state;
    ask(snapshot, NULL,
        "{\"method\":\"searchRecords\",\"parameters\":{\"pattern\":\"*\",\"maxResults\":4000000000}"
        "}",
        &reply);
    assert_in_range(reply.length, REPLY_MAX / 2, REPLY_MAX);
    assert_non_null(strstr(reply.data, "}]}"));
}

enum {
    LONG_CONTENT = 15900, /* octets at least of a record's content */
    ANY_OCTETS = 1000,    /* '?' in a pattern */
};

/* One zone with a long record, which ends in 'a' and a quote. */
static struct snapshot *long_record(void)
{
    struct builder *builder = fixture_begin_zones("ns.example", "h.example", (struct name){0});
    char uri[LONG_CONTENT + 1] = "mailto:";

    memset(uri + 7, 'a', LONG_CONTENT - 7);
    fixture_add_reports(builder, "long.example", uri, 60);
    return fixture_end_zones(builder, 1000, NULL, NULL);
}

/* Searches for '*', many '?' and an end. Returns in how many pieces the result comes. */
static size_t search_in_pieces(struct snapshot *snapshot, const char *end, struct buffer *result)
{
    struct argument arguments[PARAMETER_COUNT] = {0};
    struct method_call call = {.arguments = arguments, .snapshot = snapshot, .reply = result};
    char pattern[ANY_OCTETS + 8] = "*";
    size_t n = 1;

    memset(pattern + 1, '?', ANY_OCTETS);
    strcpy(pattern + 1 + ANY_OCTETS, end);
    arguments[PARAMETER_PATTERN].text = text_from(pattern);
    arguments[PARAMETER_MAX_RESULTS].number = 10;
    assert_int_equal(method_answer(method_find(TEXT("searchRecords")), &call), OUTCOME_ANSWERED);
    while (call.rest->more(call.rest, result))
        n++;
    producer_free(call.rest);
    assert_non_null(buffer_string(result));
    return n;
}

/* All pieces but the last do all the work that a piece may. */
static void a_search_compares_so_many_octets_a_piece_and_no_more(void **state)
{
    CLEANUP(snapshot_unref_pointer) struct snapshot *snapshot = long_record();
    CLEANUP(buffer_deinit) struct buffer none = BUFFER_INIT, found = BUFFER_INIT;
    /* The end is looked for at each octet of the content, but for the last ones. */
    size_t work = (LONG_CONTENT - ANY_OCTETS) * ANY_OCTETS;
    size_t pieces = search_in_pieces(snapshot, "b", &none);

    (void)state;
    assert_string_equal(none.data, "{\"result\":[]}");
    assert_in_range(pieces, work / ZONE_STREAM_WORK, work / ZONE_STREAM_WORK * 5 / 4);
    assert_true(work / ZONE_STREAM_WORK > 20);
    pieces = search_in_pieces(snapshot, "a?", &found);
    assert_in_range(pieces, work / ZONE_STREAM_WORK, work / ZONE_STREAM_WORK * 5 / 4);
    assert_non_null(strstr(found.data, "[{\"qtype\":\"TXT\""));
    assert_null(strstr(found.data, "},{"));
}

static void only_what_was_not_notified_is_updated(void **state)
{
    CLEANUP(snapshot_unref_pointer) struct snapshot *snapshot = fixture_zones();
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *same = fixture_follow(snapshot, snapshot, 2000, NULL);
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *later = fixture_follow(snapshot, NULL, 2000, NULL);
    CLEANUP(free_notify) struct notify *notify = NULL;
    CLEANUP(buffer_deinit) struct buffer reply = BUFFER_INIT, request = BUFFER_INIT;
    static const char updated[] = "{\"method\":\"getUpdatedMasters\",\"parameters\":{}}";
    struct zone zone;

    (void)state;
    notify = fixture_notify(snapshot);
    assert_int_equal(notify_pending(notify), snapshot_n_zones(snapshot));
    for (size_t i = 0; i < snapshot_n_zones(snapshot); i++) {
        snapshot_zone(snapshot, i, &zone);
        buffer_clear(&request);
        buffer_printf(&request,
                      "{\"method\":\"setNotified\",\"parameters\":{\"id\":%u,\"serial\":%u.0}}",
                      zone.id, zone.serial);
        buffer_add(&request, "", 1);
        ask(snapshot, notify, request.data, &reply);
        assert_string_equal(reply.data, "{\"result\":true}");
    }
    ask(snapshot, notify, updated, &reply);
    assert_string_equal(reply.data, "{\"result\":[]}");

    assert_int_equal(fixture_zone(same, "mta-sts.full.example").serial, 1000);
    assert_int_equal(notify_prepare(notify, later, NULL), 0);
    notify_adopt(notify);
    assert_int_equal(notify_pending(notify), snapshot_n_zones(later));
    zone = fixture_zone(later, "_tls.only-rua.example");
    notify_set(notify, zone.id, 2000);
    notify_set(notify, zone.id + 1, 2000);
    assert_int_equal(notify_pending(notify), snapshot_n_zones(later) - 1);
    ask(later, notify, updated, &reply);
    assert_null(strstr(reply.data, "_tls.only-rua.example"));
    assert_non_null(strstr(reply.data, "mta-sts.member.example"));
}

/* Notes that each zone of a reply was notified; returns how many. */
static size_t notify_each(struct notify *notify, const char *reply, uint32_t serial)
{
    static const char key[] = "{\"id\":";
    size_t n = 0;

    for (const char *at = strstr(reply, key); at; at = strstr(at + 1, key), n++)
        notify_set(notify, (uint32_t)strtoul(at + strlen(key), NULL, 10), serial);
    return n;
}

static void many_updated_zones_come_in_several_replies(void **state)
{
    CLEANUP(snapshot_unref_pointer) struct snapshot *snapshot = many_zones();
    CLEANUP(free_notify) struct notify *notify = NULL;
    CLEANUP(buffer_deinit) struct buffer reply = BUFFER_INIT;
    size_t n_replies = 0, n = 0;

    (void)state;
    notify = fixture_notify(snapshot);
    while (notify_pending(notify) > 0) {
        ask(snapshot, notify, "{\"method\":\"getUpdatedMasters\",\"parameters\":{}}", &reply);
        assert_in_range(reply.length, 100, (256 << 10) + 512);
        n += notify_each(notify, reply.data, 1000);
        assert_int_equal(notify_pending(notify), MANY - n);
        n_replies++;
    }
    assert_int_equal(n, MANY);
    assert_in_range(n_replies, 3, 10);
}

static void lengths_of_lists_are_told_before_they_are_made(void **state)
{
    enum { PARTS = 3, SHORTER = 3 /* octets of an id, which has 7 to 10 digits */ };
    const uint32_t serial = 4000000000;
    CLEANUP(snapshot_unref_pointer) struct snapshot *loaded = fixture_parts(100, PARTS);
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *snapshot = fixture_follow(loaded, NULL, serial, NULL);
    CLEANUP(free_notify) struct notify *notify = fixture_notify(snapshot);
    CLEANUP(buffer_deinit) struct buffer reply = BUFFER_INIT;
    size_t length = zone_methods_all_length(snapshot);
    char request[128];

    (void)state;
    ask(snapshot, notify, "{\"method\":\"getUpdatedMasters\",\"parameters\":{}}", &reply);
    assert_int_equal(notify_each(notify, reply.data, serial), snapshot_n_zones(snapshot));
    ask(snapshot, notify, "{\"method\":\"getAllDomains\",\"parameters\":{}}", &reply);
    assert_in_range(strlen(reply.data), length - SHORTER * snapshot_n_zones(snapshot), length);
    for (unsigned int part = 0; part < PARTS; part++) {
        snprintf(request, sizeof(request),
                 "{\"method\":\"list\",\"parameters\":{\"zonename\":\"%u.cat.example.\","
                 "\"domain_id\":-1}}",
                 part);
        ask(snapshot, notify, request, &reply);
        assert_int_equal(strlen(reply.data), zone_methods_catalog_length(snapshot, part));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_domain_has_the_zones_that_its_policy_fills),
        cmocka_unit_test(ids_ascend_and_are_the_same_in_another_snapshot),
        cmocka_unit_test(an_apex_has_soa_ns_and_the_records),
        cmocka_unit_test(a_zone_is_listed_whole),
        cmocka_unit_test(the_catalog_points_to_every_zone_but_itself),
        cmocka_unit_test(each_zone_is_in_one_part_of_the_catalog),
        cmocka_unit_test(a_part_has_its_number_in_its_plain_form),
        cmocka_unit_test(records_are_found_by_name_and_content),
        cmocka_unit_test(a_search_for_everything_fits_into_a_reply),
        cmocka_unit_test(a_search_compares_so_many_octets_a_piece_and_no_more),
        cmocka_unit_test(only_what_was_not_notified_is_updated),
        cmocka_unit_test(many_updated_zones_come_in_several_replies),
        cmocka_unit_test(lengths_of_lists_are_told_before_they_are_made),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
