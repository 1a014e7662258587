#include "admin/metrics.h"

#include "admin/version.h"
#include "snapshot/retiring.h"
#include "snapshot/zones.h"

#include <stdio.h>
#include <unistd.h>

#define PREFIX "pdns_mta_sts_"

/* What metrics are made of, and where they go. */
struct metrics {
    const struct settings *settings;
    const struct counters *const *counters; /* of the threads */
    size_t n;
    const struct status_view *view;
    struct buffer *out;
};

/* Sums a counter over the threads, by its place in their counters. */
static unsigned long long sum_at(const struct metrics *metrics, size_t offset)
{
    uint64_t total = 0;

    for (size_t i = 0; i < metrics->n; i++)
        total += counter_read((const counter *)((const char *)metrics->counters[i] + offset));
    return total;
}

#define SUM(METRICS, MEMBER) sum_at((METRICS), offsetof(struct counters, MEMBER))

static void begin_family(struct buffer *out, const char *name, const char *type, const char *help)
{
    buffer_printf(out, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n", name, help, name, type);
}

/* Whether a number is shown even if it is 0, so that the first request counts as a change: those
 * that matter of lookups, and requests that could not be read. */
static bool always_shown(size_t method, enum outcome outcome)
{
    if (method == METHOD_NONE)
        return outcome == OUTCOME_MALFORMED;
    return strcmp(method_name(method), "lookup") == 0;
}

static void add_requests_of(const struct metrics *metrics, enum listener listener, size_t method)
{
    static const char *const outcomes[] = {
        [OUTCOME_ANSWERED] = "answered",
        [OUTCOME_EMPTY] = "empty",
        [OUTCOME_NOT_OURS] = "not_ours",
        [OUTCOME_MALFORMED] = "malformed",
    };

    for (enum outcome outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
        unsigned long long n = SUM(metrics, requests[listener][method][outcome]);

        if (n || always_shown(method, outcome))
            buffer_printf(metrics->out,
                          PREFIX "requests_total{transport=\"%s\",method=\"%s\",outcome=\"%s\"} "
                                 "%llu\n",
                          config_listener_name(listener), method_name(method), outcomes[outcome],
                          n);
    }
}

static void add_requests(const struct metrics *metrics)
{
    begin_family(metrics->out, "requests_total", "counter",
                 "Requests of the remote backend by transport, method and outcome.");
    for (enum listener listener = LISTENER_REMOTE; listener <= LISTENER_UNIX; listener++)
        for (size_t method = 0; method_name(method); method++)
            if (metrics->settings->listeners[listener].enabled)
                add_requests_of(metrics, listener, method);
}

static void add_answer_times_of(const struct metrics *metrics, enum listener listener)
{
    const char *name = config_listener_name(listener);
    unsigned long long below = 0;

    for (size_t i = 0; i < ANSWER_BUCKETS; i++) {
        char bound[32] = "+Inf";

        if (i < ANSWER_BOUNDS)
            snprintf(bound, sizeof(bound), "%g", (double)stream_answer_bounds[i] / 1e9);
        below += SUM(metrics, streams[listener].answers[i]);
        buffer_printf(metrics->out,
                      PREFIX "answer_duration_seconds_bucket{listener=\"%s\",le=\"%s\"} %llu\n",
                      name, bound, below);
    }
    buffer_printf(metrics->out, PREFIX "answer_duration_seconds_sum{listener=\"%s\"} %.9f\n", name,
                  (double)SUM(metrics, streams[listener].answer_nanoseconds) / 1e9);
    buffer_printf(metrics->out, PREFIX "answer_duration_seconds_count{listener=\"%s\"} %llu\n",
                  name, below);
}

static void add_answer_times(const struct metrics *metrics)
{
    begin_family(metrics->out, "answer_duration_seconds", "histogram",
                 "Time from having read a request to having sent its answer.");
    for (enum listener listener = 0; listener < LISTENER_COUNT; listener++)
        if (metrics->settings->listeners[listener].enabled)
            add_answer_times_of(metrics, listener);
}

#define AT(MEMBER) offsetof(struct stream_counters, MEMBER)

/* Families with one number for each listener: a counter, less another one unless that is 0. */
static const struct listener_family {
    const char *name, *type, *help;
    size_t counter, less;
} listener_families[] = {
    {"connections", "gauge", "Open connections.", AT(accepted), AT(closed)},
    {"connections_accepted_total", "counter", "Connections that were accepted.", AT(accepted), 0},
    {"connections_evicted_total", "counter",
     "Connections that were closed because they idled or others needed their place.", AT(evicted),
     0},
};

static void add_listeners(const struct metrics *metrics, const struct listener_family *family)
{
    begin_family(metrics->out, family->name, family->type, family->help);
    for (enum listener listener = 0; listener < LISTENER_COUNT; listener++) {
        size_t streams = offsetof(struct counters, streams[listener]);
        /* Read in this order, a connection that ends meanwhile is never missing. */
        unsigned long long less = family->less ? sum_at(metrics, streams + family->less) : 0;

        if (metrics->settings->listeners[listener].enabled)
            buffer_printf(metrics->out, PREFIX "%s{listener=\"%s\"} %llu\n", family->name,
                          config_listener_name(listener),
                          sum_at(metrics, streams + family->counter) - less);
    }
}

static void add_reloads(const struct status_view *view, struct buffer *out)
{
    begin_family(out, "reloads_total", "counter", "Reloads of the configuration by result.");
    buffer_printf(out, PREFIX "reloads_total{result=\"applied\"} %llu\n",
                  (unsigned long long)view->applied);
    buffer_printf(out, PREFIX "reloads_total{result=\"refused\"} %llu\n",
                  (unsigned long long)view->refused);
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

/* Families of one number. */
static void add_gauges(const struct metrics *metrics)
{
    const struct status_view *view = metrics->view;
    const struct snapshot *snapshot = view->snapshot;
    const struct {
        const char *name, *help;
        double value;
    } gauges[] = {
        {"last_reload_successful", "Whether the configuration as it was last read is in force.",
         !view->reload.refused},
        {"last_success_timestamp_seconds", "When the configuration in force was read.",
         (double)view->loaded},
        {"last_reload_duration_seconds", "How long the last reading of the configuration took.",
         view->reload.seconds},
        {"serving", "Whether all threads answer.", view->serving},
        {"policies", "Policies.", (double)snapshot_n_policies(snapshot)},
        {"domains", "Domains, primaries and members.", (double)snapshot_n_domains(snapshot)},
        {"domains_held_back", "Domains that wait for a certificate.",
         (double)snapshot_n_held(snapshot)},
        {"domains_retiring", "Domains with mode none until no sender holds their former policy.",
         (double)snapshot_n_retiring(snapshot)},
        {"published_fingerprint", "A number that is equal exactly where the same is published.",
         (double)snapshot_fingerprint(snapshot)},
        {"zones", "Own zones, catalog zones included.", (double)snapshot_n_zones(snapshot)},
        {"zones_to_notify", "Own zones with a serial that PowerDNS has not notified.",
         (double)view->zones_to_notify},
        {"snapshot_bytes", "Memory of what answers are made from.",
         (double)snapshot_size(snapshot)},
        {"resident_memory_bytes", "Resident memory of the process.", resident_bytes()},
        {"threads", "Threads that answer.", metrics->settings->threads},
        {"start_time_seconds", "When the service was started.", (double)view->started},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(gauges); i++) {
        begin_family(metrics->out, gauges[i].name, "gauge", gauges[i].help);
        buffer_printf(metrics->out, PREFIX "%s %.17g\n", gauges[i].name, gauges[i].value);
    }
}

/* A family with one number for each catalog zone, if there are any. */
static void add_catalogs(const struct metrics *metrics, const char *name, const char *help,
                         uint32_t (*number)(const struct snapshot *snapshot, uint32_t part))
{
    const struct snapshot *snapshot = metrics->view->snapshot;

    if (snapshot_n_catalogs(snapshot) == 0)
        return;
    begin_family(metrics->out, name, "gauge", help);
    for (uint32_t part = 0; part < snapshot_n_catalogs(snapshot); part++) {
        struct zone catalog;

        snapshot_catalog(snapshot, part, &catalog);
        buffer_printf(metrics->out, PREFIX "%s{catalog=\"%s\"} %u\n", name, catalog.name.text,
                      number(snapshot, part));
    }
}

static uint32_t catalog_zones(const struct snapshot *snapshot, uint32_t part)
{
    return snapshot_zones(snapshot)->parts[part].n;
}

static uint32_t catalog_serial(const struct snapshot *snapshot, uint32_t part)
{
    struct zone catalog;

    snapshot_catalog(snapshot, part, &catalog);
    return catalog.serial;
}

/* Whether the state can be written, if there is one. */
static void add_state(const struct status_state *state, struct buffer *out)
{
    if (!state->kept)
        return;
    begin_family(out, "state_failed", "gauge", "Whether the state cannot be written.");
    buffer_printf(out, PREFIX "state_failed %d\n", state->failed);
    begin_family(out, "state_written_timestamp_seconds", "gauge",
                 "When the state was last written.");
    buffer_printf(out, PREFIX "state_written_timestamp_seconds %lld\n", (long long)state->written);
}

void metrics_write(const struct settings *settings, const struct counters *const *counters,
                   size_t n, const struct status_view *view, struct buffer *out)
{
    const struct metrics metrics = {settings, counters, n, view, out};

    add_requests(&metrics);
    add_answer_times(&metrics);
    for (size_t i = 0; i < ARRAY_LENGTH(listener_families); i++)
        add_listeners(&metrics, &listener_families[i]);
    add_reloads(view, out);
    add_gauges(&metrics);
    add_catalogs(&metrics, "catalog_zones", "Own zones that a catalog zone lists.", catalog_zones);
    add_catalogs(&metrics, "catalog_serial", "The serial of a catalog zone.", catalog_serial);
    add_state(&view->state, out);
    begin_family(out, "build_info", "gauge", "The version that runs.");
    buffer_printf(out, PREFIX "build_info{version=\"%s\"} 1\n", PDNS_MTA_STS_VERSION);
}
