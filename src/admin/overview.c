#include "admin/overview.h"

#include "admin/page_data.h"
#include "admin/version.h"

#include <stdio.h>

enum { POLICIES = 50 /* shown at a time */ };

static json_t *policy_data(const struct snapshot *snapshot, size_t number)
{
    const struct policy *policy = snapshot_policy(snapshot, number);
    json_t *data = json_pack("{s:s, s:I, s:I}", "domain", policy->primary.data, "members",
                             (json_int_t)policy->n_domains, "held", (json_int_t)policy->n_held);

    if (policy->mode != POLICY_MODE_ABSENT) {
        json_object_set_new(data, "mode", json_string(policy_mode_text(policy->mode)));
        json_object_set_new(data, "max_age", json_integer(policy->max_age));
        json_object_set_new(data, "id", page_data_text(policy->id));
    }
    if (policy->zones)
        json_object_set_new(data, "serial", json_integer(snapshot_policy_serial(snapshot, number)));
    return data;
}

static void add_policies(json_t *data, const struct snapshot *snapshot, size_t from)
{
    size_t n = snapshot_n_policies(snapshot), end = from + POLICIES < n ? from + POLICIES : n;
    json_t *policies = json_array();

    for (size_t i = from; i < end; i++)
        json_array_append_new(policies, policy_data(snapshot, i));
    json_object_set_new(data, "policies", policies);
    if (end < n) {
        char url[64];

        snprintf(url, sizeof(url), "/?policies=%zu", end);
        json_object_set_new(data, "policies_next_url", json_string(url));
    }
}

json_t *overview_new(const struct status_view *view, const struct settings *settings, size_t from)
{
    json_t *data =
        json_pack("{s:s, s:I, s:b, s:o, s:o, s:I, s:I}", "version", PDNS_MTA_STS_VERSION,
                  "generation", (json_int_t)view->generation, "serving", view->serving, "loaded",
                  page_data_time(view->loaded), "started", page_data_time(view->started),
                  "n_domains", (json_int_t)snapshot_n_domains(view->snapshot), "n_policies",
                  (json_int_t)snapshot_n_policies(view->snapshot));

    (void)settings;
    add_policies(data, view->snapshot, from);
    return data;
}
