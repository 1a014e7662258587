#include "service/load.h"

#include "base/number.h"
#include "config/certificates.h"
#include "os/clock.h"
#include "os/log.h"
#include "os/state_directory.h"
#include "os/thread.h"
#include "service/reload.h"
#include "service/retirement.h"
#include "state/memory.h"
#include "state/notified.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

enum {
    NAP_NANOSECONDS = 10000000,
    KEEPER_PATIENCE_MILLISECONDS = 5000,
};

struct load {
    struct load_setup setup;
    struct load_result result;
    struct past past; /* of what is published */
    struct retirement retirement;
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

/* Begins the clock of the state, which the service has from then on. */
static void begin_clock(struct load *load)
{
    const struct memory *memory = &load->memory;
    struct state_clock *clock = &load->result.clock;
    int64_t passed = state_clock_begin(clock, load->remembers ? memory->written : 0, memory->ahead,
                                       clock_system_ms(), clock_boot_ms());

    if (passed)
        log_warning(
            "the clock is %lld s %s the last time that the service wrote its state: no time "
            "counts as passed, so domains that retire do so longer",
            (long long)(passed < 0 ? -passed : passed), passed < 0 ? "before" : "after");
}

/* Opens a state that cannot be written now. What it says holds, but for serials: another process
 * may have published since then, and this one cannot note that it does. Returns 0, STATE_END if
 * there is nothing in it, or R. */
static int open_to_read(struct load *load, const char *directory, int r)
{
    struct state state;
    int read = state_open(&state, directory, STATE_READ);

    if (read == 0)
        read = memory_read(&state, &load->memory);
    load->memory.ended = false;
    if (read && read != STATE_END) {
        state_close(&state);
        return r;
    }
    log_warning("the state in %s can be read, but not written: %s; all own zones get new serials",
                directory, load->state.fault);
    state_close(&load->state);
    load->state = state;
    return read;
}

/* Opens the state at the start, and reads the first of it. Without it the service starts as if
 * nothing had been published before. */
static void open_state(struct load *load, const char *directory)
{
    struct state *state = &load->state;
    int r = state_open(state, directory, STATE_WRITE);

    if (r == 0)
        r = memory_begin(state, load->setup.seed, time(NULL), &load->memory);
    if (r == STATE_FAILED && state->damaged) {
        r = state_replace(state);
        if (r == 0)
            r = memory_begin(state, load->setup.seed, time(NULL), &load->memory);
    }
    if (state->set_aside[0])
        log_error("the state in %s was damaged: it is %s now, and a new one is made", directory,
                  state->set_aside);
    load->began = r == 0 && load->memory.ended;
    if (r == STATE_FAILED)
        r = open_to_read(load, directory, r);
    if (r && r != STATE_END)
        log_error("cannot use the state in %s: %s; starting as if nothing had been published "
                  "before",
                  directory, r < 0 ? strerror(-r) : state->fault);
    else if (load->memory.written == 0)
        log_warning("the state in %s is new: what was published before is not known", directory);
    snprintf(load->directory, sizeof(load->directory), "%s", directory);
    load->remembers = r == 0 && load->memory.written;
    load->result.writer = load->remembers ? load->memory.writer : 0;
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
    if (load->setup.published)
        return load->result.seed;
    if (directory)
        open_state(load, directory);
    begin_clock(load);
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

/* The time, on the clock of the state. */
static int64_t time_now(const struct load *load)
{
    return state_clock_time(&load->result.clock, clock_boot_ms());
}

/* Reads the past at the start from the state, and which domains were retiring. */
static int remember(struct load *load, struct notified *notified)
{
    const struct memory_clock clock = {time_now(load), load->result.clock.ahead,
                                       clock_monotonic_ms()};
    int r = memory_read_past(&load->state, &load->memory, &clock, &load->past);

    if (r)
        return r;
    r = memory_read_retiring(&load->state, &load->retirement.arena, &load->retirement.set);
    if (r)
        return r;
    load->retirement.state = &load->state;
    return notified_read(&load->state, notified);
}

/* What cannot be read any more of the state is not known. Returns 0, or R as it is. */
static int give_up_state(struct load *load, int r)
{
    struct state *state = &load->state;

    if (r != STATE_FAILED)
        return r;
    log_error("cannot read the state: %s; starting as if nothing had been published before",
              state->fault);
    if (state->damaged && state_replace(state) == 0)
        log_error("the damaged state is %s now", state->set_aside);
    load->retirement.state = NULL;
    load->result.writer = 0;
    past_deinit(&load->past);
    domain_changes_deinit(&load->result.domains);
    return 0;
}

/* Waits until what was published last is in the state, which tells what domains owe: a policy that
 * was served for a moment alone binds senders, too. A disk that hangs is not waited for for long.
 */
static void wait_for_keeper(struct load *load)
{
    int64_t end = clock_monotonic_ms() + KEEPER_PATIENCE_MILLISECONDS;
    struct keeper *keeper = load->setup.keeper;

    while (keeper_progress(keeper) == KEEPER_WRITING && !load->cancelled &&
           clock_monotonic_ms() < end)
        nanosleep(&(struct timespec){.tv_nsec = NAP_NANOSECONDS}, NULL);
    load->retirement.uncertain = keeper_progress(keeper) != KEEPER_CURRENT;
    load->retirement.unknown_until = keeper_unknown_until(keeper);
}

/* Where the state is. The start decides that: a directory that has gone since comes back when it
 * can be written. Returns NULL for nowhere. */
static const char *find_directory(const struct load *load)
{
    return load->setup.published ? load->setup.directory
                                 : state_directory(load->result.config->settings.state);
}

/* Finds what was published until now, which ids waited, and which domains were retiring. */
static int look_back(struct load *load, struct notified *notified)
{
    const struct load_setup *setup = &load->setup;
    int r;

    load->retirement.directory = find_directory(load);
    load->retirement.past = &load->past;
    load->retirement.published = setup->published;
    wait_for_keeper(load);
    if (load->remembers)
        return give_up_state(load, remember(load, notified));
    r = past_of(setup->published, &load->past);
    if (r || !setup->published)
        return r;
    announcements_note(setup->announcements, setup->loaded, INT64_MIN, &load->past);
    return retiring_set_add_all(&load->retirement.set, setup->published);
}

/* Puts the domains that retire into what is loaded, and finds how its domains differ from those of
 * the past. */
static int retire(struct load *load)
{
    struct load_result *result = &load->result;

    load->retirement.now = time_now(load);
    return give_up_state(load,
                         retirement_apply(&load->retirement, &result->loaded, &result->domains));
}

/* Refuses a reload that removes too many domains: a list may have been cut short. A start only
 * warns, as those that bind senders retire. Returns 0, REPORTED or -ENOMEM. */
static int judge_removal(struct load *load)
{
    const struct snapshot *published = load->setup.published, *loaded = load->result.loaded;
    size_t removed = reload_count_removed(loaded, &load->result.domains);
    size_t n = snapshot_n_domains(loaded) + removed -
               reload_count_added(loaded, &load->result.domains); /* before */
    uint32_t limit = load->result.config->removal_limit;

    if (!reload_removes_too_many(removed, n, limit))
        return 0;
    if (!published) {
        log_warning("%zu of %zu domains were removed while the service was stopped, and "
                    "removal_limit is %u%%",
                    removed, n, limit);
        return 0;
    }
    diagnostics_error(&load->result.diagnostics, (struct place){.file = load->setup.path},
                      "the reload would remove %zu of %zu domains, and removal_limit is %u%%: if "
                      "they are to go, raise it for this reload, or restart the service",
                      removed, n, limit);
    return load->result.diagnostics.out_of_memory ? -ENOMEM : REPORTED;
}

/* Gives what is loaded its serials, and makes the snapshot to publish. */
static int follow_up(struct load *load, const struct announcements *announcements, int64_t now)
{
    struct load_result *result = &load->result;
    const struct snapshot_before before = {&load->past, &result->domains, time(NULL)};
    struct snapshot *next;
    int r = announcements_follow(announcements, result->loaded, &before, &next);

    if (r)
        return r;
    snapshot_unref(result->loaded);
    result->loaded = next;
    return announcements_apply(announcements, result->loaded, &before, now, &result->published);
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
    reload_check_ids(setup->published, result->loaded, warn_of_id, NULL);
    reload_describe(setup->published, result->published, &result->domains, &result->changes);
    if (load->retirement.n_lost)
        log_warning("%s at once, without a state: senders may hold the policy with mode enforce "
                    "until its max_age is over",
                    number_of(load->retirement.n_lost, "domain goes", "domains go").text);
}

/* Own zones need a place for their serials. */
static int check_state(struct load *load)
{
    if (snapshot_n_zones(load->result.config->snapshot) == 0 || find_directory(load))
        return 0;
    log_error("%s: %s", load->setup.path, state_needed);
    return REPORTED;
}

/* Makes what is loaded and what is to be published of the files. */
static int load_anew(struct load *load, struct notified *notified)
{
    struct load_result *result = &load->result;
    int64_t now;
    int r = read_config(load);

    if (r)
        return r;
    r = check_state(load);
    if (r)
        return r;
    r = look_back(load, notified);
    if (r)
        return r;
    result->loaded = result->config->snapshot;
    result->config->snapshot = NULL;
    r = retire(load);
    state_close(&load->state);
    if (r)
        return r;
    r = judge_removal(load);
    if (r)
        return r;
    now = clock_monotonic_ms();
    r = announcements_plan(&load->past, result->loaded, now, &result->announcements);
    return r ? r : follow_up(load, &result->announcements, now);
}

/* Makes it of what was loaded last. */
static int load_again(struct load *load, struct notified *notified)
{
    const struct load_setup *setup = &load->setup;
    const struct snapshot_before before = {.past = &load->past, .changes = &load->result.domains};
    int r = look_back(load, notified);

    if (r)
        return r;
    if (snapshot_first_until(setup->loaded) > time_now(load))
        return announcements_apply(setup->announcements, setup->loaded, &before, setup->now,
                                   &load->result.published);
    load->result.loaded = snapshot_ref(setup->loaded);
    r = retire(load);
    return r ? r : follow_up(load, setup->announcements, setup->now);
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
        announcements_note(&result->announcements, result->loaded, INT64_MIN, &result->past);
    else
        announcements_note(setup->announcements, setup->loaded, setup->now, &result->past);
    return 0;
}

static int run(struct load *load)
{
    const struct load_setup *setup = &load->setup;
    struct load_result *result = &load->result;
    CLEANUP(notified_deinit) struct notified notified = NOTIFIED_INIT;
    int r = setup->path ? load_anew(load, &notified) : load_again(load, &notified);

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
    if (!setup->path) {
        reload_describe_ids(setup->published, result->published, &result->changes);
        retirement_describe_ended(&result->domains, &result->retired);
    } else if (setup->published)
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
    load->result.clock = *setup->clock;
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

void load_settle(struct load *load)
{
    load->began = false;
}

/* Has the state be as before a start that has published nothing. */
static void undo(const struct load *load)
{
    struct state state;

    if (state_open(&state, load->directory, STATE_WRITE) == 0)
        (void)memory_end(&state);
    state_close(&state);
}

void load_cancel(struct load *load)
{
    if (load)
        load->cancelled = true;
}

bool load_free(struct load *load)
{
    struct load_result *result;

    if (!load)
        return true;
    load_cancel(load);
    if (!load->joined &&
        !thread_join_within(load->thread, &load->ended, LOAD_PATIENCE_MILLISECONDS))
        return false;
    result = &load->result;
    diagnostics_deinit(&result->diagnostics);
    config_free(result->config);
    announcements_deinit(&result->announcements);
    snapshot_unref(result->loaded);
    snapshot_unref(result->published);
    retirement_deinit(&load->retirement);
    buffer_deinit(&result->retired);
    domain_changes_deinit(&result->domains);
    past_deinit(&load->past);
    past_deinit(&result->past);
    state_close(&load->state);
    if (load->began)
        undo(load);
    buffer_deinit(&result->changes);
    buffer_deinit(&result->held);
    free(load);
    return true;
}
