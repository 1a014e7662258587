#include "admin/verified_data.h"

#include "admin/page_data.h"

enum {
    FINDINGS = 20,            /* shown of all domains, */
    FINDINGS_OPEN = 5,        /* of which so many are shown whole, if they are errors, */
    FINDINGS_OF_DOMAIN = 100, /* and of one */
    RUNS = 30,                /* told in numbers */
    STALE = 2 * 86400,        /* seconds after which what was found may be true no longer */
};

/* An array of findings, while they are read. */
struct findings {
    json_t *list;
    bool for_page;
};

static json_t *finding_data(const struct verify_finding *finding)
{
    return json_pack(
        "{s:o, s:s, s:o, s:o, s:o}", "check", page_data_text(finding->check), "severity",
        finding->error ? "error" : "warning", "found", page_data_text(finding->found), "expected",
        page_data_text(finding->expected), "finding",
        json_sprintf("%lld-%lld", (long long)finding->run, (long long)finding->number));
}

/* Adds what people want to know of a finding, too. A section of a template looks for what its
 * object lacks in those around, so nothing is left out. */
static void add_remedy(json_t *data, const struct verify_finding *finding)
{
    json_object_set_new(data, "error", json_boolean(finding->error));
    json_object_set_new(data, "warning", json_boolean(!finding->error));
    json_object_set_new(data, "do", page_data_text(finding->remedy));
    json_object_set_new(data, "see", page_data_text(finding->command));
}

static int add_of_domain(const struct verify_finding *finding, void *context)
{
    struct findings *findings = context;
    json_t *data = finding_data(finding);

    if (findings->for_page)
        add_remedy(data, finding);
    json_array_append_new(findings->list, data);
    return json_array_size(findings->list) < FINDINGS_OF_DOMAIN ? 0 : STATE_END;
}

int verified_data_of_domain(struct saved *saved, struct text domain, bool for_page, json_t **out)
{
    CLEANUP(page_data_free) json_t *list = json_array();
    struct findings findings = {list, for_page};
    int r = 0;

    if (saved->is_open)
        r = saved_judge(saved,
                        verify_result_each_of(&saved->state, domain, add_of_domain, &findings));
    if (r)
        return r;
    *out = list;
    list = NULL;
    return 0;
}

/* The numbers of domains by their worst finding, and their shares in percent. */
static json_t *counts_data(const struct verify_counts *counts)
{
    double n = (double)(counts->ok + counts->warning + counts->error);
    double scale = n > 0 ? 100 / n : 0;

    return json_pack("{s:I, s:I, s:I, s:f, s:f, s:f}", "ok", (json_int_t)counts->ok, "warning",
                     (json_int_t)counts->warning, "error", (json_int_t)counts->error, "ok_share",
                     scale * (double)counts->ok, "warning_share", scale * (double)counts->warning,
                     "error_share", scale * (double)counts->error);
}

int verified_data_add_to_policy(json_t *data, struct saved *saved, struct text primary)
{
    struct verify_counts counts;
    int r = saved->is_open ? verify_result_of_policy(&saved->state, primary, &counts) : STATE_END;

    json_object_set_new(data, "verified", r ? json_null() : counts_data(&counts));
    return saved_judge(saved, r);
}

/* Adds how many domains have it. */
static void add_width(json_t *data, const struct verify_finding *finding)
{
    json_object_set_new(data, "n", json_integer(finding->n_domains));
    json_object_set_new(data, "one", json_boolean(finding->n_domains == 1));
}

static int keep_finding(const struct verify_finding *finding, void *context)
{
    json_t **out = context;

    *out = finding_data(finding);
    add_remedy(*out, finding);
    add_width(*out, finding);
    return 0;
}

int verified_data_finding(struct saved *saved, int64_t number, json_t **out)
{
    return saved_judge(saved, verify_result_finding(&saved->state, number, keep_finding, out));
}

static int add_of_all(const struct verify_finding *finding, void *context)
{
    json_t *data = finding_data(finding), *first = json_array();
    struct text names = finding->first;
    json_int_t more;

    while (names.length)
        json_array_append_new(first, page_data_text(text_take(&names, ' ')));
    more = finding->n_domains - (json_int_t)json_array_size(first);
    add_remedy(data, finding);
    json_object_set_new(data, "open",
                        json_boolean(finding->error && json_array_size(context) < FINDINGS_OPEN));
    add_width(data, finding);
    json_object_set_new(data, "first", first);
    json_object_set_new(data, "more", more > 0 ? json_integer(more) : json_null());
    json_object_set_new(
        data, "url",
        json_sprintf("?finding=%s", json_string_value(json_object_get(data, "finding"))));
    json_array_append_new(context, data);
    return 0;
}

static int add_findings(json_t *data, struct saved *saved, const struct verify_run *last)
{
    json_t *list = json_array();
    int r = verify_result_each(&saved->state, FINDINGS, add_of_all, list);

    json_object_set_new(data, "findings", list);
    if (last->causes > FINDINGS)
        json_object_set_new(data, "more_findings", json_integer(last->causes - FINDINGS));
    return saved_judge(saved, r);
}

/* Where a number is in a plot that is 100 high, with 0 at its bottom. */
static double height(int64_t number, int64_t highest)
{
    return 100 - 100 * (double)number / (double)highest;
}

static json_t *points_data(const struct verify_run *runs, size_t n, int64_t top_domains,
                           int64_t top_findings)
{
    double scale = 1000 / (double)(runs[n - 1].ended - runs[0].ended);
    json_t *points = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(points, json_pack("{s:f, s:f, s:f, s:f, s:f}", "x",
                                                scale * (double)(runs[i].ended - runs[0].ended),
                                                "domains", height(runs[i].domains, top_domains),
                                                "ok", height(runs[i].ok, top_domains), "warning",
                                                height(runs[i].warning, top_findings), "error",
                                                height(runs[i].error, top_findings)));
    return points;
}

/* The last runs in numbers, the latest first: what plots tell those who see them. */
static json_t *numbers_data(const struct verify_run *runs, size_t n)
{
    json_t *numbers = json_array();

    while (n-- && json_array_size(numbers) < RUNS)
        json_array_append_new(
            numbers,
            json_pack("{s:o, s:I, s:I, s:I, s:I}", "ended", page_data_time((time_t)runs[n].ended),
                      "domains", (json_int_t)runs[n].domains, "ok", (json_int_t)runs[n].ok,
                      "warning", (json_int_t)runs[n].warning, "error", (json_int_t)runs[n].error));
    return numbers;
}

/* Adds how it went over time, as two plots and in numbers. */
static int add_runs(json_t *data, struct saved *saved)
{
    struct verify_run runs[VERIFY_RUNS_MAX];
    int64_t top_domains = 1, top_findings = 1;
    size_t n = 0;
    int r = verify_runs_read(&saved->state, runs, &n);

    if (r || n < 2 || runs[n - 1].ended <= runs[0].ended)
        return saved_judge(saved, r);
    for (size_t i = 0; i < n; i++) {
        if (runs[i].domains > top_domains)
            top_domains = runs[i].domains;
        if (runs[i].warning > top_findings)
            top_findings = runs[i].warning;
        if (runs[i].error > top_findings)
            top_findings = runs[i].error;
    }
    json_object_set_new(data, "runs",
                        json_pack("{s:o, s:o, s:I, s:I, s:o, s:o}", "first",
                                  page_data_time((time_t)runs[0].ended), "last",
                                  page_data_time((time_t)runs[n - 1].ended), "top_domains",
                                  (json_int_t)top_domains, "top_findings", (json_int_t)top_findings,
                                  "points", points_data(runs, n, top_domains, top_findings),
                                  "numbers", numbers_data(runs, n)));
    return 0;
}

static json_t *last_data(const struct verify_run *last, bool is_stale)
{
    json_t *data = counts_data(&(struct verify_counts){last->ok, last->warning, last->error});

    json_object_set_new(data, "started", page_data_time((time_t)last->started));
    json_object_set_new(data, "ended", page_data_time((time_t)last->ended));
    json_object_set_new(data, "domains", json_integer(last->domains));
    json_object_set_new(data, "stale", json_boolean(is_stale));
    return data;
}

void verified_data_add_fault(json_t *data, const struct saved *saved)
{
    if (saved->fault)
        json_object_set_new(data, "unreadable",
                            json_pack("{s:o}", "fault", page_data_text(text_from(saved->fault))));
}

int verified_data_add(json_t *data, struct saved *saved, struct verify_run *last)
{
    int r = saved->is_open ? verify_runs_last(&saved->state, last) : STATE_END;
    bool is_stale = last->ended < time(NULL) - STALE;

    r = saved_judge(saved, r);
    if (r)
        return r;
    if (is_stale && !saved->fault)
        json_object_set_new(
            data, "unverified",
            json_pack("{s:b, s:b}", "never", !last->ended, "unkept", !saved->is_kept));
    if (!last->ended)
        return 0;
    json_object_set_new(data, "verified", last_data(last, is_stale));
    r = add_findings(data, saved, last);
    if (r)
        return r;
    return add_runs(data, saved);
}
