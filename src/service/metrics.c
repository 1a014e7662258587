#include "service/metrics.h"

#include "service/version.h"

#include <stdio.h>
#include <unistd.h>

#define PREFIX "pdns_mta_sts_"

/* What the threads have counted, together. */
struct sums {
    const struct settings *settings;
    const struct counters *const *counters;
    size_t n;
    struct buffer *out;
};

/* Sums a counter over the threads, by its place in their counters. */
static unsigned long long sum(const struct sums *sums, size_t offset)
{
    uint64_t total = 0;

    for (size_t i = 0; i < sums->n; i++)
        total += counter_read((const counter *)((const char *)sums->counters[i] + offset));
    return total;
}

#define SUM(SUMS, MEMBER) sum((SUMS), offsetof(struct counters, MEMBER))

static void begin_family(struct buffer *out, const char *name, const char *type, const char *help)
{
    buffer_printf(out, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n", name, help, name, type);
}

static void add_number(struct buffer *out, const char *name, const char *type, const char *help,
                       double value)
{
    begin_family(out, name, type, help);
    buffer_printf(out, PREFIX "%s %.17g\n", name, value);
}

/* Whether a number is shown while it is 0, so that the first request counts as a change: what
 * matters of lookups, and requests that could not be read. */
static bool always_shown(size_t method, enum outcome outcome)
{
    if (method == METHOD_NONE)
        return outcome == OUTCOME_MALFORMED;
    return strcmp(method_name(method), "lookup") == 0;
}

static void add_requests_of(const struct sums *sums, enum listener listener, size_t method)
{
    static const char *const outcomes[] = {
        [OUTCOME_ANSWERED] = "answered",
        [OUTCOME_EMPTY] = "empty",
        [OUTCOME_NOT_OURS] = "not_ours",
        [OUTCOME_MALFORMED] = "malformed",
    };

    for (enum outcome outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
        unsigned long long n = SUM(sums, requests[listener][method][outcome]);

        if (n || always_shown(method, outcome))
            buffer_printf(sums->out,
                          PREFIX "requests_total{transport=\"%s\",method=\"%s\",outcome=\"%s\"} "
                                 "%llu\n",
                          config_listener_name(listener), method_name(method), outcomes[outcome],
                          n);
    }
}

static void add_requests(const struct sums *sums)
{
    begin_family(sums->out, "requests_total", "counter",
                 "Requests of the remote backend by transport, method and outcome.");
    for (enum listener listener = LISTENER_REMOTE; listener <= LISTENER_UNIX; listener++)
        for (size_t method = 0; method_name(method); method++)
            if (sums->settings->listeners[listener].enabled)
                add_requests_of(sums, listener, method);
}

static void add_histogram(const struct sums *sums, enum listener listener)
{
    const char *name = config_listener_name(listener);
    unsigned long long below = 0;

    for (size_t i = 0; i < ANSWER_BUCKETS; i++) {
        char bound[32] = "+Inf";

        if (i < ANSWER_BOUNDS)
            snprintf(bound, sizeof(bound), "%g", (double)stream_answer_bounds[i] / 1e9);
        below += SUM(sums, streams[listener].answers[i]);
        buffer_printf(sums->out,
                      PREFIX "answer_duration_seconds_bucket{listener=\"%s\",le=\"%s\"} %llu\n",
                      name, bound, below);
    }
    buffer_printf(sums->out, PREFIX "answer_duration_seconds_sum{listener=\"%s\"} %.9f\n", name,
                  (double)SUM(sums, streams[listener].answer_nanoseconds) / 1e9);
    buffer_printf(sums->out, PREFIX "answer_duration_seconds_count{listener=\"%s\"} %llu\n", name,
                  below);
}

static unsigned long long count_open(const struct sums *sums, enum listener listener)
{
    /* Read in this order, a connection that ends meanwhile is never missing. */
    unsigned long long closed = SUM(sums, streams[listener].closed);

    return SUM(sums, streams[listener].accepted) - closed;
}

static unsigned long long count_accepted(const struct sums *sums, enum listener listener)
{
    return SUM(sums, streams[listener].accepted);
}

static unsigned long long count_evicted(const struct sums *sums, enum listener listener)
{
    return SUM(sums, streams[listener].evicted);
}

/* A family with one number for each listener. */
static const struct {
    const char *name, *type, *help;
    unsigned long long (*count)(const struct sums *sums, enum listener listener);
} of_listeners[] = {
    {"connections", "gauge", "Open connections.", count_open},
    {"connections_accepted_total", "counter", "Connections that were accepted.", count_accepted},
    {"connections_evicted_total", "counter",
     "Connections that were closed because they idled or others needed their place.",
     count_evicted},
};

static void add_listeners(const struct sums *sums)
{
    begin_family(sums->out, "answer_duration_seconds", "histogram",
                 "Time from having read a request to having sent its answer.");
    for (enum listener listener = 0; listener < LISTENER_COUNT; listener++)
        if (sums->settings->listeners[listener].enabled)
            add_histogram(sums, listener);
    for (size_t i = 0; i < ARRAY_LENGTH(of_listeners); i++) {
        begin_family(sums->out, of_listeners[i].name, of_listeners[i].type, of_listeners[i].help);
        for (enum listener listener = 0; listener < LISTENER_COUNT; listener++)
            if (sums->settings->listeners[listener].enabled)
                buffer_printf(sums->out, PREFIX "%s{listener=\"%s\"} %llu\n", of_listeners[i].name,
                              config_listener_name(listener),
                              of_listeners[i].count(sums, listener));
    }
}

static void add_reloads(const struct status_view *view, struct buffer *out)
{
    begin_family(out, "reloads_total", "counter", "Reloads of the configuration by result.");
    buffer_printf(out, PREFIX "reloads_total{result=\"applied\"} %llu\n",
                  (unsigned long long)view->applied);
    buffer_printf(out, PREFIX "reloads_total{result=\"refused\"} %llu\n",
                  (unsigned long long)view->refused);
    add_number(out, "last_reload_successful", "gauge",
               "Whether the configuration as it was last read is in force.",
               view->reload.refused ? 0 : 1);
    add_number(out, "last_success_timestamp_seconds", "gauge",
               "When the configuration in force was read.", (double)view->loaded);
    add_number(out, "last_reload_duration_seconds", "gauge",
               "How long the last reading of the configuration took.", view->reload.seconds);
}

/* The resident size of the process, or 0 if the system does not tell. */
static double resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    unsigned long pages = 0;

    if (!file)
        return 0;
    if (fscanf(file, "%*u %lu", &pages) != 1) /* NOLINT(cert-err34-c) */
        pages = 0;
    fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static void add_sizes(const struct settings *settings, const struct status_view *view,
                      struct buffer *out)
{
    add_number(out, "serving", "gauge", "Whether all threads answer.", view->serving);
    add_number(out, "policies", "gauge", "Policies.", (double)snapshot_n_policies(view->snapshot));
    add_number(out, "domains", "gauge", "Domains, primaries and members.",
               (double)snapshot_n_domains(view->snapshot));
    add_number(out, "domains_held_back", "gauge", "Domains that wait for a certificate.",
               (double)snapshot_n_held(view->snapshot));
    add_number(out, "zones", "gauge", "Own zones, the catalog zone included.",
               (double)snapshot_n_zones(view->snapshot));
    add_number(out, "zones_to_notify", "gauge",
               "Own zones with a serial that PowerDNS has not notified.",
               (double)view->zones_to_notify);
    add_number(out, "snapshot_bytes", "gauge", "Memory of what answers are made from.",
               (double)snapshot_size(view->snapshot));
    add_number(out, "resident_memory_bytes", "gauge", "Resident memory of the process.",
               resident_bytes());
    add_number(out, "threads", "gauge", "Threads that answer.", settings->threads);
    add_number(out, "start_time_seconds", "gauge", "When the service was started.",
               (double)view->started);
    begin_family(out, "build_info", "gauge", "The version that runs.");
    buffer_printf(out, PREFIX "build_info{version=\"%s\"} 1\n", PDNS_MTA_STS_VERSION);
}

void metrics_write(const struct settings *settings, const struct counters *const *counters,
                   size_t n, const struct status_view *view, struct buffer *out)
{
    struct sums sums = {settings, counters, n, out};

    add_requests(&sums);
    add_listeners(&sums);
    add_reloads(view, out);
    add_sizes(settings, view, out);
}
