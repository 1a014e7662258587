#include "admin/overview.h"

#include "admin/page_data.h"
#include "admin/verified_data.h"
#include "snapshot/retiring.h"
#include "state/sync_runs.h"

#include <errno.h>

enum {
    POLICIES = 50, /* shown at a time */
    WAITING = 10,  /* ids */
    ERRORS = 10,   /* of a reload */
};

static void add_number(json_t *data, const char *key, size_t number)
{
    json_object_set_new(data, key, json_integer((json_int_t)number));
}

/* Adds how many there are beyond those that are shown, if there are any. */
static void add_more(json_t *data, size_t n, size_t shown)
{
    json_object_set_new(data, "more",
                        n > shown ? json_integer((json_int_t)(n - shown)) : json_null());
}

static void add_service(json_t *data, const struct status_view *view)
{
    page_data_add_service(data, view);
    json_object_set_new(data, "serving", json_boolean(view->serving));
    json_object_set_new(data, "loaded", page_data_time(view->loaded));
    add_number(data, "n_domains", snapshot_n_domains(view->snapshot));
    add_number(data, "n_policies", snapshot_n_policies(view->snapshot));
    if (snapshot_n_zones(view->snapshot))
        json_object_set_new(data, "zones",
                            json_pack("{s:I, s:I}", "n",
                                      (json_int_t)snapshot_n_zones(view->snapshot), "to_notify",
                                      (json_int_t)view->zones_to_notify));
}

static void add_state(json_t *data, const struct status_view *view)
{
    const struct status_state *state = &view->state;

    if (state->failed)
        json_object_set_new(data, "state",
                            json_pack("{s:o, s:o}", "failed_since",
                                      page_data_time(state->failed_since), "fault",
                                      page_data_text(text_from(state->fault))));
}

/* Adds the errors of a refused reload, which are the strings of a JSON array. */
static int add_reload(json_t *data, const struct status_view *view)
{
    CLEANUP(buffer_deinit) struct buffer text = BUFFER_INIT;
    json_t *reload, *errors;
    size_t n;

    if (!view->reload.refused)
        return 0;
    if (!view->errors)
        return -ENOMEM;
    buffer_add_string(&text, "[");
    buffer_add_text(&text, buffer_text(&view->errors->buffer));
    buffer_add_string(&text, "]");
    if (text.failed)
        return -ENOMEM;
    errors = json_loadb(text.data, text.length, 0, NULL);
    for (n = json_array_size(errors); n > ERRORS; n--)
        json_array_remove(errors, n - 1);
    reload = json_pack("{s:o, s:o}", "time", page_data_time(view->reload.time), "errors", errors);
    add_more(reload, view->reload.errors, n);
    json_object_set_new(data, "reload", reload);
    return 0;
}

static void find_held(const struct status_view *view, struct held_domains *held)
{
    size_t n = snapshot_n_held(view->snapshot), cursor = 0;
    struct domain domain;

    *held = (struct held_domains){.generation = view->generation};
    while (held->n < n && held->n < OVERVIEW_NAMED &&
           snapshot_next_domain(view->snapshot, &cursor, &domain))
        if (domain.held)
            held->positions[held->n++] = domain.position;
}

static void add_held(json_t *data, const struct status_view *view, struct held_domains *held)
{
    json_t *object, *first = json_array();

    if (held->generation != view->generation)
        find_held(view, held);
    for (size_t i = 0; i < held->n; i++) {
        struct domain domain;

        snapshot_at(view->snapshot, held->positions[i], &domain);
        json_array_append_new(first, page_data_text(domain.name));
    }
    object = json_pack("{s:I, s:o, s:s}", "n", (json_int_t)snapshot_n_held(view->snapshot), "first",
                       first, "url", "?state=held_back");
    add_more(object, snapshot_n_held(view->snapshot), held->n);
    if (held->n)
        json_object_set(data, "held", object);
    json_decref(object);
}

static int add_waiting(json_t *data, const struct status_view *view)
{
    json_t *object, *policies;
    size_t n;

    if (!view->waiting)
        return -ENOMEM;
    if (view->waiting->n == 0)
        return 0;
    policies = json_array();
    for (n = 0; n < view->waiting->n && n < WAITING; n++) {
        const struct status_waiting_id *id = &view->waiting->ids[n];
        json_t *waiting = page_data_waiting(id);

        json_object_set_new(waiting, "domain",
                            page_data_text(snapshot_policy(view->snapshot, id->policy)->primary));
        json_array_append_new(policies, waiting);
    }
    object = json_pack("{s:I, s:o}", "n", (json_int_t)view->waiting->n, "policies", policies);
    add_more(object, view->waiting->n, n);
    json_object_set_new(data, "waiting", object);
    return 0;
}

static void add_retiring(json_t *data, const struct status_view *view)
{
    size_t n = snapshot_n_retiring(view->snapshot), shown;
    time_t until = (time_t)(snapshot_last_until(view->snapshot) - view->ahead);
    json_t *object, *first;

    if (n == 0)
        return;
    first = json_array();
    for (shown = 0; shown < n && shown < OVERVIEW_NAMED; shown++) {
        struct domain domain;

        snapshot_retiring(view->snapshot, shown, &domain);
        json_array_append_new(first, page_data_text(domain.name));
    }
    object = json_pack("{s:I, s:o, s:o, s:s}", "n", (json_int_t)n, "until", page_data_time(until),
                       "first", first, "url", "?state=retiring");
    add_more(object, n, shown);
    json_object_set_new(data, "retiring", object);
}

static int add_sync(json_t *data, const struct status_view *view, struct saved *saved)
{
    struct sync_run run = {0};
    int64_t succeeded = 0;
    bool counts = saved->is_open && view->syncs;
    int r = counts ? sync_runs_last(&saved->state, &run, &succeeded) : STATE_END;

    if (r)
        return saved_judge(saved, r);
    json_object_set_new(
        data, "sync",
        json_pack("{s:o, s:b, s:I, s:I, s:I, s:o}", "time", page_data_time((time_t)run.ended),
                  "refused", run.refused, "names", (json_int_t)run.names, "uncovered",
                  (json_int_t)run.uncovered, "failed", (json_int_t)run.failed, "succeeded",
                  succeeded ? page_data_time((time_t)succeeded) : json_null()));
    return 0;
}

static json_t *policy_data(const struct snapshot *snapshot, size_t number)
{
    const struct policy *policy = snapshot_policy(snapshot, number);
    bool has_mode = policy->mode != POLICY_MODE_ABSENT;

    return json_pack("{s:o, s:s?, s:o, s:o, s:o, s:I, s:I, s:o}", "domain",
                     page_data_text(policy->primary), "mode", policy_mode_text(policy->mode),
                     "max_age", has_mode ? json_integer(policy->max_age) : json_null(),
                     "max_age_text", has_mode ? page_data_duration(policy->max_age) : json_null(),
                     "id", has_mode ? page_data_text(policy->id) : json_null(), "members",
                     (json_int_t)policy->n_domains, "held", (json_int_t)policy->n_held, "serial",
                     policy->zones ? json_integer(snapshot_policy_serial(snapshot, number))
                                   : json_null());
}

/* Adds the policies from a number on. */
static int add_policies(json_t *data, const struct snapshot *snapshot, struct saved *saved,
                        size_t from)
{
    size_t n = snapshot_n_policies(snapshot),
           end = from < n && n - from > POLICIES ? from + POLICIES : n;
    json_t *policies = json_array();
    int r = 0;

    for (size_t i = from; i < end && r == 0; i++) {
        json_t *policy = policy_data(snapshot, i);

        r = verified_data_add_to_policy(policy, saved, snapshot_policy(snapshot, i)->primary);
        json_array_append_new(policies, policy);
    }
    json_object_set_new(data, "policies", policies);
    add_number(data, "policies_from", from);
    if (end < n)
        json_object_set_new(data, "policies_next", json_sprintf("%zu", end));
    return r;
}

/* Adds what the page says first: whether something is wrong, or should be looked at. What is under
 * way comes to its end by itself. */
static void add_verdict(json_t *data, const struct status_view *view,
                        const struct verify_run *verified)
{
    bool trouble =
        !view->serving || view->state.failed || view->reload.refused || verified->error > 0;
    bool attention = verified->warning > 0 || json_object_get(data, "unverified") ||
                     json_object_get(data, "held") || json_object_get(data, "unreadable") ||
                     json_is_true(json_object_get(json_object_get(data, "sync"), "refused"));

    page_data_add_health(data, trouble, attention);
    json_object_set_new(data, "needs_attention", json_boolean(attention || trouble));
    json_object_set_new(
        data, "under_way",
        json_boolean(json_object_get(data, "waiting") || json_object_get(data, "retiring")));
}

/* Adds what is read from the state, and the policies. */
static int add_saved(json_t *data, const struct status_view *view, struct saved *saved, size_t from,
                     struct verify_run *verified)
{
    int r = verified_data_add(data, saved, verified);

    if (r)
        return r;
    r = add_policies(data, view->snapshot, saved, from);
    if (r)
        return r;
    r = add_sync(data, view, saved);
    verified_data_add_fault(data, saved);
    return r;
}

int overview_new(const struct status_view *view, struct saved *saved, struct held_domains *held,
                 size_t from, json_t **out)
{
    CLEANUP(page_data_free) json_t *data = json_object();
    struct verify_run verified = {0};
    int r;

    add_service(data, view);
    add_state(data, view);
    add_held(data, view, held);
    add_retiring(data, view);
    r = add_reload(data, view);
    if (r)
        return r;
    r = add_waiting(data, view);
    if (r)
        return r;
    r = add_saved(data, view, saved, from, &verified);
    if (r)
        return r;
    add_verdict(data, view, &verified);
    if (page_data_failed())
        return -ENOMEM;
    *out = data;
    data = NULL;
    return 0;
}
