/* A service that runs, while one allocation after the other fails: in starting, in answering each
 * kind of question over each transport, and in reloading. Whatever PowerDNS would take for an
 * answer must be the right one; all else it reports as an error. */
#include "cmocka_all.h"
#include "failing_malloc.h"
#include "net/http.h"
#include "protocol/jansson_alloc.h"
#include "service/service.h"
#include "service/signals.h"
#include "sockets.h"
#include "temporary.h"

#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

enum {
    REPLY_MAX = 1 << 19,
    MANY = 400,        /* domains with own zones, where replies are to be long */
    LONG_MIN = 100000, /* octets: several pieces, see zone_methods.c */
};

static in_port_t port, policy_port, admin_port;
static struct service *service;

/* How allocations fail: all from one on, or one alone. */
static void (*const ways[])(size_t n) = {failing_malloc_after, failing_malloc_once};

/* CATALOG is a further key for zones, MORE a further policy, or nothing. */
static void write_config(unsigned int id, const char *catalog, const char *more)
{
    char text[1024];

    snprintf(text, sizeof(text),
             "listen: {http: {address: \"127.0.0.1:%u\"}, unix: {path: \"%s/s\"},\n"
             "         policy: {address: \"127.0.0.1:%u\"}, admin: {address: \"127.0.0.1:%u\"}}\n"
             "zones: {nameservers: ns1.example.net, hostmaster: hostmaster.example.net%s}\n"
             "policies:\n%s"
             "  - {domain: example.net, mode: enforce, mx: mail.example.net, id: \"%u\",\n"
             "     rua: mailto:a@example.net, policy_host: [192.0.2.1, \"2001:db8::1\"],\n"
             "     domains: [member-%u.example], domain_files: a.list}\n",
             port, getenv("PWD"), policy_port, admin_port, catalog, more, id, id);
    temporary_write("config.yaml", text);
}

/* Questions, as a method with its components and its parameters; the replies do not change. */
struct question {
    const char *method, *components, *parameters;
};

static const struct question questions[] = {
    {"lookup", "/_mta%2dsts%2eexample%2enet%2e/ANY",
     "{\"qname\":\"_mta-sts.example.net.\",\"qtype\":\"ANY\"}"},
    {"lookup", "/mta%2dsts%2eexample%2enet%2e/ANY",
     "{\"qname\":\"mta-sts.example.net.\",\"qtype\":\"ANY\",\"zone-id\":1}"},
    {"lookup", "/_tls%2elisted%2eexample%2e/TXT",
     "{\"qtype\":\"TXT\",\"qname\":\"\\u005ftls.listed.example.\"}"},
    {"lookup", "/www%2eexample%2enet%2e/ANY", "{\"qname\":\"www.example.net.\",\"qtype\":\"ANY\"}"},
    {"APILookup", "/_mta%2dsts%2elisted%2eexample%2e/ANY",
     "{\"qname\":\"_mta-sts.listed.example.\",\"qtype\":\"ANY\",\"include-disabled\":true}"},
    {"initialize", "", "{\"path\":\"/run/pdns.sock\"}"},
    {"list", "/1/example%2enet%2e", "{\"zonename\":\"example.net.\",\"domain_id\":1}"},
    {"getAllDomains", "", "{\"include_disabled\":true}"},
    {"getDomainInfo", "/example%2enet%2e", "{\"name\":\"example.net.\"}"},
    {"getAllDomainMetadata", "/example%2enet%2e", "{\"name\":\"example.net.\"}"},
    {"getDomainMetadata", "/example%2enet%2e/X", "{\"name\":\"example.net.\",\"kind\":\"X\"}"},
    {"getUpdatedMasters", "", "{}"},
    {"lookup", "/_mta%2dsts%2ezone%2eexample%2e/SOA",
     "{\"qname\":\"_mta-sts.zone.example.\",\"qtype\":\"SOA\",\"zone-id\":-1}"},
    {"list", "/1000001/_mta%2dsts%2ezone%2eexample%2e",
     "{\"zonename\":\"_mta-sts.zone.example.\",\"domain_id\":1000001}"},
    {"getDomainInfo", "/_mta%2dsts%2ezone%2eexample%2e", "{\"name\":\"_mta-sts.zone.example.\"}"},
    {"getAllDomainMetadata", "/_mta%2dsts%2ezone%2eexample%2e",
     "{\"name\":\"_mta-sts.zone.example.\"}"},
    {"setNotified", "/1000001", "{\"id\":1000001,\"serial\":8}"},
    {"searchRecords", "?pattern=mta*&maxResults=9", "{\"pattern\":\"mta*\",\"maxResults\":9}"},
    {"directBackendCmd", "/status", "{\"query\":\"status\"}"},
    {"getDomainKeys", "/example%2enet%2e", "{\"name\":\"example.net.\"}"},
    {"startTransaction", "/1/example%2enet%2e/1", "{\"domain\":\"example.net.\",\"trxid\":1}"},
    {"someLaterMethod", "/x", "{\"x\":[1,{\"y\":null}]}"},
};

/* Those whose replies are long where there are many own zones. */
static const struct question long_questions[] = {
    {"getAllDomains", "", "{\"include_disabled\":true}"},
    {"list", "/1000001/catalog%2eexample%2e",
     "{\"zonename\":\"catalog.example.\",\"domain_id\":1000001}"},
    {"getUpdatedMasters", "", "{}"},
    {"searchRecords", "?pattern=*&maxResults=1500", "{\"pattern\":\"*\",\"maxResults\":1500}"},
};

static void write_get(const struct question *question, struct buffer *out)
{
    /* What no component says PowerDNS sends in the query or in the body; other methods do not look
     * at it. */
    const char *body = question->components[0] == '?' ? "" : "serial=8%2e000000&query=status";

    buffer_printf(out, "PATCH /dns/%s%s HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n%s",
                  question->method, question->components, strlen(body), body);
}

static void write_post(const char *path, const struct buffer *body, struct buffer *out)
{
    buffer_printf(out, "POST /dns%s HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n%.*s", path,
                  body->length, (int)body->length, body->data);
}

static void write_form(const struct question *question, struct buffer *out)
{
    CLEANUP(buffer_deinit) struct buffer path = BUFFER_INIT, body = BUFFER_INIT;

    buffer_printf(&path, "/%s%c", question->method, '\0');
    buffer_printf(&body, "parameters=%s", question->parameters);
    write_post(path.data, &body, out);
}

static void write_object(const struct question *question, struct buffer *out)
{
    buffer_printf(out, "{\"method\":\"%s\",\"parameters\":%s}", question->method,
                  question->parameters);
}

static void write_json(const struct question *question, struct buffer *out)
{
    CLEANUP(buffer_deinit) struct buffer body = BUFFER_INIT;

    write_object(question, &body);
    write_post("", &body, out);
}

static void write_line(const struct question *question, struct buffer *out)
{
    write_object(question, out);
    buffer_add_string(out, "\n");
}

static int connect_http(void)
{
    return sockets_connect_tcp(port);
}

static int connect_unix(void)
{
    return sockets_connect_unix("s");
}

/* Whether a reply is one that PowerDNS takes for no answer; so is a connection that ends. A long
 * reply may end before its time. */
static bool is_http_error(const char *reply)
{
    if (strstr(reply, "\r\nTransfer-Encoding: chunked\r\n"))
        return !strstr(reply, "\r\n0\r\n\r\n");
    return strncmp(reply, "HTTP/1.1 500 ", 13) == 0;
}

static bool is_unix_error(const char *reply)
{
    return strncmp(reply, "{\"error\":", 9) == 0 || !strchr(reply, '\n');
}

static const struct transport {
    const char *name;
    int (*connect)(void);
    void (*write)(const struct question *question, struct buffer *out);
    bool (*is_error)(const char *reply);
} transports[] = {
    {"get", connect_http, write_get, is_http_error},
    {"form", connect_http, write_form, is_http_error},
    {"json", connect_http, write_json, is_http_error},
    {"unix", connect_unix, write_line, is_unix_error},
};

/* Sends a request and reads what comes, up to the end of the connection or of a line of JSON. */
static void exchange(int fd, const struct buffer *request, char reply[REPLY_MAX])
{
    size_t length = 0;
    ssize_t n;

    send(fd, request->data, request->length, MSG_NOSIGNAL);
    while ((n = recv(fd, reply + length, REPLY_MAX - 1 - length, 0)) > 0) {
        length += (size_t)n;
        if (reply[0] == '{' && reply[length - 1] == '\n')
            break;
    }
    reply[length] = '\0';
}

/* Sends a request on a new connection and reads the reply, while allocations fail behind the first
 * N. Returns whether one did. */
static bool exchange_without_memory(int fd, const struct buffer *request,
                                    void (*begin_failing)(size_t n), size_t n,
                                    char reply[REPLY_MAX])
{
    bool failed;

    assert_true(fd >= 0);
    begin_failing(n);
    exchange(fd, request, reply);
    failed = failing_malloc_end();
    close(fd);
    return failed;
}

static bool ask(const struct transport *transport, const struct question *question,
                void (*begin_failing)(size_t n), size_t n, char reply[REPLY_MAX])
{
    CLEANUP(buffer_deinit) struct buffer request = BUFFER_INIT;

    transport->write(question, &request);
    return exchange_without_memory(transport->connect(), &request, begin_failing, n, reply);
}

/* What came of a question that was asked again and again. */
struct tally {
    size_t failed; /* allocations */
    size_t cut;    /* replies that ended in the middle */
    size_t length; /* of the answer */
};

/* Asks a question again and again, failing one allocation after the other; the last reply is that
 * without a failure. All answers must be the same. */
static struct tally fail_each(const struct transport *transport, const struct question *question,
                              void (*begin_failing)(size_t n))
{
    static char reply[REPLY_MAX], answer[REPLY_MAX];
    struct tally tally = {0};
    bool failed;

    answer[0] = '\0';
    do {
        failed = ask(transport, question, begin_failing, tally.failed, reply);
        tally.failed += failed;
        if (failed && (!reply[0] || transport->is_error(reply))) {
            tally.cut += strstr(reply, "{\"result\":") != NULL;
            continue;
        }
        if (!strstr(reply, "{\"result\":"))
            fail_msg("%s %s: %s", transport->name, question->method, reply);
        if (!answer[0])
            strcpy(answer, reply);
        assert_string_equal(reply, answer);
    } while (failed);
    tally.length = strlen(answer);
    return tally;
}

/* Starts the service. Returns 0, or why it could not. */
static int start(void)
{
    int64_t processor_ms;
    int r = service_new("config.yaml", &service);

    if (r)
        return r;
    r = service_end_load(service, &processor_ms);
    if (r)
        service_free(service);
    return r;
}

/* What a thread keeps for later requests is allocated by the first one, so all is asked twice. */
static void ask_all(const struct transport *transport, void (*begin_failing)(size_t n))
{
    size_t n = 0;

    assert_int_equal(start(), 0);
    for (size_t i = 0; i < 2 * ARRAY_LENGTH(questions); i++)
        n += fail_each(transport, &questions[i % ARRAY_LENGTH(questions)], begin_failing).failed;
    assert_true(n > ARRAY_LENGTH(questions));
    service_free(service);
}

static void no_answer_is_false_because_memory_ran_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(transports); i++)
        for (size_t way = 0; way < ARRAY_LENGTH(ways); way++)
            ask_all(&transports[i], ways[way]);
}

/* As ask_all; here replies must be seen to end in the middle. */
static void ask_for_much(const struct transport *transport, void (*begin_failing)(size_t n))
{
    size_t n_cut = 0;

    assert_int_equal(start(), 0);
    for (size_t i = 0; i < 2 * ARRAY_LENGTH(long_questions); i++) {
        struct tally tally =
            fail_each(transport, &long_questions[i % ARRAY_LENGTH(long_questions)], begin_failing);

        assert_in_range(tally.length, LONG_MIN, REPLY_MAX - 2);
        n_cut += tally.cut;
    }
    assert_true(n_cut > ARRAY_LENGTH(long_questions));
    service_free(service);
}

static void a_long_reply_comes_whole_or_is_seen_to_be_cut(void **state)
{
    (void)state;
    temporary_write("many.list", "");
    for (unsigned int i = 0; i < MANY; i++) {
        char line[100];

        snprintf(line, sizeof(line), "member-%u.with-a-name-of-some-length.example\n", i);
        temporary_append("many.list", line);
    }
    write_config(
        0, ", catalog: catalog.example",
        "  - {domain: zone.example, mode: none, policy_host: 192.0.2.2, authority: zones,\n"
        "     rua: mailto:a@example.net, domain_files: many.list}\n");
    for (size_t i = 0; i < ARRAY_LENGTH(transports); i++)
        for (size_t way = 0; way < ARRAY_LENGTH(ways); way++)
            ask_for_much(&transports[i], ways[way]);
}

#define REQUEST(PATH)                                                                              \
    "GET " PATH " HTTP/1.1\r\nHost: mta-sts.example.net\r\nConnection: close\r\n\r\n"

/* What the other listeners serve, and what is on it. */
static const struct page {
    const in_port_t *port;
    const char *request, *content;
} pages[] = {
    {&policy_port, REQUEST("/.well-known/mta-sts.txt"), "\r\nmx: mail.example.net\r\nmax_age: "},
    {&admin_port, REQUEST("/metrics"), "\npdns_mta_sts_"},
    {&admin_port, REQUEST("/status"), "\"serving\":true"},
    {&admin_port, REQUEST("/healthz"), "\r\n\r\nserving\n"},
};

static void get_each(const struct page *page, void (*begin_failing)(size_t n))
{
    CLEANUP(buffer_deinit) struct buffer request = BUFFER_INIT;
    static char reply[REPLY_MAX];
    size_t n = 0;
    bool failed;

    buffer_add_string(&request, page->request);
    do {
        failed = exchange_without_memory(sockets_connect_tcp(*page->port), &request, begin_failing,
                                         n++, reply);
        if (!failed || (reply[0] && !is_http_error(reply)))
            assert_true(strncmp(reply, "HTTP/1.1 200 ", 13) == 0 && strstr(reply, page->content));
    } while (failed);
}

static void a_page_is_whole_or_an_error(void **state)
{
    (void)state;
    for (size_t way = 0; way < ARRAY_LENGTH(ways); way++) {
        assert_int_equal(start(), 0);
        for (size_t i = 0; i < 2 * ARRAY_LENGTH(pages); i++)
            get_each(&pages[i % ARRAY_LENGTH(pages)], ways[way]);
        service_free(service);
    }
}

static int start_and_stop(void)
{
    int r = start();

    if (r == 0)
        service_free(service);
    return r;
}

/* Without a state: writing that may fail, and is tried again. */
static void a_service_starts_whole_or_not_at_all(void **state)
{
    (void)state;
    write_config(0, "", "");
    temporary_append("config.yaml", "state: none\n");
    assert_true(failing_malloc_each(start_and_stop) > 50);
    assert_int_equal(access("s", F_OK), -1);
}

/* The number that all answers of a snapshot have in common. */
static unsigned int serving(void)
{
    const struct transport *unix_transport = &transports[ARRAY_LENGTH(transports) - 1];
    const struct question id = {.method = "lookup", .parameters = questions[0].parameters};
    struct question member = {.method = "lookup"};
    static char reply[REPLY_MAX];
    char parameters[100];
    const char *found;
    unsigned int number = 0;

    ask(unix_transport, &id, failing_malloc_after, SIZE_MAX, reply);
    found = strstr(reply, "v=STSv1; id=");
    assert_non_null(found);
    assert_int_equal(sscanf(found, "v=STSv1; id=%u", &number), 1);
    snprintf(parameters, sizeof(parameters),
             "{\"qname\":\"_mta-sts.member-%u.example.\",\"qtype\":\"ANY\"}", number);
    member.parameters = parameters;
    ask(unix_transport, &member, failing_malloc_after, SIZE_MAX, reply);
    assert_non_null(strstr(reply, "\"content\":\"_mta-sts.example.net\""));
    return number;
}

/* A reload takes effect whole or not at all, and always if nothing failed. */
static void reload_each(void (*begin_failing)(size_t n))
{
    unsigned int kept = 0, number = 0;
    int64_t processor_ms;
    bool failed = true;

    for (unsigned int n = 0; failed; n++) {
        unsigned int before = serving();

        write_config(++number, "", "");
        begin_failing(n);
        service_begin_reload(service);
        if (service_is_loading(service))
            assert_int_equal(service_end_load(service, &processor_ms), 0);
        failed = failing_malloc_end();
        assert_true(serving() == number || (failed && serving() == before));
        kept += serving() == before;
    }
    assert_true(kept > 50);
}

static void a_reload_without_memory_leaves_the_old_snapshot(void **state)
{
    (void)state;
    for (size_t way = 0; way < ARRAY_LENGTH(ways); way++) {
        write_config(0, "", "");
        assert_int_equal(start(), 0);
        reload_each(ways[way]);
        service_free(service);
    }
}

static int set_up(void **state)
{
    signals_block();
    event_set_mem_functions(__wrap_malloc, __wrap_realloc, free);
    jansson_alloc_init();
    json_object_seed(1);
    assert_int_equal(temporary_enter(state), 0);
    setenv("STATE_DIRECTORY", *state, 1);
    setenv("PWD", *state, 1);
    port = sockets_free_port();
    policy_port = sockets_free_port();
    admin_port = sockets_free_port();
    temporary_write("a.list", "listed.example\n");
    write_config(0, "", "  - {domain: zone.example, mode: none, authority: zones}\n");
    return 0;
}

#define TEST(FUNCTION) cmocka_unit_test_setup_teardown(FUNCTION, set_up, temporary_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(no_answer_is_false_because_memory_ran_out),
        TEST(a_long_reply_comes_whole_or_is_seen_to_be_cut),
        TEST(a_page_is_whole_or_an_error),
        TEST(a_service_starts_whole_or_not_at_all),
        TEST(a_reload_without_memory_leaves_the_old_snapshot),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
