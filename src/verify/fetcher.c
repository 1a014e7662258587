#include "verify/fetcher.h"

#include "base/quote.h"
#include "policy/policy.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/tcp.h>
#include <search.h>
#include <stdio.h>
#include <strings.h>
#include <sys/queue.h>

enum {
    SYN_RETRIES = 3, /* they take 15 to 20 seconds (tcp(7)) */
    /* What OpenSSL says of a certificate (x509_vfy.h), which CURLINFO_SSL_VERIFYRESULT gives. */
    CERTIFICATE_UNSPECIFIED = 1,
    CERTIFICATE_NOT_YET_VALID = 9,
    CERTIFICATE_HAS_EXPIRED = 10,
};

TAILQ_HEAD(fetches, fetch);

/* One address, and who may connect to it. */
struct target {
    struct fetcher *fetcher;
    struct address address;
    struct fetches waiting;
    size_t n_open;
    struct {
        unsigned int n;      /* connections in a row that could not be made, or got no reply */
        struct fetched last; /* what came of the last of them */
    } failures[FETCH_KIND_COUNT];
};

struct fetch {
    TAILQ_ENTRY(fetch) entry;
    struct target *target;
    enum fetch_kind kind;
    fetcher_done done;
    void *context;
    CURL *easy; /* NULL while it waits */
    struct curl_slist *connect_to;
    struct buffer body;
    size_t header_size;
    char *content_type;
    char error[CURL_ERROR_SIZE];
    char last_line[128]; /* the last line that an SMTP server sent */
    bool too_large;
    char host[];
};

struct fetcher {
    struct event_base *base;
    CURLM *multi;
    struct event *timer;
    char *ca_file;
    void *targets;        /* a tree of tsearch(3) */
    struct fetches open;  /* under way */
    struct fetches ended; /* given up, to be told */
    struct event *deferred;
    size_t n_open;
};

static void fetch_free(struct fetch *fetch)
{
    if (fetch->easy)
        curl_easy_cleanup(fetch->easy);
    curl_slist_free_all(fetch->connect_to);
    buffer_deinit(&fetch->body);
    free(fetch->content_type);
    free(fetch);
}

/* What a failed handshake comes to. libcurl has one code for all that is wrong with a certificate.
 */
static enum fetch_outcome judge_certificate(CURL *easy)
{
    long result = 0;

    curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &result);
    if (result == 0 || result == CERTIFICATE_UNSPECIFIED) /* the chain is not what failed */
        return FETCH_OTHER_NAME;
    if (result == CERTIFICATE_HAS_EXPIRED || result == CERTIFICATE_NOT_YET_VALID)
        return FETCH_EXPIRED;
    return FETCH_UNTRUSTED;
}

static enum fetch_outcome judge(const struct fetch *fetch, CURLcode code)
{
    if (fetch->too_large)
        return FETCH_TOO_LARGE;
    switch (code) {
    case CURLE_OK:
        return FETCH_DONE;
    case CURLE_COULDNT_CONNECT:
        return FETCH_NO_CONNECTION;
    case CURLE_OPERATION_TIMEDOUT: /* connected, as SYN_RETRIES are over before */
        return FETCH_TOO_SLOW;
    case CURLE_USE_SSL_FAILED:
        return FETCH_NO_STARTTLS;
    case CURLE_SSL_CONNECT_ERROR:
        return FETCH_NO_TLS;
    case CURLE_PEER_FAILED_VERIFICATION:
        return judge_certificate(fetch->easy);
    default:
        return FETCH_BROKEN;
    }
}

/* Says why a connection failed, where more is known than the outcome. Many hosts at one address
 * have one cause, so nothing that names the host or counts milliseconds is of use. */
static const char *describe_failure(const struct fetch *fetch, enum fetch_outcome outcome,
                                    CURLcode code)
{
    long error = 0;

    switch (outcome) {
    case FETCH_NO_CONNECTION:
        curl_easy_getinfo(fetch->easy, CURLINFO_OS_ERRNO, &error);
        return error ? strerror((int)error) : "";
    case FETCH_DONE:
    case FETCH_OTHER_NAME:
    case FETCH_TOO_LARGE:
    case FETCH_TOO_SLOW:
        return "";
    case FETCH_BROKEN:
        if (fetch->last_line[0])
            return fetch->last_line;
        break;
    case FETCH_NO_STARTTLS:
    case FETCH_NO_TLS:
    case FETCH_UNTRUSTED:
    case FETCH_EXPIRED:
        break;
    }
    return fetch->error[0] && !strstr(fetch->error, fetch->host) ? fetch->error
                                                                 : curl_easy_strerror(code);
}

const char *fetched_reason(const struct fetched *fetched, char out[static FETCHED_REASON_SIZE])
{
    out[0] = '\0';
    if (fetched->detail[0])
        snprintf(out, FETCHED_REASON_SIZE, " (%s)", quote_text(text_from(fetched->detail)).text);
    return out;
}

/* Reads of the peer's own certificate when it ends, and whether it has names where they count: the
 * common name does not (RFC 8461 4.2, RFC 6125). */
static void read_certificate(CURL *easy, struct fetched *out)
{
    static const char ends[] = "Expire date:", names[] = "X509v3 Subject Alternative Name:";
    struct curl_certinfo *info = NULL;
    bool named = false;

    if (curl_easy_getinfo(easy, CURLINFO_CERTINFO, &info) || !info || info->num_of_certs == 0)
        return;
    for (const struct curl_slist *line = info->certinfo[0]; line; line = line->next) {
        if (strncasecmp(line->data, ends, sizeof(ends) - 1) == 0)
            out->certificate_ends = curl_getdate(line->data + sizeof(ends) - 1, NULL);
        named |= strncmp(line->data, names, sizeof(names) - 1) == 0;
    }
    if (!named && out->outcome == FETCH_DONE) {
        out->outcome = FETCH_OTHER_NAME;
        snprintf(out->detail, sizeof(out->detail), "no subjectAltName, a common name alone");
    }
}

/* Keeps account of whether anybody is at the address. */
static void note_failure(struct target *target, enum fetch_kind kind, const struct fetched *fetched)
{
    if (fetched->outcome != FETCH_NO_CONNECTION && fetched->outcome != FETCH_TOO_SLOW) {
        target->failures[kind].n = 0;
        return;
    }
    target->failures[kind].n++;
    target->failures[kind].last.outcome = fetched->outcome;
    memcpy(target->failures[kind].last.detail, fetched->detail, sizeof(fetched->detail));
}

static void start_waiting(struct fetcher *fetcher, struct target *target);

/* Tells who asked what came of a connection, and frees it. */
static void fetch_end(struct fetch *fetch, CURLcode code)
{
    struct target *target = fetch->target;
    struct fetcher *fetcher = target->fetcher;
    struct fetched fetched = {.outcome = judge(fetch, code), .body = buffer_text(&fetch->body)};

    snprintf(fetched.detail, sizeof(fetched.detail), "%.150s",
             describe_failure(fetch, fetched.outcome, code));
    curl_easy_getinfo(fetch->easy, CURLINFO_RESPONSE_CODE, &fetched.status);
    fetched.content_type = fetch->content_type;
    read_certificate(fetch->easy, &fetched);
    curl_multi_remove_handle(fetcher->multi, fetch->easy);
    TAILQ_REMOVE(&fetcher->open, fetch, entry);
    target->n_open--;
    fetcher->n_open--;
    note_failure(target, fetch->kind, &fetched);
    fetch->done(fetch->context, &fetched);
    fetch_free(fetch);
    start_waiting(fetcher, target);
}

/* A socket is ready; or, with -1 for the socket, as libcurl and libevent both have it, the time
 * that libcurl waits for has come. */
static void on_ready(evutil_socket_t fd, short what, void *context)
{
    struct fetcher *fetcher = context;
    int flags = (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0);
    int left;
    CURLMsg *message;

    curl_multi_socket_action(fetcher->multi, fd, flags, &left);
    while ((message = curl_multi_info_read(fetcher->multi, &left))) {
        struct fetch *fetch;
        CURLcode code = message->data.result;

        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &fetch);
        fetch_end(fetch, code);
    }
}

/* libcurl says what it waits for at a socket. */
static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *per_socket)
{
    struct fetcher *fetcher = context;
    struct event *event = per_socket;
    short events = EV_PERSIST;

    (void)easy;
    if (event)
        event_free(event);
    event = NULL;
    if (what != CURL_POLL_REMOVE) {
        events |= what & CURL_POLL_IN ? EV_READ : 0;
        events |= what & CURL_POLL_OUT ? EV_WRITE : 0;
        event = event_new(fetcher->base, fd, events, on_ready, fetcher);
        if (!event || event_add(event, NULL) < 0)
            return -1;
    }
    curl_multi_assign(fetcher->multi, fd, event);
    return 0;
}

static int set_timer(CURLM *multi, long milliseconds, void *context)
{
    struct fetcher *fetcher = context;
    struct timeval time = {.tv_sec = milliseconds / 1000,
                           .tv_usec = (suseconds_t)(milliseconds % 1000 * 1000)};

    (void)multi;
    if (milliseconds < 0)
        return event_del(fetcher->timer);
    return event_add(fetcher->timer, &time);
}

static size_t take_body(char *bytes, size_t size, size_t n, void *context)
{
    struct fetch *fetch = context;

    if (fetch->body.length + n > FETCH_BODY_MAX) {
        fetch->too_large = true;
        return 0;
    }
    buffer_add(&fetch->body, bytes, n);
    return fetch->body.failed ? 0 : size * n;
}

/* Takes a header line of HTTP, or a line that an SMTP server sends. */
static size_t take_header(char *bytes, size_t size, size_t n, void *context)
{
    struct text line = text_trim(text_of(bytes, n), TEXT(" \t\r\n"));
    struct fetch *fetch = context;

    fetch->header_size += n;
    if (fetch->header_size > FETCH_BODY_MAX) {
        fetch->too_large = true;
        return 0;
    }
    if (fetch->kind == FETCH_SMTP) {
        snprintf(fetch->last_line, sizeof(fetch->last_line), "%.*s", (int)line.length, line.data);
    } else if (text_take_prefix(&line, TEXT("content-type:"))) {
        line = text_trim(line, TEXT(" \t"));
        free(fetch->content_type);
        fetch->content_type = strndup(line.data, line.length);
    }
    return size * n;
}

/* Has a TCP connection that nobody answers end in time. What libcurl calls connecting goes on until
 * after the handshake of TLS, and with SMTP the server's replies, for which there is more time. */
static int limit_connect(void *context, curl_socket_t fd, curlsocktype purpose)
{
    const int retries = SYN_RETRIES;

    (void)context;
    (void)purpose;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_SYNCNT, &retries, sizeof(retries));
    return CURL_SOCKOPT_OK;
}

/* The URL, which has the host's name, and where libcurl shall connect instead of looking it up. */
static bool set_address(struct fetch *fetch)
{
    const struct address *address = &fetch->target->address;
    bool https = fetch->kind == FETCH_HTTPS;
    char text[INET6_ADDRSTRLEN], url[512], connect_to[INET6_ADDRSTRLEN + 16];

    inet_ntop(address->family, address->octets, text, sizeof(text));
    snprintf(url, sizeof(url), https ? "https://%s" POLICY_PATH : "smtp://%s:25/localhost",
             fetch->host);
    snprintf(connect_to, sizeof(connect_to), address->family == AF_INET6 ? "::[%s]:%d" : "::%s:%d",
             text, https ? 443 : 25);
    fetch->connect_to = curl_slist_append(NULL, connect_to);
    return fetch->connect_to && curl_easy_setopt(fetch->easy, CURLOPT_URL, url) == CURLE_OK;
}

static bool set_options(struct fetch *fetch)
{
    CURL *easy = fetch->easy;

    if (!set_address(fetch))
        return false;
    curl_easy_setopt(easy, CURLOPT_CONNECT_TO, fetch->connect_to);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, fetch);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_CERTINFO, 1L);
    curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, limit_connect);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT, (long)FETCH_SECONDS_MAX);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, fetch->error);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, fetch);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, fetch);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    if (fetch->kind == FETCH_SMTP) {
        curl_easy_setopt(easy, CURLOPT_USE_SSL, (long)CURLUSESSL_ALL);
        /* With a command of one's own, libcurl neither sends mail nor asks for users. */
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "QUIT");
    }
    return !fetch->target->fetcher->ca_file ||
           curl_easy_setopt(easy, CURLOPT_CAINFO, fetch->target->fetcher->ca_file) == CURLE_OK;
}

/* Has a connection end as the last one to its address did, when the event base runs on. */
static void give_up(struct fetcher *fetcher, struct fetch *fetch)
{
    TAILQ_INSERT_TAIL(&fetcher->ended, fetch, entry);
    event_active(fetcher->deferred, EV_TIMEOUT, 0);
}

static void on_deferred(evutil_socket_t fd, short what, void *context)
{
    struct fetcher *fetcher = context;
    struct fetches ended = TAILQ_HEAD_INITIALIZER(ended);
    struct fetch *fetch;

    (void)fd;
    (void)what;
    TAILQ_CONCAT(&ended, &fetcher->ended, entry);
    while ((fetch = TAILQ_FIRST(&ended))) {
        TAILQ_REMOVE(&ended, fetch, entry);
        fetch->done(fetch->context, &fetch->target->failures[fetch->kind].last);
        fetch_free(fetch);
    }
}

static bool start(struct fetcher *fetcher, struct fetch *fetch)
{
    fetch->easy = curl_easy_init();
    return fetch->easy && set_options(fetch) &&
           curl_multi_add_handle(fetcher->multi, fetch->easy) == CURLM_OK;
}

/* Starts what waits for a target, as far as its connections and those of all allow. */
static void start_target(struct fetcher *fetcher, struct target *target)
{
    struct fetch *fetch;

    while ((fetch = TAILQ_FIRST(&target->waiting)) && target->n_open < FETCHER_CONNECTIONS_EACH &&
           fetcher->n_open < FETCHER_CONNECTIONS) {
        TAILQ_REMOVE(&target->waiting, fetch, entry);
        if (target->failures[fetch->kind].n >= FETCHER_PATIENCE || !start(fetcher, fetch)) {
            give_up(fetcher, fetch);
            continue;
        }
        TAILQ_INSERT_TAIL(&fetcher->open, fetch, entry);
        target->n_open++;
        fetcher->n_open++;
    }
}

static void start_if_waiting(const void *node, VISIT visit, void *context)
{
    if (visit == preorder || visit == leaf)
        start_target(context, *(struct target *const *)node);
}

/* A connection of a target has ended: its next one starts, or if it has none one of another target
 * that waits for room. */
static void start_waiting(struct fetcher *fetcher, struct target *target)
{
    start_target(fetcher, target);
    if (fetcher->n_open == FETCHER_CONNECTIONS - 1)
        twalk_r(fetcher->targets, start_if_waiting, fetcher);
}

static int compare_targets(const void *a, const void *b)
{
    const struct target *left = a, *right = b;
    int order = memcmp(left->address.octets, right->address.octets, sizeof(left->address.octets));

    return order ? order : left->address.family - right->address.family;
}

/* Finds a target, or makes it. Returns NULL if memory runs out. */
static struct target *get_target(struct fetcher *fetcher, const struct address *address)
{
    struct target key = {.address = *address}, *target;
    struct target **found = tfind(&key, &fetcher->targets, compare_targets);

    if (found)
        return *found;
    target = calloc(1, sizeof(*target));
    if (!target)
        return NULL;
    *target = (struct target){.fetcher = fetcher, .address = *address};
    for (enum fetch_kind kind = 0; kind < FETCH_KIND_COUNT; kind++)
        target->failures[kind].last.outcome = FETCH_NO_CONNECTION;
    TAILQ_INIT(&target->waiting);
    if (!tsearch(target, &fetcher->targets, compare_targets)) {
        free(target);
        return NULL;
    }
    return target;
}

int fetcher_start(struct fetcher *fetcher, enum fetch_kind kind, const char *host,
                  const struct address *address, fetcher_done done, void *context)
{
    struct target *target = get_target(fetcher, address);
    struct fetch *fetch = calloc(1, sizeof(*fetch) + strlen(host) + 1);

    if (!target || !fetch) {
        free(fetch);
        return -ENOMEM;
    }
    memcpy(fetch->host, host, strlen(host) + 1);
    fetch->target = target;
    fetch->kind = kind;
    fetch->done = done;
    fetch->context = context;
    TAILQ_INSERT_TAIL(&target->waiting, fetch, entry);
    start_target(fetcher, target);
    return 0;
}

DEFINE_CLEANUP(struct fetcher *, fetcher_free)

int fetcher_new(struct event_base *base, const char *ca_file, struct fetcher **out)
{
    CLEANUP(fetcher_free_pointer) struct fetcher *fetcher = calloc(1, sizeof(*fetcher));

    if (!fetcher)
        return -ENOMEM;
    fetcher->base = base;
    TAILQ_INIT(&fetcher->open);
    TAILQ_INIT(&fetcher->ended);
    fetcher->ca_file = ca_file ? strdup(ca_file) : NULL;
    fetcher->timer = event_new(base, CURL_SOCKET_TIMEOUT, 0, on_ready, fetcher);
    fetcher->deferred = event_new(base, -1, 0, on_deferred, fetcher);
    fetcher->multi = curl_multi_init();
    if ((ca_file && !fetcher->ca_file) || !fetcher->timer || !fetcher->deferred || !fetcher->multi)
        return -ENOMEM;
    curl_multi_setopt(fetcher->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    curl_multi_setopt(fetcher->multi, CURLMOPT_SOCKETDATA, fetcher);
    curl_multi_setopt(fetcher->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(fetcher->multi, CURLMOPT_TIMERDATA, fetcher);
    *out = fetcher;
    fetcher = NULL;
    return 0;
}

static void free_fetches(struct fetches *fetches)
{
    struct fetch *fetch;

    while ((fetch = TAILQ_FIRST(fetches))) {
        TAILQ_REMOVE(fetches, fetch, entry);
        fetch_free(fetch);
    }
}

static void target_free(void *node)
{
    struct target *target = node;

    free_fetches(&target->waiting);
    free(target);
}

void fetcher_free(struct fetcher *fetcher)
{
    struct fetch *fetch;

    if (!fetcher)
        return;
    TAILQ_FOREACH(fetch, &fetcher->open, entry)
        curl_multi_remove_handle(fetcher->multi, fetch->easy);
    free_fetches(&fetcher->open);
    free_fetches(&fetcher->ended);
    tdestroy(fetcher->targets, target_free);
    if (fetcher->multi)
        curl_multi_cleanup(fetcher->multi);
    if (fetcher->timer)
        event_free(fetcher->timer);
    if (fetcher->deferred)
        event_free(fetcher->deferred);
    free(fetcher->ca_file);
    free(fetcher);
}

static void forgive(const void *node, VISIT visit, void *context)
{
    (void)context;
    for (enum fetch_kind kind = 0; kind < FETCH_KIND_COUNT; kind++)
        if (visit == preorder || visit == leaf)
            (*(struct target *const *)node)->failures[kind].n = 0;
}

void fetcher_forgive(struct fetcher *fetcher)
{
    twalk_r(fetcher->targets, forgive, NULL);
}
