#include "service/load.h"

#include "config/certificates.h"
#include "os/clock.h"
#include "os/log.h"
#include "service/reload.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

enum { NAP_NANOSECONDS = 10000000 };

struct load {
    struct load_setup setup;
    struct load_result result;
    struct past past; /* of what is published */
    pthread_t thread;
    bool joined;
    atomic_bool cancelled, ended;
};

static void log_diagnostic(enum severity severity, const char *place, const char *text,
                           void *context)
{
    (void)context;
    log_at(severity == SEVERITY_ERROR ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, "%s%s", place, text);
}

static bool is_cancelled(void *context)
{
    const struct load *load = context;

    return load->cancelled;
}

static int read_config(struct load *load)
{
    const struct config_request request = {
        .path = load->setup.path,
        .seed = load->setup.seed,
        .cancel = {.asked = is_cancelled, .context = load},
        .matched_before = load->setup.matched,
        .before = load->setup.loaded,
    };

    return config_load(&request, &load->result.diagnostics, &load->result.config);
}

/* Finds what was published until now, and which ids waited. */
static int look_back(struct load *load)
{
    const struct load_setup *setup = &load->setup;
    int r = past_of(setup->published, &load->past);

    if (r == 0 && setup->published)
        announcements_note(setup->announcements, setup->loaded, &load->past);
    return r;
}

/* Refuses a reload that removes too many domains: a list may have been cut short. Returns 0 or
 * REPORTED. */
static int judge_removal(struct load *load)
{
    struct load_result *result = &load->result;
    size_t removed = reload_count_removed(&result->domains);
    size_t n = snapshot_n_domains(load->setup.published);
    uint32_t limit = result->config->removal_limit;

    if (!reload_removes_too_many(removed, n, limit))
        return 0;
    diagnostics_error(&result->diagnostics, (struct place){.file = load->setup.path},
                      "the reload would remove %zu of %zu domains, and removal_limit is %u%%: if "
                      "they are to go, raise it for this reload, or restart the service",
                      removed, n, limit);
    return result->diagnostics.out_of_memory ? -ENOMEM : REPORTED;
}

/* Makes the snapshots of a load, the loaded and the published one. */
static int follow_up(struct load *load)
{
    const struct load_setup *setup = &load->setup;
    struct load_result *result = &load->result;
    struct snapshot **loaded = &result->config->snapshot, *next;
    const struct snapshot_before before = {&load->past, &result->domains, time(NULL)};
    int64_t now = clock_monotonic_ms();
    int r;

    if (setup->published) {
        r = domain_changes_between(setup->published, *loaded, &result->domains);
        if (r)
            return r;
        r = judge_removal(load);
        if (r)
            return r;
    }
    r = announcements_plan(&load->past, *loaded, now, &result->announcements);
    if (r)
        return r;
    r = announcements_follow(&result->announcements, *loaded, &before, &next);
    if (r)
        return r;
    snapshot_unref(*loaded);
    *loaded = next;
    return announcements_apply(&result->announcements, *loaded, &before, now, &result->published);
}

static void warn_of_id(const struct policy *policy, void *context)
{
    (void)context;
    log_warning(
        "the policy body of %s changed and its id is still %s, so senders keep the old body: set "
        "another id, or auto",
        policy->primary.data, policy->id.data);
}

/* Describes a reload, and warns of what an operator may not expect of it. */
static void describe(struct load *load)
{
    CLEANUP(buffer_deinit) struct buffer keys = BUFFER_INIT;
    const struct load_setup *setup = &load->setup;
    struct load_result *result = &load->result;

    config_name_restart(setup->settings, &result->config->settings, &keys);
    if (keys.length)
        log_warning("reload: %.*s changed; restart the service to apply this, all else is applied",
                    (int)keys.length, keys.data);
    reload_check_ids(setup->published, result->config->snapshot, warn_of_id, NULL);
    reload_describe(setup->published, result->published, &result->domains, &result->changes);
}

/* Makes the snapshot to publish, of what is read or, without a path, of what was loaded last. */
static int make(struct load *load)
{
    const struct load_setup *setup = &load->setup;
    const struct snapshot_before before = {.past = &load->past, .changes = &load->result.domains};
    int r;

    if (setup->path) {
        r = read_config(load);
        if (r)
            return r;
    }
    r = look_back(load);
    if (r)
        return r;
    if (setup->path)
        return follow_up(load);
    return announcements_apply(setup->announcements, setup->loaded, &before, setup->now,
                               &load->result.published);
}

static int run(struct load *load)
{
    const struct load_setup *setup = &load->setup;
    struct load_result *result = &load->result;
    int r = make(load);

    if (r != -ECANCELED)
        diagnostics_each(&result->diagnostics, log_diagnostic, NULL);
    if (r)
        return r;
    r = notify_prepare(setup->notify, result->published);
    if (r)
        return r;
    if (!setup->path)
        reload_describe_ids(setup->published, result->published, &result->changes);
    else if (setup->published)
        describe(load);
    if (snapshot_n_held(result->published))
        certificates_name_held(result->published, &result->held);
    return 0;
}

static void *run_load(void *argument)
{
    struct load *load = argument;

    pthread_setname_np(pthread_self(), "loads");
    load->result.r = run(load);
    if (load->setup.path && load->result.r < 0 && load->result.r != -ECANCELED)
        log_error("%s: %s", load->setup.path, strerror(-load->result.r));
    load->result.processor_ms = clock_thread_ms();
    load->ended = true;
    load->setup.ended();
    return NULL;
}

int load_new(const struct load_setup *setup, struct load **out)
{
    struct load *load = calloc(1, sizeof(*load));
    int r;

    if (!load)
        return -ENOMEM;
    load->setup = *setup;
    load->result.now = setup->now;
    load->result.begun = clock_monotonic_ns();
    r = pthread_create(&load->thread, NULL, run_load, load);
    if (r) {
        free(load);
        return -r;
    }
    *out = load;
    return 0;
}

bool load_has_ended(const struct load *load)
{
    return load->ended;
}

struct load_result *load_wait(struct load *load)
{
    if (!load->joined)
        pthread_join(load->thread, NULL);
    load->joined = true;
    return &load->result;
}

void load_cancel(struct load *load)
{
    if (load)
        load->cancelled = true;
}

/* Waits for the end of a load that was cancelled. Returns whether it has ended. */
static bool wait_patiently(struct load *load)
{
    int64_t end = clock_monotonic_ms() + LOAD_PATIENCE_MILLISECONDS;

    while (!load->ended && clock_monotonic_ms() < end)
        nanosleep(&(struct timespec){.tv_nsec = NAP_NANOSECONDS}, NULL);
    return load->ended;
}

bool load_free(struct load *load)
{
    struct load_result *result;

    if (!load)
        return true;
    load_cancel(load);
    if (!load->joined && !wait_patiently(load)) {
        pthread_detach(load->thread);
        return false;
    }
    result = load_wait(load);
    diagnostics_deinit(&result->diagnostics);
    config_free(result->config);
    announcements_deinit(&result->announcements);
    snapshot_unref(result->published);
    domain_changes_deinit(&result->domains);
    past_deinit(&load->past);
    buffer_deinit(&result->changes);
    buffer_deinit(&result->held);
    free(load);
    return true;
}
