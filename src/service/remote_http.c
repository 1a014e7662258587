#include "service/remote.h"

#include "base/quote.h"
#include "os/log.h"

/* Takes the path prefix off a request target. Returns whether the target lies below it; what is
 * left is empty, or begins with '/' or '?'. */
static bool take_prefix(struct text *target, const char *prefix)
{
    size_t length = strlen(prefix);

    if (!text_starts_with(*target, text_of(prefix, length)))
        return false;
    if (target->length > length && target->data[length] != '/' && target->data[length] != '?')
        return false;
    *target = text_after(*target, length);
    return true;
}

/* Decodes by verb and path: POST to the URL itself is JSON, POST below it a form; GET, and the
 * verbs of the writing methods in PowerDNS's GET mode, carry all in the path. PowerDNS adds a slash
 * to its URL, so a URL that ends in one gives two. */
static int decode_request(struct request *request, enum http_verb verb, struct text path,
                          struct text body)
{
    while (path.length && path.data[0] == '/')
        path = text_after(path, 1);
    if (verb != HTTP_VERB_POST)
        return request_decode_path(request, path, body);
    if (path.length == 0 || path.data[0] == '?')
        return request_decode_json(request, body);
    return request_decode_form(request, path, body);
}

static bool verb_allowed(enum http_verb verb)
{
    return verb == HTTP_VERB_GET || verb == HTTP_VERB_POST || verb == HTTP_VERB_PUT ||
           verb == HTTP_VERB_PATCH || verb == HTTP_VERB_DELETE;
}

/* The faults are texts of this program, so they need no escapes. */
static void refuse_http(void *context, const char *fault, struct http_reply *reply)
{
    remote_count(context, NULL, OUTCOME_MALFORMED);
    log_limited(LOG_LEVEL_WARNING, "http: malformed request, %s", fault);
    buffer_printf(&reply->body, "{\"error\":\"%s\"}", fault);
}

static void refuse_request(const struct remote *remote, const struct request *request,
                           struct text target, struct http_reply *reply)
{
    remote_count(remote, request->method, OUTCOME_MALFORMED);
    log_limited(LOG_LEVEL_WARNING, "http: malformed request for %s, expected %s",
                quote_text(target).text, request->fault);
    reply->status = HTTP_STATUS_BAD_REQUEST;
    buffer_printf(&reply->body, "{\"error\":\"expected %s\"}", request->fault);
}

/* PowerDNS takes such a reply for "there is no such name", so it is worth a line in the log. */
static void refuse_path(const struct remote *remote, struct text target, struct http_reply *reply)
{
    remote_count(remote, NULL, OUTCOME_MALFORMED);
    log_limited(LOG_LEVEL_WARNING,
                "http: found the path %s, expected one below %s: compare listen.http.path with "
                "remote-connection-string",
                quote_text(target).text, *remote->path ? remote->path : "/");
    reply->status = HTTP_STATUS_NOT_FOUND;
    buffer_add_string(&reply->body, "{\"result\":false}");
}

static void answer_request(const struct remote *remote, const struct http_request *http,
                           struct text path, struct http_reply *reply)
{
    CLEANUP(request_deinit) struct request request = REQUEST_INIT;
    int r = decode_request(&request, http->verb, path, http->body);

    if (r == REQUEST_MALFORMED)
        refuse_request(remote, &request, http->target, reply);
    else if (r < 0)
        reply->body.failed = true;
    else
        remote_answer(remote, &request, &reply->body, &reply->rest);
}

static void answer_http(void *context, const struct http_request *http, struct http_reply *reply)
{
    const struct remote *remote = context;
    struct text path = http->target;

    if (!take_prefix(&path, remote->path)) {
        refuse_path(remote, http->target, reply);
    } else if (!verb_allowed(http->verb)) {
        reply->status = HTTP_STATUS_METHOD_NOT_ALLOWED;
        reply->allow = "GET, POST, PUT, PATCH, DELETE";
        refuse_http(context, "expected GET, POST, PUT, PATCH or DELETE", reply);
    } else {
        answer_request(remote, http, path, reply);
    }
}

struct http_handler remote_http_handler(struct remote *remote)
{
    return (struct http_handler){.answer = answer_http, .refuse = refuse_http, .context = remote};
}
