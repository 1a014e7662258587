/* Targets of requests for the page and for JSON about domains: "/?q=a", "/domains?q=a",
 * "/domain/a". Replies are whole, JSON is JSON, pages have no tag that no template has, and a
 * search finds what a plain reader finds. */
#include "admin/page.h"
#include "admin/page_query.h"
#include "fixture.h"
#include "fuzz.h"
#include "protocol/jansson_alloc.h"

static const struct settings settings = {.state = "none"};
static struct page_maker maker = {.settings = &settings};
static struct snapshot *snapshot;

static const struct route {
    struct text path;
    const char *content_type;
    page_answerer *answer;
} routes[] = {
    {{"/domains", 8}, "application/json", page_answer_domains},
    {{"/domain/", 8}, "application/json", page_answer_domain},
    {{"/", 1}, "text/html; charset=utf-8", page_answer},
};

static void set_up(void)
{
    struct status_waiting *waiting = status_waiting_new(1);
    struct notify *notify = NULL;

    jansson_alloc_init();
    MUST(waiting && fixture_build_states(&snapshot) == 0 && notify_new(&notify) == 0);
    MUST(status_new(notify, &maker.status) == 0);
    waiting->ids[0] = (struct status_waiting_id){.policy = 1, .announced = "old", .next = "new"};
    status_set_snapshot(maker.status, snapshot, waiting);
    status_set_serving(maker.status, true);
}

static struct http_reply request(const struct route *route, struct text target)
{
    const struct http_request asked = {.verb = HTTP_VERB_GET, .target = target};
    struct http_reply reply = {.status = HTTP_STATUS_OK, .content_type = route->content_type};

    route->answer(&maker, &asked, &reply);
    while (reply.rest && reply.rest->more(reply.rest, &reply.body))
        ;
    producer_free(reply.rest);
    MUST(!reply.body.failed && reply.body.length);
    MUST(reply.status == HTTP_STATUS_OK || reply.status == HTTP_STATUS_BAD_REQUEST ||
         reply.status == HTTP_STATUS_NOT_FOUND);
    MUST(reply.status != HTTP_STATUS_OK || reply.etag.length == PAGE_ETAG_SIZE - 1);
    return reply;
}

/* A page has one script, and what it escapes has neither '<' nor '>': these come by turns. */
static void check_page(struct text page)
{
    size_t scripts = 0;
    bool in_tag = false;

    for (; page.length; page = text_after(page, 1)) {
        scripts += text_starts_with(page, TEXT("<script"));
        if (*page.data == '<' || *page.data == '>') {
            MUST(in_tag == (*page.data == '>'));
            in_tag = !in_tag;
        }
    }
    MUST(scripts == 1 && !in_tag);
}

/* How many domains are to be found, if a plain reader can tell; else -1. */
static int count_hits(const struct page_query *query)
{
    const struct status_waiting_id *waiting;
    struct status_view view;
    struct domain domain;
    size_t length = strlen(query->q), cursor = 0, number = 0;
    int n = 0;

    for (size_t i = 0; i < length; i++)
        if ((unsigned char)query->q[i] >= 0x80 || query->q[length - 1] == '.')
            return -1;
    status_read(maker.status, &view);
    while (snapshot_next_domain(snapshot, &cursor, &domain)) {
        char name[NAME_TEXT_MAX + 1];

        waiting = status_view_waiting(&view, domain.policy);
        snprintf(name, sizeof(name), "%.*s", (int)domain.name.length, domain.name.data);
        n += number++ >= query->from && strcasestr(name, query->q) &&
             (!query->has_state || domain_state_of(&view, &domain) == query->state);
        MUST(!waiting || domain.policy == snapshot_policy(snapshot, 1));
    }
    status_view_deinit(&view);
    return n;
}

static void check_json(struct text target, const struct http_reply *reply)
{
    json_t *json = json_loadb(reply->body.data, reply->body.length, JSON_REJECT_DUPLICATES, NULL);
    const json_t *domains = json_object_get(json, "domains");
    char fault[PAGE_QUERY_FAULT_MAX];
    struct page_query query;

    MUST(json_is_object(json));
    if (domains) {
        MUST(page_query_read(target, &query, fault));
        MUST(count_hits(&query) < 0 || (size_t)count_hits(&query) == json_array_size(domains));
    } else {
        MUST(json_array_size(json_object_get(json, "records")) > 0 ||
             json_is_string(json_object_get(json, "state")));
    }
    json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text target = text_of((const char *)data, size);
    size_t i = 0;
    struct http_reply reply;

    if (!maker.status)
        set_up();
    while (i < ARRAY_LENGTH(routes) && !text_starts_with(target, routes[i].path))
        i++;
    if (i == ARRAY_LENGTH(routes))
        return 0;
    reply = request(&routes[i], target);
    if (routes[i].answer == page_answer)
        check_page(buffer_text(&reply.body));
    else if (reply.status == HTTP_STATUS_OK)
        check_json(target, &reply);
    buffer_deinit(&reply.body);
    return 0;
}
