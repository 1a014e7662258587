#include "admin/search_reply.h"

#include "admin/domain_data.h"
#include "admin/page_assets.h"
#include "admin/page_data.h"

#include <assert.h>
#include <stdio.h>

struct search_reply {
    struct producer producer; /* the first member */
    struct domain_search search;
    bool as_page;
};

static json_t *hits_data(const struct domain_search *search, bool as_page)
{
    json_t *hits = json_array();

    for (size_t i = 0; i < search->n; i++) {
        json_t *hit = domain_data_short(&search->view, &search->hits[i]);

        if (as_page)
            domain_data_add_flags(hit, &search->view, &search->hits[i]);
        json_array_append_new(hits, hit);
    }
    return hits;
}

enum { URL_MAX = 1024 };
static_assert(URL_MAX >= 3 * PAGE_QUERY_TEXT_MAX + 64, "what url_data makes fits");

/* The link to a search for the same text, with a state, which may be NULL, from a number on. */
static json_t *url_data(const struct domain_search *search, const char *state, size_t from)
{
    char url[URL_MAX] = "?q=";
    size_t n = strlen(url);

    for (const char *q = search->query.q; *q; q++)
        n +=
            (size_t)snprintf(url + n, sizeof(url) - n,
                             text_span(text_of(q, 1), "-._~") ? "%c" : "%%%02X", (unsigned char)*q);
    if (state)
        n += (size_t)snprintf(url + n, sizeof(url) - n, "&state=%s", state);
    if (from)
        snprintf(url + n, sizeof(url) - n, "&from=%zu", from);
    return json_string(url);
}

static json_t *choice_data(const struct domain_search *search, const char *state, bool current)
{
    char words[32];

    snprintf(words, sizeof(words), "%s", state ? state : "all");
    for (char *blank = words; (blank = strchr(blank, '_'));)
        *blank = ' ';
    return json_pack("{s:s, s:o, s:b}", "name", words, "url", url_data(search, state, 0), "current",
                     current);
}

/* The states to choose from: all of them, and each. */
static json_t *choices_data(const struct domain_search *search)
{
    const struct page_query *query = &search->query;
    json_t *choices = json_array();

    json_array_append_new(choices, choice_data(search, NULL, !query->has_state));
    for (enum domain_state state = 0; state < DOMAIN_STATE_COUNT; state++)
        json_array_append_new(choices, choice_data(search, domain_state_name(state),
                                                   query->has_state && query->state == state));
    return choices;
}

static json_t *json_data(const struct domain_search *search)
{
    return json_pack("{s:o, s:o}", "domains", hits_data(search, false), "next",
                     search->has_next ? json_integer((json_int_t)search->next) : json_null());
}

static json_t *page_data(const struct domain_search *search)
{
    const struct page_query *query = &search->query;
    const char *state = query->has_state ? domain_state_name(query->state) : NULL;
    json_t *data = json_pack(
        "{s:s, s:s?, s:o, s:o, s:b, s:o}", "q", query->q, "state", state, "choices",
        choices_data(search), "domains", hits_data(search, true), "none", search->n == 0,
        "next_url", search->has_next ? url_data(search, state, search->next) : json_null());

    page_data_add_service(data, &search->view);
    return data;
}

static bool search_reply_more(struct producer *producer, struct buffer *out)
{
    struct search_reply *reply = (struct search_reply *)producer;
    CLEANUP(page_data_free) json_t *data = NULL;

    if (domain_search_step(&reply->search))
        return true;
    page_data_begin();
    data = reply->as_page ? page_data(&reply->search) : json_data(&reply->search);
    if (reply->as_page)
        page_data_render(&asset_search_html, data, out);
    else
        page_data_write(data, out);
    return false;
}

static void search_reply_free(struct producer *producer)
{
    struct search_reply *reply = (struct search_reply *)producer;

    domain_search_end(&reply->search);
    free(reply);
}

/* What the reply is a function of: no snapshot is published twice. */
static void write_etag(const struct search_reply *reply, char etag[PAGE_ETAG_SIZE])
{
    const struct status_view *view = &reply->search.view;
    const struct page_query *query = &reply->search.query;
    char text[PAGE_QUERY_TEXT_MAX + 128];
    int n = snprintf(text, sizeof(text), "%lld %llu %lld %d %d %zu %s", (long long)view->started,
                     (unsigned long long)view->generation, (long long)view->ahead, reply->as_page,
                     query->has_state ? (int)query->state : -1, query->from, query->q);

    page_data_etag(text_of(text, (size_t)n), etag);
}

struct producer *search_reply_new(struct status *status, const struct page_query *query,
                                  bool as_page, char etag[PAGE_ETAG_SIZE])
{
    struct search_reply *reply = calloc(1, sizeof(*reply));

    if (!reply)
        return NULL;
    reply->producer = (struct producer){.more = search_reply_more, .free = search_reply_free};
    reply->as_page = as_page;
    if (domain_search_begin(&reply->search, status, query)) {
        search_reply_free(&reply->producer);
        return NULL;
    }
    write_etag(reply, etag);
    return &reply->producer;
}
