#include "sync/powerdns.h"

#include "base/quote.h"
#include "os/file.h"
#include "sync/zone_reader.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

enum {
    KEY_MAX = 1024, /* octets */
    CONNECT_SECONDS = 10,
    SILENT_SECONDS = 120, /* PowerDNS makes the whole list before it sends any of it */
    READ_SECONDS = 900,
    STATUS_OK = 200,
};

/* A list that is being read. */
struct reading {
    struct zone_reader zones;
    CURL *curl;
    long status; /* of HTTP; 0: not known yet */
    int r;       /* what the reader of zones returned */
};

static void end_curl(CURL **curl)
{
    curl_easy_cleanup(*curl);
}

static void free_list(struct curl_slist **list)
{
    curl_slist_free_all(*list);
}

/* The part of a text without white space around it. */
static struct text trim(struct text text)
{
    const char *const space = " \t\r\n";

    while (text.length && strchr(space, text.data[text.length - 1]))
        text.length--;
    while (text.length && strchr(space, text.data[0]))
        text = text_after(text, 1);
    return text;
}

static bool is_key(struct text text)
{
    for (size_t i = 0; i < text.length; i++)
        if (text.data[i] <= ' ' || text.data[i] > '~')
            return false;
    return text.length > 0;
}

/* Reads the key into a line of a request. What the file holds gets nowhere else. Returns 0,
 * SOURCE_FAILED or -ENOMEM. */
static int read_key(const char *path, struct buffer *line, struct buffer *fault)
{
    CLEANUP(file_deinit) struct file file = FILE_INIT;
    struct quoted name = quote_text(text_from(path));
    char bytes[KEY_MAX];
    struct text key = {.data = bytes};

    if (file_open(&file, path, sizeof(bytes)) ||
        file_read(&file, bytes, sizeof(bytes), &key.length)) {
        buffer_printf(fault, "cannot read the key of PowerDNS's API, %s: %s", name.text,
                      file.error ? strerror(file.error) : "it is no file of at most 1024 bytes");
        return SOURCE_FAILED;
    }
    if (file.mode & (S_IROTH | S_IWOTH))
        fprintf(stderr, "warning: every user can read the key of PowerDNS's API, %s: chmod o= it\n",
                name.text);
    key = trim(key);
    if (!is_key(key)) {
        buffer_printf(fault, "the key of PowerDNS's API, %s, is not one word", name.text);
        return SOURCE_FAILED;
    }
    buffer_printf(line, "X-API-Key: %.*s", (int)key.length, key.data);
    return line->failed ? -ENOMEM : 0;
}

/* Takes a piece of the reply, for libcurl. That of an error is left unread: whoever answered may
 * repeat the key in it. */
static size_t take(char *bytes, size_t one, size_t n, void *context)
{
    struct reading *reading = context;

    (void)one;
    if (reading->status == 0)
        curl_easy_getinfo(reading->curl, CURLINFO_RESPONSE_CODE, &reading->status);
    if (reading->status != STATUS_OK)
        return CURL_WRITEFUNC_ERROR;
    reading->r = zone_reader_feed(&reading->zones, bytes, n);
    return reading->r ? CURL_WRITEFUNC_ERROR : n;
}

/* What to do about a status. */
static const char *hint(long status)
{
    switch (status) {
    case 401:
        return ": the key is another one than api-key of PowerDNS";
    case 404:
        return ": url or server is wrong, or PowerDNS lacks api=yes";
    default:
        return "";
    }
}

/* Says why the list could not be read. Returns SOURCE_FAILED. */
static int report(const struct sync_powerdns *settings, const struct reading *reading,
                  const char *error, struct buffer *fault)
{
    struct quoted url = quote_text(text_from(settings->url));
    char shown[2 * CURL_ERROR_SIZE];

    /* What the server has said may be in it, such as the name in its certificate. */
    quote_escape(text_from(error), "", shown, sizeof(shown));
    if (reading->zones.fault)
        buffer_printf(fault, "the list of zones from PowerDNS at %s is refused: %s", url.text,
                      reading->zones.fault);
    else if (reading->status && reading->status != STATUS_OK)
        buffer_printf(fault, "PowerDNS at %s answers with HTTP status %ld%s", url.text,
                      reading->status, hint(reading->status));
    else
        buffer_printf(fault, "cannot read the list of zones from PowerDNS at %s: %s", url.text,
                      shown);
    return SOURCE_FAILED;
}

/* Sets the request up. Returns whether there was memory for it. No proxy of the environment, and no
 * redirect, gets to see the key. */
static bool prepare(struct reading *reading, const char *url, const struct curl_slist *headers,
                    char error[static CURL_ERROR_SIZE])
{
    CURL *curl = reading->curl;

    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)SILENT_SECONDS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)READ_SECONDS);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, reading);
    return curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK;
}

/* Asks for the list. Without the details of DNSSEC PowerDNS makes it in a fraction of the time. */
static int request(struct reading *reading, const struct sync_powerdns *settings,
                   const struct curl_slist *headers, struct buffer *fault)
{
    CLEANUP(buffer_deinit) struct buffer url = BUFFER_INIT;
    char error[CURL_ERROR_SIZE] = "";
    CURLcode code;

    buffer_printf(&url, "%s/api/v1/servers/%s/zones?dnssec=false", settings->url, settings->server);
    if (!buffer_string(&url) || !prepare(reading, url.data, headers, error))
        return -ENOMEM;
    code = curl_easy_perform(reading->curl);
    if (reading->r < 0)
        return reading->r;
    if (code == CURLE_OUT_OF_MEMORY)
        return -ENOMEM;
    curl_easy_getinfo(reading->curl, CURLINFO_RESPONSE_CODE, &reading->status);
    if (code != CURLE_OK || reading->status != STATUS_OK || zone_reader_end(&reading->zones))
        return report(settings, reading, error[0] ? error : curl_easy_strerror(code), fault);
    return 0;
}

int powerdns_read(const struct sync_powerdns *settings, source_found found, void *context,
                  struct buffer *fault)
{
    CLEANUP(buffer_deinit) struct buffer key = BUFFER_INIT;
    CLEANUP(free_list) struct curl_slist *headers = NULL;
    CLEANUP(end_curl) CURL *curl = NULL;
    struct reading reading = {0};
    int r = read_key(settings->api_key_file, &key, fault);

    if (r)
        return r;
    curl = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? curl_easy_init() : NULL;
    headers = buffer_string(&key) ? curl_slist_append(NULL, key.data) : NULL;
    if (!curl || !headers)
        return -ENOMEM;
    reading.curl = curl;
    zone_reader_init(&reading.zones, found, context);
    return request(&reading, settings, headers, fault);
}
