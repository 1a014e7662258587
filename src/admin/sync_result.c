#include "admin/sync_result.h"

#include "os/clock.h"
#include "state/sync_runs.h"

static void add_gauge(struct buffer *out, const char *name, const char *help, int64_t value)
{
    buffer_printf(out,
                  "# HELP pdns_mta_sts_sync_%s %s\n"
                  "# TYPE pdns_mta_sts_sync_%s gauge\n"
                  "pdns_mta_sts_sync_%s %lld\n",
                  name, help, name, name, (long long)value);
}

/* The members that each policy has by the lists that are in force. */
static void add_members(const struct snapshot *snapshot, struct buffer *out)
{
    buffer_add_string(out,
                      "# HELP pdns_mta_sts_synced_domains Members that sync has found, by policy.\n"
                      "# TYPE pdns_mta_sts_synced_domains gauge\n");
    for (size_t i = 0; i < snapshot_n_policies(snapshot); i++) {
        const struct policy *policy = snapshot_policy(snapshot, i);

        if (policy->n_synced)
            buffer_printf(out, "pdns_mta_sts_synced_domains{policy=\"%s\"} %u\n",
                          policy->primary.data, policy->n_synced);
    }
}

void sync_result_write_metrics(struct saved *saved, const struct status_view *view,
                               struct buffer *out)
{
    struct sync_run run;
    int64_t succeeded;

    if (!saved->is_open || sync_runs_last(&saved->state, &run, &succeeded))
        return;
    add_members(view->snapshot, out);
    if (!view->syncs)
        return;
    add_gauge(out, "names", "Names that the last run of sync looked up.", run.names);
    add_gauge(out, "members", "Names that it found to be members.", run.members);
    add_gauge(out, "uncovered", "Names with mail servers that no policy covers.", run.uncovered);
    add_gauge(out, "failed", "Names whose look-up failed.", run.failed);
    add_gauge(out, "refused", "Whether the last run of sync was refused or failed.", run.refused);
    add_gauge(out, "timestamp_seconds", "When the last run of sync ended that was not refused.",
              succeeded);
}

void sync_result_write_json(struct saved *saved, const struct status_view *view, struct buffer *out)
{
    struct sync_run run;
    int64_t succeeded;

    if (!saved->is_open || !view->syncs || sync_runs_last(&saved->state, &run, &succeeded))
        return;
    buffer_printf(out, ",\"sync\":{\"started\":\"%s\",\"ended\":\"%s\",\"succeeded\":",
                  clock_text(run.started).text, clock_text(run.ended).text);
    if (succeeded)
        buffer_printf(out, "\"%s\"", clock_text(succeeded).text);
    else
        buffer_add_string(out, "null");
    buffer_printf(out,
                  ",\"refused\":%s,\"names\":%lld,\"members\":%lld,\"uncovered\":%lld,"
                  "\"failed\":%lld}",
                  run.refused ? "true" : "false", (long long)run.names, (long long)run.members,
                  (long long)run.uncovered, (long long)run.failed);
}
