#include "cmocka_all.h"
#include "fixture.h"
#include "fixture_answer.h"
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

/* Begins a snapshot with own zones, which have one name server. */
static struct builder *begin_zones(const char *nameserver, const char *hostmaster,
                                   struct name catalog)
{
    const struct name name = fixture_name(nameserver);
    const struct zone_settings settings = {&name, 1, fixture_name(hostmaster), catalog};
    struct builder *builder;

    assert_int_equal(builder_new(1, &builder), 0);
    assert_int_equal(builder_set_zones(builder, &settings), 0);
    return builder;
}

/* Adds a policy that has reports alone, and so one zone a domain. */
static uint32_t add_reports(struct builder *builder, const char *primary, const char *uri,
                            uint32_t ttl)
{
    const struct policy_spec spec = {
        .primary = fixture_name(primary), .rua = &uri, .n_rua = 1, .ttl = ttl, .zones = true};
    uint32_t policy;

    assert_int_equal(builder_add_policy(builder, &spec, 0, &policy), 0);
    return policy;
}

static void add_member(struct builder *builder, uint32_t policy, const char *domain)
{
    const struct name name = fixture_name(domain);

    assert_int_equal(builder_add_member(builder, policy, DOMAIN_DIRECT, false, &name, 0), 0);
}

/* The snapshot that follows upon another one, if an id waits. */
static struct snapshot *follow(const struct snapshot *loaded, const struct snapshot *before,
                               uint32_t files_mtime, const struct announcement *waiting)
{
    struct snapshot *snapshot;

    assert_int_equal(
        snapshot_follow(loaded, before, files_mtime, waiting, waiting ? 1 : 0, &snapshot), 0);
    return snapshot;
}

/* Ends it: as loaded after another one, from files of some time. */
static struct snapshot *end_zones(struct builder *builder, uint32_t files_mtime,
                                  const struct snapshot *before, const struct announcement *waiting)
{
    CLEANUP(snapshot_unref_pointer) struct snapshot *loaded = NULL;

    assert_int_equal(builder_freeze(builder, files_mtime, NULL, NULL, &loaded), 0);
    builder_free(builder);
    return follow(loaded, before, files_mtime, waiting);
}

enum { MANY = 10000 /* zones, for which getUpdatedMasters is asked some times */ };

/* One zone for each of many domains. */
static struct snapshot *many_zones(void)
{
    struct builder *builder = begin_zones("ns.example", "h.example", (struct name){0});
    uint32_t policy = add_reports(builder, "many.example", "mailto:a@example.net", 60);
    char domain[32];

    for (size_t i = 1; i < MANY; i++) {
        snprintf(domain, sizeof(domain), "domain-%zu.example", i);
        add_member(builder, policy, domain);
    }
    return end_zones(builder, 1000, NULL, NULL);
}

static void free_notify(struct notify **notify)
{
    notify_free(*notify);
}

/* The zone of a name. */
static struct zone zone_of(const struct snapshot *snapshot, const char *name)
{
    struct zone zone;

    for (size_t i = 0; i < snapshot_n_zones(snapshot); i++) {
        snapshot_zone(snapshot, i, &zone);
        if (strcmp(zone.name.text, name) == 0)
            return zone;
    }
    fail_msg("no zone %s", name);
    return zone;
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
        struct zone zone = zone_of(snapshot, names[i]);

        assert_in_range(zone.id, ZONE_ID_MIN, ZONE_ID_MAX);
        assert_int_equal(zone.serial, 1000);
    }
}

static void ids_ascend_and_are_the_same_in_another_snapshot(void **state)
{
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *one = fixture_zones(),
                    *other = fixture_zones();
    struct zone before, zone;

    (void)state;
    for (size_t i = 0; i < snapshot_n_zones(one); i++, before = zone) {
        snapshot_zone(one, i, &zone);
        assert_int_equal(zone_of(other, zone.name.text).id, zone.id);
        assert_true(i == 0 || zone.id > before.id);
    }
}

static void an_apex_has_soa_ns_and_the_records(void **state)
{
    CLEANUP(snapshot_unref_pointer) struct snapshot *snapshot = fixture_zones();
    CLEANUP(buffer_deinit) struct buffer expected = BUFFER_INIT;
    struct zone zone = zone_of(snapshot, "mta-sts.member.example");

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
                 "\"content\":\"ns1.example.\",\"ttl\":3600},{\"qtype\":\"NS\","
                 "\"qname\":\"_tls.only-rua.example\",\"content\":\"ns2.example.\","
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
                      "\"content\":\"%s.\",\"ttl\":0",
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

enum {
    LONG_CONTENT = 15900, /* octets at least of a record's content */
    ANY_OCTETS = 1000,    /* '?' in a pattern */
};

/* One zone with a long record, which ends in 'a' and a quote. */
static struct snapshot *long_record(void)
{
    struct builder *builder = begin_zones("ns.example", "h.example", (struct name){0});
    char uri[LONG_CONTENT + 1] = "mailto:";

    memset(uri + 7, 'a', LONG_CONTENT - 7);
    add_reports(builder, "long.example", uri, 60);
    return end_zones(builder, 1000, NULL, NULL);
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
    CLEANUP(snapshot_unref_pointer) struct snapshot *same = follow(snapshot, snapshot, 2000, NULL);
    CLEANUP(snapshot_unref_pointer) struct snapshot *later = follow(snapshot, NULL, 2000, NULL);
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

    assert_int_equal(zone_of(same, "mta-sts.full.example").serial, 1000);
    assert_int_equal(notify_prepare(notify, later), 0);
    notify_adopt(notify);
    assert_int_equal(notify_pending(notify), snapshot_n_zones(later));
    zone = zone_of(later, "_tls.only-rua.example");
    notify_set(notify, zone.id, 2000);
    notify_set(notify, zone.id + 1, 2000);
    assert_int_equal(notify_pending(notify), snapshot_n_zones(later) - 1);
    ask(later, notify, updated, &reply);
    assert_null(strstr(reply.data, "_tls.only-rua.example"));
    assert_non_null(strstr(reply.data, "mta-sts.member.example"));
}

/* Notes that each zone of a reply was notified; returns how many. */
static size_t notify_each(struct notify *notify, const char *reply)
{
    static const char key[] = "{\"id\":";
    size_t n = 0;

    for (const char *at = strstr(reply, key); at; at = strstr(at + 1, key), n++)
        notify_set(notify, (uint32_t)strtoul(at + strlen(key), NULL, 10), 1000);
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
        n += notify_each(notify, reply.data);
        assert_int_equal(notify_pending(notify), MANY - n);
        n_replies++;
    }
    assert_int_equal(n, MANY);
    assert_in_range(n_replies, 3, 10);
}

/* A policy of one member. */
static struct snapshot *one_policy(const char *member, const char *rua, uint32_t files_mtime,
                                   const struct snapshot *before)
{
    struct builder *builder = begin_zones("ns.example", "h.example", (struct name){0});

    add_member(builder, add_reports(builder, "changing.example", rua, 60), member);
    return end_zones(builder, files_mtime, before, NULL);
}

static void a_serial_rises_with_the_records_and_with_nothing_else(void **state)
{
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *first = one_policy("a.example", "mailto:a@b.c", 10, NULL);
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *same = one_policy("b.example", "mailto:a@b.c", 20, first);
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *other = one_policy("b.example", "mailto:x@b.c", 30, same);
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *old = one_policy("b.example", "mailto:y@b.c", 5, other);

    (void)state;
    assert_int_equal(zone_of(first, "_tls.changing.example").serial, 10);
    assert_int_equal(zone_of(same, "_tls.changing.example").serial, 10);
    assert_int_equal(zone_of(same, "_tls.b.example").serial, 20);
    assert_int_equal(zone_of(other, "_tls.b.example").serial, 30);
    assert_int_equal(zone_of(old, "_tls.b.example").serial, 31);
}

/* A policy of one domain under some name server and hostmaster. */
static struct snapshot *under(const char *nameserver, const char *hostmaster, uint32_t files_mtime,
                              const struct snapshot *before)
{
    struct builder *builder = begin_zones(nameserver, hostmaster, fixture_name("cat.example"));
    struct policy_spec spec = fixture_full_spec();
    uint32_t policy;

    spec.zones = true;
    assert_int_equal(builder_add_policy(builder, &spec, 0, &policy), 0);
    return end_zones(builder, files_mtime, before, NULL);
}

static void another_authority_is_a_change(void **state)
{
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *first = under("a.example", "h.example", 10, NULL);
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *same = under("a.example", "h.example", 20, first);
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *other = under("a.example", "i.example", 30, same);
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *third = under("b.example", "i.example", 40, other);

    (void)state;
    assert_int_equal(zone_of(same, "cat.example").serial, 10);
    assert_int_equal(zone_of(other, "cat.example").serial, 30);
    assert_int_equal(zone_of(other, "_tls.full.example").serial, 30);
    assert_int_equal(zone_of(third, "cat.example").serial, 40);
    assert_int_equal(zone_of(third, "_tls.full.example").serial, 40);
}

/* Two policies, the first of which changes with the member that is in one of them. */
static struct snapshot *member_of(bool second, uint32_t files_mtime, const struct snapshot *before)
{
    struct builder *builder = begin_zones("ns.example", "h.example", (struct name){0});
    const uint32_t policies[] = {
        add_reports(builder, "first.example", "mailto:a@b.example", second ? 61 : 60),
        add_reports(builder, "second.example", "mailto:a@b.example", 70),
    };

    add_member(builder, policies[second], "member.example");
    return end_zones(builder, files_mtime, before, NULL);
}

static void a_domain_that_moves_never_gets_a_lower_serial(void **state)
{
    CLEANUP(snapshot_unref_pointer) struct snapshot *first = member_of(false, 10, NULL);
    CLEANUP(snapshot_unref_pointer) struct snapshot *moved = member_of(true, 20, first);
    CLEANUP(snapshot_unref_pointer) struct snapshot *same = member_of(true, 30, moved);
    CLEANUP(snapshot_unref_pointer) struct snapshot *back = member_of(false, 20, same);

    (void)state;
    assert_int_equal(zone_of(moved, "_tls.member.example").serial, 20);
    assert_int_equal(zone_of(moved, "_tls.second.example").serial, 10);
    assert_int_equal(zone_of(same, "_tls.member.example").serial, 20);
    assert_int_equal(zone_of(back, "_tls.member.example").serial, 21);
    assert_int_equal(zone_of(back, "_tls.second.example").serial, 10);
}

static void a_zone_that_comes_back_has_a_higher_serial_than_it_had(void **state)
{
    CLEANUP(snapshot_unref_pointer) struct snapshot *first = member_of(false, 10, NULL);
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *gone = under("a.example", "h.example", 10, first);
    CLEANUP(snapshot_unref_pointer) struct snapshot *overlay = fixture_snapshot();
    CLEANUP(snapshot_unref_pointer) struct snapshot *none = follow(overlay, gone, 10, NULL);
    CLEANUP(snapshot_unref_pointer) struct snapshot *back = member_of(false, 10, none);
    CLEANUP(snapshot_unref_pointer) struct snapshot *later = member_of(false, 20, none);

    (void)state;
    assert_int_equal(zone_of(gone, "_tls.full.example").serial, 11);
    assert_int_equal(snapshot_n_zones(none), 0);
    assert_int_equal(zone_of(back, "_tls.member.example").serial, 12);
    assert_int_equal(zone_of(later, "_tls.member.example").serial, 20);
}

/* A policy whose one zone waits for the certificate. */
static struct snapshot *announced(bool held, uint32_t files_mtime, const struct snapshot *before)
{
    const struct name nameserver = fixture_name("ns.example");
    const struct zone_settings settings = {&nameserver, 1, fixture_name("h.example"), {0}};
    struct policy_spec spec = fixture_full_spec();
    struct builder *builder;
    uint32_t policy;

    spec.n_rua = spec.n_addresses = 0;
    spec.zones = true;
    spec.held = held;
    assert_int_equal(builder_new(1, &builder), 0);
    assert_int_equal(builder_set_zones(builder, &settings), 0);
    assert_int_equal(builder_add_policy(builder, &spec, 0, &policy), 0);
    return end_zones(builder, files_mtime, before, NULL);
}

static void a_zone_that_was_held_back_has_a_serial(void **state)
{
    CLEANUP(snapshot_unref_pointer) struct snapshot *held = announced(true, 10, NULL);
    CLEANUP(snapshot_unref_pointer) struct snapshot *shown = announced(false, 20, held);

    (void)state;
    assert_int_equal(snapshot_n_zones(held), 0);
    assert_int_equal(zone_of(shown, "_mta-sts.full.example").serial, 10);
}

static void an_id_that_waits_lowers_no_serial_of_a_late_domain(void **state)
{
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *first = one_policy("a.example", "mailto:a@b.c", 10, NULL);
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *late = one_policy("b.example", "mailto:a@b.c", 20, first);
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *loaded = one_policy("b.example", "mailto:x@b.c", 30, late);
    CLEANUP(snapshot_unref_pointer) struct snapshot *waiting = NULL;

    (void)state;
    assert_int_equal(zone_of(late, "_tls.b.example").serial, 20);
    assert_int_equal(zone_of(loaded, "_tls.b.example").serial, 30);
    assert_int_equal(snapshot_announce(loaded, late, NULL, 0, &waiting), 0);
    assert_true(zone_of(waiting, "_tls.b.example").serial >= 20);
}

/* A policy with an id and one without, in one of which there may be a member. */
struct two {
    const char *hostmaster, *id;
    uint32_t ttl; /* of the second policy */
    enum { NOWHERE, IN_FIRST, IN_SECOND } member;
    bool waits; /* the id of the first policy, while the one before is announced */
};

static const struct announcement id_before = {.policy = 0, .id = {"one", 3}};

static struct snapshot *two_policies(const struct two *two, uint32_t files_mtime,
                                     const struct snapshot *before)
{
    struct builder *builder = begin_zones("ns.example", two->hostmaster, (struct name){0});
    const struct policy_spec spec = {
        .primary = fixture_name("first.example"),
        .mode = POLICY_MODE_NONE,
        .max_age = 60,
        .fixed_id = two->id,
        .ttl = 60,
        .zones = true,
    };
    uint32_t first, second;

    assert_int_equal(builder_add_policy(builder, &spec, 0, &first), 0);
    second = add_reports(builder, "second.example", "mailto:a@b.example", two->ttl);
    if (two->member)
        add_member(builder, two->member == IN_FIRST ? first : second, "member.example");
    return end_zones(builder, files_mtime, before, two->waits ? &id_before : NULL);
}

/* What is published of it while the id that the first policy had still waits. */
static struct snapshot *while_one_waits(struct snapshot *loaded, const struct snapshot *before)
{
    struct snapshot *waiting;

    assert_int_equal(snapshot_announce(loaded, before, &id_before, 1, &waiting), 0);
    return waiting;
}

static void a_domain_that_moves_to_an_id_that_waits_gets_two_serials(void **state)
{
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *first =
        two_policies(&(struct two){"h.example", "one", 60, IN_SECOND, false}, 10, NULL);
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *before =
        two_policies(&(struct two){"h.example", "one", 61, IN_SECOND, false}, 20, first);
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *loaded =
        two_policies(&(struct two){"h.example", "two", 61, IN_FIRST, true}, 5, before);
    CLEANUP(snapshot_unref_pointer) struct snapshot *waiting = while_one_waits(loaded, before);

    (void)state;
    assert_int_equal(zone_of(before, "_tls.member.example").serial, 20);
    assert_int_equal(zone_of(waiting, "_mta-sts.first.example").serial, 10);
    assert_int_equal(zone_of(waiting, "_mta-sts.member.example").serial, 21);
    assert_int_equal(zone_of(loaded, "_mta-sts.member.example").serial, 22);
}

static void a_zone_that_comes_back_while_an_id_waits_has_a_higher_serial(void **state)
{
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *first =
        two_policies(&(struct two){"h.example", "one", 60, IN_SECOND, false}, 10, NULL);
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *gone =
        two_policies(&(struct two){"h.example", "one", 60, NOWHERE, false}, 5, first);
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *loaded =
        two_policies(&(struct two){"h.example", "two", 60, IN_SECOND, true}, 5, gone);
    CLEANUP(snapshot_unref_pointer) struct snapshot *waiting = while_one_waits(loaded, gone);

    (void)state;
    assert_int_equal(zone_of(first, "_tls.member.example").serial, 10);
    assert_int_equal(zone_of(waiting, "_tls.member.example").serial, 11);
    assert_int_equal(zone_of(loaded, "_tls.member.example").serial, 11);
}

static void another_authority_is_a_change_while_an_id_waits(void **state)
{
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *before =
        two_policies(&(struct two){"h.example", "one", 60, NOWHERE, false}, 10, NULL);
    CLEANUP(snapshot_unref_pointer)
    struct snapshot *loaded =
        two_policies(&(struct two){"i.example", "two", 60, NOWHERE, true}, 20, before);
    CLEANUP(snapshot_unref_pointer) struct snapshot *waiting = while_one_waits(loaded, before);

    (void)state;
    assert_int_equal(zone_of(waiting, "_mta-sts.first.example").serial, 19);
    assert_int_equal(zone_of(loaded, "_mta-sts.first.example").serial, 20);
}

static void an_id_that_waits_has_a_serial_below_its_own(void **state)
{
    CLEANUP(snapshot_unref_pointer) struct snapshot *before = fixture_zones();
    const struct announcement same_id = {.policy = 0, .id = snapshot_policy(before, 0)->id};
    const struct announcement old_id = {.policy = 0, .id = TEXT("old")};
    CLEANUP(snapshot_unref_pointer) struct snapshot *same = follow(before, before, 2000, &same_id);
    CLEANUP(snapshot_unref_pointer) struct snapshot *loaded = follow(before, NULL, 2000, &old_id);
    CLEANUP(snapshot_unref_pointer) struct snapshot *unchanged = NULL, *waiting = NULL;

    (void)state;
    /* What is published stays the same for now, and so do the serials. */
    assert_int_equal(snapshot_announce(same, before, &same_id, 1, &unchanged), 0);
    assert_int_equal(zone_of(unchanged, "_mta-sts.full.example").serial, 1000);
    assert_int_equal(zone_of(unchanged, "mta-sts.member.example").serial, 1000);
    assert_int_equal(snapshot_announce(loaded, before, &old_id, 1, &waiting), 0);
    assert_int_equal(zone_of(waiting, "_mta-sts.full.example").serial, 1999);
    assert_int_equal(zone_of(loaded, "_mta-sts.full.example").serial, 2000);
    assert_int_equal(zone_of(waiting, "_tls.only-rua.example").serial, 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_domain_has_the_zones_that_its_policy_fills),
        cmocka_unit_test(ids_ascend_and_are_the_same_in_another_snapshot),
        cmocka_unit_test(an_apex_has_soa_ns_and_the_records),
        cmocka_unit_test(a_zone_is_listed_whole),
        cmocka_unit_test(the_catalog_points_to_every_zone_but_itself),
        cmocka_unit_test(records_are_found_by_name_and_content),
        cmocka_unit_test(a_search_compares_so_many_octets_a_piece_and_no_more),
        cmocka_unit_test(only_what_was_not_notified_is_updated),
        cmocka_unit_test(many_updated_zones_come_in_several_replies),
        cmocka_unit_test(a_serial_rises_with_the_records_and_with_nothing_else),
        cmocka_unit_test(a_domain_that_moves_never_gets_a_lower_serial),
        cmocka_unit_test(a_zone_that_comes_back_has_a_higher_serial_than_it_had),
        cmocka_unit_test(a_zone_that_was_held_back_has_a_serial),
        cmocka_unit_test(an_id_that_waits_lowers_no_serial_of_a_late_domain),
        cmocka_unit_test(a_domain_that_moves_to_an_id_that_waits_gets_two_serials),
        cmocka_unit_test(a_zone_that_comes_back_while_an_id_waits_has_a_higher_serial),
        cmocka_unit_test(another_authority_is_a_change_while_an_id_waits),
        cmocka_unit_test(another_authority_is_a_change),
        cmocka_unit_test(an_id_that_waits_has_a_serial_below_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
