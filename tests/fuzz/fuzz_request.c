/* The three decoders and the answers to what they accept, from an overlay and from own zones. The
 * first line of the input chooses: "path", "form" or "json"; the second is the path, the rest the
 * body. What is listed or found is answered to a lookup too, a search finds what a plain reader
 * finds among all records, and what is notified is noted. */
#include "answer/lookup.h"
#include "fixture.h"
#include "fixture_answer.h"
#include "fuzz.h"
#include "snapshot/zones.h"

#include <ctype.h>
#include <jansson.h>

enum { PATTERN_MAX = 64 /* octets of a pattern that the plain reader takes */ };

static struct snapshot *overlay, *zones;
static json_t *all_records; /* of the own zones, the catalog aside, as a search gives them */

/* Returns the result of the reply, which the caller owns. */
static json_t *take_result(const struct request *request, struct snapshot *snapshot,
                           struct notify *notify)
{
    CLEANUP(buffer_deinit) struct buffer reply = BUFFER_INIT;
    json_t *parsed, *result;

    fixture_answer(request, snapshot, notify, &reply);
    MUST(!reply.failed);
    parsed = json_loadb(reply.data, reply.length, JSON_REJECT_DUPLICATES, NULL);
    MUST(json_is_object(parsed) && json_object_size(parsed) == 1);
    result = json_incref(json_object_get(parsed, "result"));
    MUST(result);
    json_decref(parsed);
    return result;
}

static json_t *ask(const char *json)
{
    CLEANUP(request_deinit) struct request request = REQUEST_INIT;

    MUST(request_decode_json(&request, text_from(json)) == 0);
    return take_result(&request, zones, NULL);
}

static struct text string_of(const json_t *row, const char *key)
{
    const json_t *value = json_object_get(row, key);

    MUST(json_is_string(value));
    return (struct text){json_string_value(value), json_string_length(value)};
}

/* A record of a list is what stands at its name. */
static void check_row(const json_t *row)
{
    struct text type = string_of(row, "qtype"), content = string_of(row, "content");
    struct answer answer;
    size_t n = 0;

    MUST(lookup_find(zones, string_of(row, "qname"), &answer));
    for (size_t i = 0; i < answer.rows.n; i++)
        n += text_equals(record_type_text(answer.rows.first[i].type), type) &&
             text_equals(answer_content(&answer, &answer.rows.first[i]), content);
    MUST(n == 1);
}

static void check_rows(const json_t *rows)
{
    for (size_t i = 0; i < json_array_size(rows); i++)
        check_row(json_array_get(rows, i));
}

/* A list is of one zone. */
static void check_list(const json_t *rows)
{
    check_rows(rows);
    for (size_t i = 0; i < json_array_size(rows); i++)
        MUST(json_equal(json_object_get(json_array_get(rows, i), "domain_id"),
                        json_object_get(json_array_get(rows, 0), "domain_id")));
}

static struct text without_dot(struct text text)
{
    if (text.length > 1 && text.data[text.length - 1] == '.')
        text.length--;
    return text;
}

/* Whether a pattern matches a text: reached[i] says whether what was read of it matches the first i
 * octets. */
static bool matches(struct text pattern, struct text text)
{
    bool reached[1024] = {true};

    MUST(text.length < ARRAY_LENGTH(reached));
    for (size_t p = 0; p < pattern.length; p++) {
        int c = tolower((unsigned char)pattern.data[p]);

        if (c == '*')
            for (size_t i = 1; i <= text.length; i++)
                reached[i] |= reached[i - 1];
        for (size_t i = text.length; c != '*' && i > 0; i--)
            reached[i] =
                reached[i - 1] && (c == '?' || c == tolower((unsigned char)text.data[i - 1]));
        reached[0] = reached[0] && c == '*';
    }
    return reached[text.length];
}

static void check_search(const struct request *request, const json_t *found)
{
    struct text pattern = without_dot(request->arguments[PARAMETER_PATTERN].text);
    uint32_t max = request->arguments[PARAMETER_MAX_RESULTS].number;
    size_t n = 0;

    MUST(json_array_size(found) <= max);
    if (pattern.length > PATTERN_MAX)
        return;
    for (size_t i = 0; i < json_array_size(all_records) && n < max; i++) {
        const json_t *row = json_array_get(all_records, i);

        if (matches(pattern, without_dot(string_of(row, "qname"))) ||
            matches(pattern, without_dot(string_of(row, "content"))))
            MUST(json_equal(json_array_get(found, n++), row));
    }
    MUST(n == json_array_size(found));
}

/* All zones are to be notified at first. */
static void check_noted(const struct request *request, struct notify *notify)
{
    uint32_t id = request->arguments[PARAMETER_ID].number,
             serial = request->arguments[PARAMETER_SERIAL].number;
    size_t n = snapshot_n_zones(zones), number = zones_find_id(snapshot_zones(zones), id);
    bool known = number < n;
    bool current = known && snapshot_zone_serial(zones, number) == serial;

    MUST(notify_serial(notify, id) == (known ? serial : 0));
    MUST(notify_pending(notify) == n - current);
    MUST(notify_next(notify, zones, 0, n) == (current && number == 0));
}

static bool is_for(const struct request *request, const char *method)
{
    return request->method && strcmp(request->method->name, method) == 0;
}

static void check_zones(const struct request *request)
{
    struct notify *notify = fixture_notify(zones);
    json_t *result = take_result(request, zones, notify);

    if (is_for(request, "getAllDomains") || is_for(request, "getUpdatedMasters"))
        MUST(json_array_size(result) == snapshot_n_zones(zones));
    else if (is_for(request, "list"))
        check_list(result);
    else if (is_for(request, "lookup"))
        check_rows(result);
    else if (is_for(request, "searchRecords"))
        check_search(request, result);
    else if (is_for(request, "setNotified"))
        check_noted(request, notify);
    json_decref(result);
    notify_free(notify);
}

/* Both readers of JSON make the same of a request. */
static void check_readers(const struct request *request, struct text body)
{
    static const enum parameter texts[] = {PARAMETER_QNAME, PARAMETER_QTYPE, PARAMETER_ZONENAME,
                                           PARAMETER_NAME,  PARAMETER_QUERY, PARAMETER_PATTERN};
    CLEANUP(request_deinit) struct request other = REQUEST_INIT;

    MUST(request_decode_any_json(&other, body) == 0 && other.method == request->method);
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
        MUST(text_equals(other.arguments[texts[i]].text, request->arguments[texts[i]].text));
    for (enum parameter parameter = 0; parameter < PARAMETER_COUNT; parameter++)
        MUST(other.arguments[parameter].number == request->arguments[parameter].number);
}

static int decode(struct request *request, struct text encoding, struct text path, struct text body)
{
    int r;

    if (text_equals(encoding, TEXT("path")))
        return request_decode_path(request, path, body);
    if (text_equals(encoding, TEXT("form")))
        return request_decode_form(request, path, body);
    r = request_decode_json(request, body);
    if (r == 0)
        check_readers(request, body);
    return r;
}

static void prepare(void)
{
    MUST(fixture_build(&overlay) == 0 && fixture_build_zones(0, &zones) == 0);
    all_records = ask("{\"method\":\"searchRecords\",\"parameters\":"
                      "{\"pattern\":\"*\",\"maxResults\":1000000}}");
    MUST(json_array_size(all_records) > snapshot_n_zones(zones));
    check_rows(all_records);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(request_deinit) struct request request = REQUEST_INIT;
    struct text body = {(const char *)data, size};
    struct text encoding = take_line(&body);
    struct text path = take_line(&body);
    int r;

    if (!overlay)
        prepare();
    r = decode(&request, encoding, path, body);
    MUST(r == 0 || r == REQUEST_MALFORMED);
    MUST((r == REQUEST_MALFORMED) == (request.fault != NULL));
    if (r == 0) {
        json_decref(take_result(&request, overlay, NULL));
        check_zones(&request);
    }
    return 0;
}
