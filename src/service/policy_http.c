#include "service/policy_http.h"

#include "net/http_host.h"
#include "protocol/url.h"

#include <stdio.h>

#define ASK_PATH "/ask"

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
static void refuse_host(struct policy_http *http, const char *what, struct text host,
                        struct http_reply *reply)
{
    int length = host.length < NAME_TEXT_MAX ? (int)host.length : NAME_TEXT_MAX;
    char fault[NAME_TEXT_MAX + 64];

    snprintf(fault, sizeof(fault), "%s the host \"%.*s\"", what, length, host.data);
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
        refuse_host(http, "there is no MTA-STS policy for", request->host, reply);
    } else {
        reply->etag = policy->body_id;
        buffer_add_text(&reply->body, policy->body);
    }
}

/* Finds the one value of the field "domain" in the query string of a target, still encoded. If it
 * is repeated, peers could mean either one, so that none is found. */
static bool find_asked(struct text target, struct text *out)
{
    struct text form = target, again;

    text_take(&form, '?');
    if (!url_find_field(form, TEXT("domain"), out))
        return false;
    form = text_after(form, (size_t)(out->data + out->length - form.data));
    return !url_find_field(form, TEXT("domain"), &again);
}

/* Decodes the name that a certificate is asked for, as certificates have it: ASCII, without a final
 * dot or a port. TO has room for three times NAME_TEXT_MAX octets. Returns whether it may be one.
 */
static bool decode_asked(struct text value, char *to, struct text *out)
{
    return value.length <= (size_t)3 * NAME_TEXT_MAX && url_decode(value, true, to, out) &&
           out->length && out->data[out->length - 1] != '.' && !memchr(to, ':', out->length);
}

/* Whether the web server in front needs a certificate of a name: one that senders are led to by
 * records of ours, be it announced or held back. Where they are led to a name, by policy_host, that
 * may be another machine; the authority, which looks, then refuses a certificate. */
static bool wants_certificate(const struct snapshot *snapshot, struct text host)
{
    struct domain domain;
    struct text name;

    return owner_match(OWNER_POLICY_HOST, host, &name) && snapshot_find(snapshot, name, &domain) &&
           policy_has_host(domain.policy);
}

static void write_ask(void *context, const struct http_request *request, struct http_reply *reply)
{
    struct policy_http *http = context;
    char decoded[3 * NAME_TEXT_MAX];
    struct text value, asked;
    struct name host;
    int r = HTTP_HOST_MALFORMED;

    if (find_asked(request->target, &value) && decode_asked(value, decoded, &asked))
        r = http_host_read(asked, &host);
    if (r < 0)
        reply->body.failed = true;
    else if (r == HTTP_HOST_MALFORMED)
        pages_refuse(&http->pages, HTTP_STATUS_NOT_FOUND,
                     "expected one field domain with a host name", reply);
    else if (r > 0 || !wants_certificate(*http->snapshot, name_text(&host)))
        refuse_host(http, "no certificate is wanted for", asked, reply);
    else
        buffer_add_string(&reply->body, "a certificate is wanted\n");
}

static const struct page rows[] = {
    {POLICY_PATH, CONTENT_TYPE, write_policy},
    {ASK_PATH, CONTENT_TYPE, write_ask},
};

struct http_handler policy_http_handler(struct policy_http *http, struct snapshot *const *snapshot)
{
    *http = (struct policy_http){
        .snapshot = snapshot,
        .pages = {.rows = rows,
                  .n = ARRAY_LENGTH(rows),
                  .content_type = CONTENT_TYPE,
                  .not_found = "there is nothing but " POLICY_PATH " and " ASK_PATH,
                  .context = http},
    };
    return pages_handler(&http->pages);
}
