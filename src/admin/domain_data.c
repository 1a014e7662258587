#include "admin/domain_data.h"

#include "admin/page_data.h"
#include "admin/verified_data.h"
#include "answer/master_file.h"
#include "base/template.h"
#include "os/clock.h"
#include "policy/former.h"
#include "snapshot/retiring.h"
#include "state/bodies.h"

#include <errno.h>
#include <stdio.h>

enum { BODIES = 20 /* shown */ };

static const char *const kinds[] = {
    [DOMAIN_PRIMARY] = "primary",
    [DOMAIN_DIRECT] = "direct",
    [DOMAIN_CNAME] = "cname",
};

/* When a retiring domain is gone, by the clock of the system. */
static time_t until_of(const struct status_view *view, const struct domain *domain)
{
    return (time_t)(snapshot_until(view->snapshot, domain) - view->ahead);
}

json_t *domain_data_short(const struct status_view *view, const struct domain *domain)
{
    enum domain_state state = domain_state_of(view, domain);
    const struct policy *policy = domain->policy;

    return json_pack("{s:o, s:o, s:s, s:s, s:o, s:o}", "domain", page_data_text(domain->name),
                     "policy", page_data_text(policy_original_primary(policy)), "kind",
                     kinds[domain->kind], "state", domain_state_name(state), "id",
                     policy->id.length ? page_data_text(policy->id) : json_null(), "until",
                     state == DOMAIN_STATE_RETIRING
                         ? json_string(clock_text(until_of(view, domain)).text)
                         : json_null());
}

json_t *domain_data_absent(struct text name)
{
    return json_pack("{s:o, s:n, s:n, s:n, s:n, s:n}", "domain", page_data_text(name), "policy",
                     "kind", "state", "id", "until");
}

void domain_data_add_flags(json_t *data, const struct status_view *view,
                           const struct domain *domain)
{
    enum domain_state state = domain_state_of(view, domain);
    char key[32];

    snprintf(key, sizeof(key), "kind_%s", kinds[domain->kind]);
    json_object_set_new(data, key, json_true());
    snprintf(key, sizeof(key), "state_%s", domain_state_name(state));
    json_object_set_new(data, key, json_true());
    if (state == DOMAIN_STATE_RETIRING)
        json_object_set_new(data, "until", page_data_time(until_of(view, domain)));
}

static json_t *record_data(const struct answer *answer, const struct row *row)
{
    struct text content = answer_content(answer, row);

    return json_pack("{s:o, s:s, s:I, s:o}", "name", json_sprintf("%s.", answer->name.text), "type",
                     record_type_text(row->type).data, "ttl", (json_int_t)answer->ttl, "content",
                     json_sprintf("%.*s%s", (int)content.length, content.data,
                                  record_type_is_name(row->type) ? "." : ""));
}

/* Hands the records of a domain to a function; an empty non-terminal is none. */
static void each_record(const struct snapshot *snapshot, const struct domain *domain,
                        void (*add)(void *to, const struct answer *answer, const struct row *row),
                        void *to)
{
    struct answer answer;

    for (enum owner owner = 0; owner < OWNER_COUNT; owner++) {
        if (!answer_at(snapshot, domain, owner, &answer))
            continue;
        for (size_t i = 0; i < answer.rows.n; i++)
            if (answer.rows.first[i].type != RECORD_ENT)
                add(to, &answer, &answer.rows.first[i]);
    }
}

static void add_record(void *to, const struct answer *answer, const struct row *row)
{
    json_array_append_new(to, record_data(answer, row));
}

static void add_line(void *to, const struct answer *answer, const struct row *row)
{
    master_file_write(to, answer, row);
}

/* Adds the records as lines of a master file. */
static int add_lines(json_t *data, const struct snapshot *snapshot, const struct domain *domain)
{
    CLEANUP(buffer_deinit) struct buffer lines = BUFFER_INIT;
    json_t *list = json_array();
    struct text rest;

    each_record(snapshot, domain, add_line, &lines);
    for (rest = buffer_text(&lines); rest.length;)
        json_array_append_new(list, page_data_text(text_take(&rest, '\n')));
    json_object_set_new(data, "has_records", json_boolean(json_array_size(list)));
    json_object_set_new(data, "lines", list);
    return lines.failed ? -ENOMEM : 0;
}

/* The bodies that were served, while they are read. */
struct bodies {
    json_t *list;
    int64_t now, ahead; /* of the clock of the state */
};

static json_t *time_data(const struct bodies *bodies, int64_t time)
{
    return page_data_time((time_t)(time - bodies->ahead));
}

static void add_body(const struct served_body *body, void *context)
{
    struct bodies *bodies = context;
    int64_t until = served_body_until(body, bodies->now);

    if (json_array_size(bodies->list) == BODIES)
        return;
    json_array_append_new(bodies->list,
                          json_pack("{s:o, s:b, s:o, s:o, s:o}", "first",
                                    time_data(bodies, body->first), "served", body->served, "last",
                                    body->served ? json_null() : time_data(bodies, body->last),
                                    "until", body->served ? json_null() : time_data(bodies, until),
                                    "lines", page_data_text(body->body)));
}

/* Adds the bodies that the policy of a domain has served, the latest first. */
static int add_bodies(json_t *data, const struct status_view *view, struct saved *saved,
                      const struct domain *domain)
{
    struct bodies bodies = {json_array(), time(NULL) + view->ahead, view->ahead};
    int r = 0;

    if (saved->is_open)
        r = saved_judge(saved, bodies_each(&saved->state, policy_original_primary(domain->policy),
                                           add_body, &bodies));
    json_object_set_new(data, "has_history", json_boolean(json_array_size(bodies.list)));
    json_object_set_new(data, "bodies", bodies.list);
    return r;
}

/* Adds that a domain is held back, and which file it waits for. */
static int add_held(json_t *next, const struct domain *domain)
{
    CLEANUP(buffer_deinit) struct buffer file = BUFFER_INIT;

    template_write(&file, domain->policy->certificates, domain->name);
    json_object_set_new(next, "held",
                        json_pack("{s:o}", "file", page_data_text(buffer_text(&file))));
    return file.failed ? -ENOMEM : 0;
}

/* Adds what becomes of the domain by itself. */
static int add_next(json_t *data, const struct status_view *view, const struct domain *domain)
{
    const struct status_waiting_id *waiting = status_view_waiting(view, domain->policy);
    json_t *next = json_object();
    int r = 0;

    if (domain_state_of(view, domain) == DOMAIN_STATE_RETIRING)
        json_object_set_new(next, "retiring",
                            json_pack("{s:o}", "until", page_data_time(until_of(view, domain))));
    if (domain->held)
        r = add_held(next, domain);
    if (waiting)
        json_object_set_new(next, "waiting", page_data_waiting(waiting));
    if (json_object_size(next))
        json_object_set(data, "next", next);
    json_decref(next);
    return r;
}

static void add_policy(json_t *data, const struct domain *domain)
{
    const struct policy *policy = domain->policy;
    struct name host;

    if (policy->mode == POLICY_MODE_ABSENT)
        return;
    owner_name(OWNER_POLICY_HOST, domain->name, &host);
    json_object_set_new(data, "mode", json_string(policy_mode_text(policy->mode)));
    json_object_set_new(data, "max_age", json_integer(policy->max_age));
    json_object_set_new(data, "max_age_text", page_data_duration(policy->max_age));
    json_object_set_new(data, "has_body", json_true());
    json_object_set_new(data, "body", page_data_text(policy->body));
    json_object_set_new(data, "policy_host", json_string(host.text));
    json_object_set_new(data, "policy_url", json_sprintf("https://%s" POLICY_PATH, host.text));
}

/* Reads when verify has looked at a domain; 0 if that is not known. */
static int read_verified(struct saved *saved, const struct domain *domain, time_t *out)
{
    int64_t when = 0;
    int r = saved->is_open ? verify_result_looked_at(&saved->state, domain->name, &when) : 0;

    *out = (time_t)when;
    return saved_judge(saved, r);
}

int domain_data_whole(const struct status_view *view, struct saved *saved,
                      const struct domain *domain, json_t **out)
{
    CLEANUP(page_data_free) json_t *data = domain_data_short(view, domain);
    json_t *records = json_array(), *findings = NULL;
    time_t verified;
    int r;

    each_record(view->snapshot, domain, add_record, records);
    json_object_set_new(data, "records", records);
    r = verified_data_of_domain(saved, domain->name, false, &findings);
    if (r)
        return r;
    json_object_set_new(data, "findings", findings);
    r = read_verified(saved, domain, &verified);
    if (r)
        return r;
    json_object_set_new(data, "verified",
                        verified ? json_string(clock_text(verified).text) : json_null());
    if (page_data_failed())
        return -ENOMEM;
    *out = data;
    data = NULL;
    return 0;
}

/* Adds what verify found of the domain. What it has not looked at has no verdict, but for what is
 * known without. */
static int add_verified(json_t *data, struct saved *saved, const struct domain *domain)
{
    bool error = false, warning = false;
    json_t *findings = NULL, *finding;
    time_t verified;
    size_t i;
    int r = verified_data_of_domain(saved, domain->name, true, &findings);

    if (r)
        return r;
    json_array_foreach(findings, i, finding) {
        error |= json_is_true(json_object_get(finding, "error"));
        warning |= json_is_true(json_object_get(finding, "warning"));
    }
    warning |= domain->held || saved->fault;
    json_object_set_new(data, "has_findings", json_boolean(json_array_size(findings)));
    json_object_set_new(data, "findings", findings);
    r = read_verified(saved, domain, &verified);
    if (r)
        return r;
    if (verified)
        json_object_set_new(data, "verified", page_data_time(verified));
    if (verified || error || warning)
        page_data_add_health(data, error, warning);
    return 0;
}

int domain_data_page(const struct status_view *view, struct saved *saved,
                     const struct domain *domain, json_t **out)
{
    CLEANUP(page_data_free) json_t *data = domain_data_short(view, domain);
    int r;

    page_data_add_service(data, view);
    domain_data_add_flags(data, view, domain);
    add_policy(data, domain);
    r = add_next(data, view, domain);
    if (r)
        return r;
    r = add_verified(data, saved, domain);
    if (r)
        return r;
    r = add_lines(data, view->snapshot, domain);
    if (r)
        return r;
    r = add_bodies(data, view, saved, domain);
    if (r)
        return r;
    verified_data_add_fault(data, saved);
    if (page_data_failed())
        return -ENOMEM;
    *out = data;
    data = NULL;
    return 0;
}
