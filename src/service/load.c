#include "service/load.h"

#include "config/certificates.h"
#include "os/clock.h"
#include "os/log.h"
#include "service/reload.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/random.h>

enum {
    AGAIN_MAX = 3, /* further readings of files that change within a second */
    NAP_NANOSECONDS = 10000000,
};

struct load {
    struct load_setup setup;
    struct load_result result;
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

/* Whether what was read may change again within the second of its last change, in which reading
 * began or later. A time that is still to come is the file's own affair. */
static bool may_change_again(const struct config *config, time_t begun)
{
    time_t newest = (time_t)config->files_mtime;

    return snapshot_n_zones(config->snapshot) && newest >= begun && newest <= time(NULL);
}

static bool is_cancelled(void *context)
{
    const struct load *load = context;

    return load->cancelled;
}

/* Serials are times of files, so a change in the same second as the one before would not show. With
 * own zones reading begins again in the next second, until nothing has changed meanwhile, but not
 * without end. */
static int read_settled(struct load *load, uint64_t seed)
{
    const struct config_request request = {
        .path = load->setup.path,
        .seed = seed,
        .cancel = {.asked = is_cancelled, .context = load},
        .matched_before = load->setup.matched,
        .before = load->setup.loaded,
    };
    struct load_result *result = &load->result;

    for (int again = AGAIN_MAX;; again--) {
        time_t begun = time(NULL);
        int r = config_load(&request, &result->diagnostics, &result->config);

        if (r || again == 0 || !may_change_again(result->config, begun))
            return r;
        begun = time(NULL);
        while (time(NULL) == begun && !load->cancelled)
            nanosleep(&(struct timespec){.tv_nsec = NAP_NANOSECONDS}, NULL);
        if (load->cancelled)
            return -ECANCELED;
        config_free(result->config);
        result->config = NULL;
        diagnostics_deinit(&result->diagnostics);
    }
}

static int read_config(struct load *load)
{
    uint64_t seed = 0;
    int r;

    if (getrandom(&seed, sizeof(seed), 0) < 0)
        log_warning("cannot get a random seed: %s", strerror(errno));
    r = read_settled(load, seed);
    if (r != -ECANCELED)
        diagnostics_each(&load->result.diagnostics, log_diagnostic, NULL);
    return r;
}

/* Makes the loaded and the published snapshot of a reload. */
static int follow_up(struct load *load)
{
    const struct load_setup *setup = &load->setup;
    struct load_result *result = &load->result;
    struct snapshot **loaded = &result->config->snapshot, *next;
    int64_t now = clock_monotonic_ms();
    int r = announcements_plan(setup->announcements, setup->published, *loaded, now,
                               &result->announcements);

    if (r)
        return r;
    r = announcements_follow(&result->announcements, *loaded, setup->published,
                             result->config->files_mtime, &next);
    if (r)
        return r;
    snapshot_unref(*loaded);
    *loaded = next;
    return announcements_apply(&result->announcements, *loaded, setup->published, now,
                               &result->published);
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
    CLEANUP(buffer_deinit) struct buffer keys = BUFFER_INIT, serials = BUFFER_INIT;
    const struct load_setup *setup = &load->setup;
    struct load_result *result = &load->result;

    config_name_restart(setup->settings, &result->config->settings, &keys);
    if (keys.length)
        log_warning("reload: %.*s changed; restart the service to apply this, all else is applied",
                    (int)keys.length, keys.data);
    reload_check_ids(setup->published, result->config->snapshot, warn_of_id, NULL);
    reload_check_serials(result->config, &serials);
    if (serials.length)
        log_warning("reload: %.*s", (int)serials.length, serials.data);
    reload_describe(setup->published, result->published, &result->changes);
}

/* Reads the configuration, and makes what is to be published of it. */
static int load_anew(struct load *load)
{
    struct load_result *result = &load->result;
    int r = read_config(load);

    if (r)
        return r;
    if (load->setup.published)
        return follow_up(load);
    result->published = snapshot_ref(result->config->snapshot);
    return 0;
}

static int run(struct load *load)
{
    const struct load_setup *setup = &load->setup;
    struct load_result *result = &load->result;
    int r = setup->path ? load_anew(load)
                        : announcements_apply(setup->announcements, setup->loaded, setup->published,
                                              setup->now, &result->published);

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
    buffer_deinit(&result->changes);
    buffer_deinit(&result->held);
    free(load);
    return true;
}
