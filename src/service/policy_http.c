#include "service/policy_http.h"

#include "net/http_host.h"

/* RFC 8461 3.2: the media type of a policy body; it is ASCII, as all of these texts are. */
#define CONTENT_TYPE "text/plain; charset=us-ascii"

static void refuse(void *context, const char *fault, struct http_reply *reply)
{
    (void)context;
    reply->content_type = CONTENT_TYPE;
    buffer_printf(&reply->body, "%s\n", fault);
}

static void refuse_as(unsigned int status, const char *fault, struct http_reply *reply)
{
    reply->status = status;
    refuse(NULL, fault, reply);
}

/* The policy whose body a host serves, or NULL. */
static const struct policy *find_policy(const struct snapshot *snapshot, struct text host)
{
    struct text prefix = owner_prefix(OWNER_POLICY_HOST);
    struct domain domain;

    if (host.length <= prefix.length || memcmp(host.data, prefix.data, prefix.length) != 0 ||
        !snapshot_find(snapshot, text_after(host, prefix.length), &domain) ||
        domain.policy->body.length == 0)
        return NULL;
    return domain.policy;
}

static void answer_host(const struct policy_http *http, struct text host, struct http_reply *reply)
{
    const struct policy *policy = NULL;
    struct name name;
    int r = http_host_read(host, &name);

    if (r == 0)
        policy = find_policy(*http->snapshot, name_text(&name));
    if (r < 0) {
        reply->body.failed = true;
    } else if (r == HTTP_HOST_MALFORMED) {
        refuse_as(HTTP_STATUS_BAD_REQUEST, "found what is no host, expected a host name", reply);
    } else if (!policy) {
        refuse_as(HTTP_STATUS_NOT_FOUND, "there is no MTA-STS policy for this host", reply);
    } else {
        reply->content_type = CONTENT_TYPE;
        reply->etag = policy->body_id;
        buffer_add_text(&reply->body, policy->body);
    }
}

/* The path of a request target, without the query. */
static struct text target_path(struct text target)
{
    const char *query = memchr(target.data, '?', target.length);

    if (query)
        target.length = (size_t)(query - target.data);
    return target;
}

static void answer(void *context, const struct http_request *request, struct http_reply *reply)
{
    if (!text_equals(target_path(request->target), TEXT(POLICY_PATH))) {
        refuse_as(HTTP_STATUS_NOT_FOUND, "there is nothing but " POLICY_PATH, reply);
    } else if (request->verb != HTTP_GET && request->verb != HTTP_HEAD) {
        reply->allow = "GET, HEAD";
        refuse_as(HTTP_STATUS_METHOD_NOT_ALLOWED, "expected GET or HEAD", reply);
    } else {
        answer_host(context, request->host, reply);
    }
}

struct http_handler policy_http_handler(struct policy_http *policy)
{
    return (struct http_handler){.answer = answer, .refuse = refuse, .context = policy};
}
