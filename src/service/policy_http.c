#include "service/policy_http.h"

#include "net/http_host.h"

#include <stdio.h>

/* RFC 8461 3.2: the media type of a policy body; it is ASCII, as all of these texts are. */
#define CONTENT_TYPE "text/plain; charset=us-ascii"

/* The policy whose body a host serves, or NULL. */
static const struct policy *find_policy(const struct snapshot *snapshot, struct text host)
{
    struct domain domain;
    struct text name;

    if (!owner_match(OWNER_POLICY_HOST, host, &name) || !snapshot_find(snapshot, name, &domain) ||
        domain.policy->body.length == 0)
        return NULL;
    return domain.policy;
}

/* Names the host as it was asked for: a proxy in front that does not pass the client's Host field
 * on shows here. What http_host_read has understood prints without escapes. */
static void refuse_host(struct policy_http *http, struct text host, struct http_reply *reply)
{
    int length = host.length < NAME_TEXT_MAX ? (int)host.length : NAME_TEXT_MAX;
    char fault[NAME_TEXT_MAX + 64];

    snprintf(fault, sizeof(fault), "there is no MTA-STS policy for the host \"%.*s\"", length,
             host.data);
    pages_refuse(&http->pages, HTTP_STATUS_NOT_FOUND, fault, reply);
}

static void write_policy(void *context, const struct http_request *request,
                         struct http_reply *reply)
{
    struct policy_http *http = context;
    const struct policy *policy = NULL;
    struct name host;
    int r = http_host_read(request->host, &host);

    if (r == 0)
        policy = find_policy(*http->snapshot, name_text(&host));
    if (r < 0) {
        reply->body.failed = true;
    } else if (r == HTTP_HOST_MALFORMED) {
        pages_refuse(&http->pages, HTTP_STATUS_BAD_REQUEST, "the Host field is no host name",
                     reply);
    } else if (!policy) {
        refuse_host(http, request->host, reply);
    } else {
        reply->etag = policy->body_id;
        buffer_add_text(&reply->body, policy->body);
    }
}

static const struct page rows[] = {
    {POLICY_PATH, CONTENT_TYPE, write_policy},
};

struct http_handler policy_http_handler(struct policy_http *http, struct snapshot *const *snapshot)
{
    *http = (struct policy_http){
        .snapshot = snapshot,
        .pages = {.rows = rows,
                  .n = ARRAY_LENGTH(rows),
                  .content_type = CONTENT_TYPE,
                  .not_found = "there is nothing but " POLICY_PATH,
                  .context = http},
    };
    return pages_handler(&http->pages);
}
