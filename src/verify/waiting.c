#include "verify/waiting.h"

#include "base/buffer.h"

#include <curl/curl.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>

enum {
    PATIENCE_SECONDS = 3,
    REPLY_MAX = 64 << 20, /* bytes: a line for each of many policies */
};

struct waiting {
    json_t *ids; /* the array of /status, or NULL */
};

static size_t take(char *bytes, size_t size, size_t n, void *context)
{
    struct buffer *reply = context;

    if (n > REPLY_MAX - reply->length)
        return 0;
    buffer_add(reply, bytes, n);
    return reply->failed ? 0 : size * n;
}

/* Fetches /status. What cannot be fetched stays empty. */
static void fetch_status(const char *address, struct buffer *reply)
{
    CURL *easy = curl_easy_init();
    char url[128];

    if (!easy)
        return;
    snprintf(url, sizeof(url), "http://%s/status", address);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT, (long)PATIENCE_SECONDS);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, reply);
    if (curl_easy_perform(easy) != CURLE_OK)
        buffer_clear(reply);
    curl_easy_cleanup(easy);
}

int waiting_new(const struct config *config, struct waiting **out)
{
    const struct listener_settings *admin = &config->settings.listeners[LISTENER_ADMIN];
    CLEANUP(buffer_deinit) struct buffer reply = BUFFER_INIT;
    struct waiting *waiting = calloc(1, sizeof(*waiting));
    json_t *status = NULL;

    if (!waiting)
        return -ENOMEM;
    if (admin->enabled)
        fetch_status(admin->address.text, &reply);
    if (reply.length)
        status = json_loadb(reply.data, reply.length, 0, NULL);
    waiting->ids = json_incref(json_object_get(status, "waiting"));
    json_decref(status);
    *out = waiting;
    return 0;
}

void waiting_free(struct waiting *waiting)
{
    if (!waiting)
        return;
    json_decref(waiting->ids);
    free(waiting);
}

/* Whether a member of an object is a text. */
static bool is_text(const json_t *object, const char *key, struct text text)
{
    const char *value = json_string_value(json_object_get(object, key));

    return value && text_equals(text_from(value), text);
}

const char *waiting_id(const struct waiting *waiting, const struct policy *policy)
{
    const json_t *each;
    size_t i;

    json_array_foreach(waiting->ids, i, each)
        if (is_text(each, "domain", policy->primary) && is_text(each, "next", policy->id))
            return json_string_value(json_object_get(each, "announced"));
    return NULL;
}
