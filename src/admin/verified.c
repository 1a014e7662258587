#include "admin/verified.h"

#include "os/clock.h"
#include "state/verify_runs.h"

void verified_write_metrics(struct saved *saved, struct buffer *out)
{
    struct verify_run run;

    if (!saved->is_open || verify_runs_last(&saved->state, &run))
        return;
    buffer_printf(out,
                  "# HELP pdns_mta_sts_verified_domains Domains by what verify found last.\n"
                  "# TYPE pdns_mta_sts_verified_domains gauge\n"
                  "pdns_mta_sts_verified_domains{result=\"ok\"} %lld\n"
                  "pdns_mta_sts_verified_domains{result=\"warning\"} %lld\n"
                  "pdns_mta_sts_verified_domains{result=\"error\"} %lld\n"
                  "# HELP pdns_mta_sts_verify_timestamp_seconds When verify ended last.\n"
                  "# TYPE pdns_mta_sts_verify_timestamp_seconds gauge\n"
                  "pdns_mta_sts_verify_timestamp_seconds %lld\n",
                  (long long)run.ok, (long long)run.warning, (long long)run.error,
                  (long long)run.ended);
}

void verified_write_json(struct saved *saved, struct buffer *out)
{
    struct verify_run run;

    if (!saved->is_open || verify_runs_last(&saved->state, &run))
        return;
    buffer_printf(out,
                  ",\"verify\":{\"started\":\"%s\",\"ended\":\"%s\",\"domains\":%lld,\"ok\":%lld,"
                  "\"warning\":%lld,\"error\":%lld}",
                  clock_text(run.started).text, clock_text(run.ended).text, (long long)run.domains,
                  (long long)run.ok, (long long)run.warning, (long long)run.error);
}
