#include "service/load.h"

#include "config/certificates.h"
#include "os/clock.h"
#include "os/log.h"
#include "os/state_directory.h"
#include "service/reload.h"
#include "state/memory.h"
#include "state/notified.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

enum { NAP_NANOSECONDS = 10000000 };

struct load {
    struct load_setup setup;
    struct load_result result;
    struct past past;     /* of what is published */
    struct state state;   /* open at the start, until it was read, */
    struct memory memory; /* and the first of it */
    bool remembers;       /* there is something in it */
    bool began;           /* it says now that the process has not ended, which it did not before */
    char directory[PATH_MAX];
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

/* Opens the state at the start, and reads the first of it. Without it the service starts as if
 * nothing had been published before. */
static void open_state(struct load *load, const char *directory)
{
    struct state *state = &load->state;
    int r = state_open(state, directory, STATE_WRITE);

    if (r == 0)
        r = memory_begin(state, load->setup.seed, &load->memory);
    if (r == STATE_FAILED && state->damaged) {
        r = state_replace(state);
        if (r == 0)
            r = memory_begin(state, load->setup.seed, &load->memory);
    }
    if (state->set_aside[0])
        log_error("the state in %s was damaged: it is %s now, and a new one is made", directory,
                  state->set_aside);
    if (r)
        log_error("cannot use the state in %s: %s; starting as if nothing had been published "
                  "before",
                  directory, r < 0 ? strerror(-r) : state->fault);
    else if (load->memory.written == 0)
        log_warning("the state in %s is new: what was published before is not known", directory);
    load->began = r == 0 && load->memory.ended;
    snprintf(load->directory, sizeof(load->directory), "%s", directory);
    load->remembers = r == 0 && load->memory.written;
    if (r == 0)
        load->result.seed = load->memory.seed;
    if (!load->remembers)
        state_close(state);
}

/* The domain tables have the seed of the state from the start on. */
static uint64_t choose_seed(const struct settings *settings, void *context)
{
    struct load *load = context;
    const char *directory = state_directory(settings->state);

    load->result.seed = load->setup.seed;
    if (!load->setup.published && directory)
        open_state(load, directory);
    return load->result.seed;
}

static int read_config(struct load *load)
{
    const struct config_request request = {
        .path = load->setup.path,
        .cancel = {.asked = is_cancelled, .context = load},
        .seed = choose_seed,
        .context = load,
        .matched_before = load->setup.matched,
        .before = load->setup.loaded,
    };

    return config_load(&request, &load->result.diagnostics, &load->result.config);
}

/* Reads the past at the start from the state. What cannot be read any more is not known. */
static int remember(struct load *load, struct notified *notified)
{
    const struct memory_clock clock = {time(NULL), clock_monotonic_ms()};
    struct state *state = &load->state;
    int r = memory_read_past(state, &load->memory, &clock, &load->past);

    if (r == 0)
        r = memory_read_changes(state, load->result.config->snapshot, &load->result.domains);
    if (r == 0)
        r = notified_read(state, notified);
    if (r == STATE_FAILED)
        log_error("cannot read the state: %s; starting as if nothing had been published before",
                  state->fault);
    if (r == STATE_FAILED && state->damaged && state_replace(state) == 0)
        log_error("the damaged state is %s now", state->set_aside);
    state_close(state);
    if (r == STATE_FAILED) {
        past_deinit(&load->past);
        domain_changes_deinit(&load->result.domains);
        return 0;
    }
    return r;
}

/* Finds what was published until now, which ids waited, and how the domains of what is read
 * differ. */
static int look_back(struct load *load, struct notified *notified)
{
    const struct load_setup *setup = &load->setup;
    int r;

    if (load->remembers)
        return remember(load, notified);
    r = past_of(setup->published, &load->past);
    if (r || !setup->published)
        return r;
    announcements_note(setup->announcements, setup->loaded, INT64_MIN, &load->past);
    return setup->path ? domain_changes_between(setup->published, load->result.config->snapshot,
                                                &load->result.domains)
                       : 0;
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
    struct load_result *result = &load->result;
    struct snapshot **loaded = &result->config->snapshot, *next;
    const struct snapshot_before before = {&load->past, &result->domains, time(NULL)};
    int64_t now = clock_monotonic_ms();
    int r;

    if (load->setup.published) {
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

/* Own zones need a place for their serials. */
static int check_state(struct load *load)
{
    const struct config *config = load->result.config;
    const struct settings *settings =
        load->setup.settings ? load->setup.settings : &config->settings;

    if (snapshot_n_zones(config->snapshot) == 0 || state_directory(settings->state))
        return 0;
    log_error("%s: %s", load->setup.path, state_needed);
    return REPORTED;
}

/* Makes the snapshot to publish, of what is read or, without a path, of what was loaded last. */
static int make(struct load *load, struct notified *notified)
{
    const struct load_setup *setup = &load->setup;
    const struct snapshot_before before = {.past = &load->past, .changes = &load->result.domains};
    int r;

    if (setup->path) {
        r = read_config(load);
        if (r)
            return r;
        r = check_state(load);
        if (r)
            return r;
    }
    r = look_back(load, notified);
    if (r)
        return r;
    if (setup->path)
        return follow_up(load);
    return announcements_apply(setup->announcements, setup->loaded, &before, setup->now,
                               &load->result.published);
}

/* Makes the past that this load will be. */
static int look_ahead(struct load *load)
{
    const struct load_setup *setup = &load->setup;
    struct load_result *result = &load->result;
    int r = past_of(result->published, &result->past);

    if (r)
        return r;
    if (setup->path)
        announcements_note(&result->announcements, result->config->snapshot, INT64_MIN,
                           &result->past);
    else
        announcements_note(setup->announcements, setup->loaded, setup->now, &result->past);
    return 0;
}

static int run(struct load *load)
{
    const struct load_setup *setup = &load->setup;
    struct load_result *result = &load->result;
    CLEANUP(notified_deinit) struct notified notified = NOTIFIED_INIT;
    int r = make(load, &notified);

    if (r != -ECANCELED)
        diagnostics_each(&result->diagnostics, log_diagnostic, NULL);
    if (r)
        return r;
    r = look_ahead(load);
    if (r)
        return r;
    r = notify_prepare(setup->notify, result->published, &notified);
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

void load_undo(struct load *load)
{
    struct state state;

    if (!load->began)
        return;
    if (state_open(&state, load->directory, STATE_WRITE) == 0)
        (void)memory_end(&state);
    state_close(&state);
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
    past_deinit(&result->past);
    state_close(&load->state);
    buffer_deinit(&result->changes);
    buffer_deinit(&result->held);
    free(load);
    return true;
}
