#include "admin/finding_domains.h"

#include "admin/domain_data.h"
#include "admin/page_data.h"
#include "admin/verified_data.h"

#include <errno.h>
#include <stdio.h>

/* The domains, while they are read. */
struct list {
    const struct status_view *view;
    json_t *data;
    bool as_page;
};

static int add_domain(struct text name, void *context)
{
    struct list *list = context;
    json_t *domains = json_object_get(list->data, "domains"), *data;
    struct domain domain;

    if (json_array_size(domains) == FINDING_DOMAINS) {
        json_object_set_new(list->data, "next", page_data_text(name));
        return 0;
    }
    if (snapshot_find(list->view->snapshot, name, &domain)) {
        data = domain_data_short(list->view, &domain);
        if (list->as_page)
            domain_data_add_flags(data, list->view, &domain);
    } else {
        data = domain_data_absent(name);
    }
    json_array_append_new(domains, data);
    return 0;
}

/* Says why there is nothing to show. */
static int refuse(const struct saved *saved, const struct verify_run *last,
                  const struct page_query *query, char fault[PAGE_QUERY_FAULT_MAX])
{
    const char *why = "no domain has this finding any more";

    if (saved->fault) {
        snprintf(fault, PAGE_QUERY_FAULT_MAX, "the state cannot be read: %s", saved->fault);
        return FINDING_DOMAINS_UNREADABLE;
    }
    if (last->number < query->run || !last->number)
        why = "verify has saved no such run";
    else if (last->number > query->run)
        why = "verify has run again since then, and what it found before is not kept";
    snprintf(fault, PAGE_QUERY_FAULT_MAX, "%s", why);
    return FINDING_DOMAINS_GONE;
}

/* Reads the last run, and if that is the one asked for, the finding and its domains. */
static int read_finding(struct list *list, struct saved *saved, const struct page_query *query,
                        struct verify_run *last, json_t **finding)
{
    int r = saved->is_open ? verify_runs_last(&saved->state, last) : STATE_END;

    r = saved_judge(saved, r);
    if (r || !last->number || last->number != query->run)
        return r;
    r = verified_data_finding(saved, query->finding, finding);
    if (r)
        return r;
    return saved_judge(saved, verify_result_each_domain(&saved->state, query->finding,
                                                        text_from(query->first),
                                                        FINDING_DOMAINS + 1, add_domain, list));
}

int finding_domains_new(const struct status_view *view, struct saved *saved,
                        const struct page_query *query, bool as_page,
                        char fault[PAGE_QUERY_FAULT_MAX], json_t **out)
{
    CLEANUP(page_data_free) json_t *data = json_pack("{s:[], s:n}", "domains", "next");
    CLEANUP(page_data_free) json_t *finding = NULL;
    struct list list = {view, data, as_page};
    struct verify_run last = {0};
    int r = read_finding(&list, saved, query, &last, &finding);

    if (r || page_data_failed())
        return -ENOMEM;
    if (!finding || saved->fault)
        return refuse(saved, &last, query, fault);
    if (as_page) {
        json_object_update(data, finding);
        json_object_set_new(data, "ended", page_data_time((time_t)last.ended));
        json_object_set_new(data, "is_first", json_boolean(!query->first[0]));
    }
    if (page_data_failed())
        return -ENOMEM;
    *out = data;
    data = NULL;
    return 0;
}
