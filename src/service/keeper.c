#include "service/keeper.h"

#include "os/clock.h"
#include "os/log.h"
#include "os/thread.h"
#include "state/memory.h"
#include "state/notified.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    TICK_MILLISECONDS = 1000, /* between two looks at what was notified */
    PAUSE_FIRST = 1000,       /* milliseconds after a failure; it doubles with each */
    PAUSE_LAST = 60000,
    TIME_SECONDS = 3600,          /* between two times that are written if nothing else is */
    PATIENCE_MILLISECONDS = 5000, /* at the end */
};

#define UNKNOWN UINT32_MAX /* no serial */

static const char unread[] =
    "state.db was not there, or could not be read, when the service started: restart the service, "
    "which then takes it in";

/* What is to be written. */
struct job {
    struct snapshot *published; /* a reference; NULL: nothing */
    struct past past;           /* of it */
    struct memory_clock clock;  /* when it was published */
    int64_t since;              /* when the first was that was not written, seconds */
    int64_t lost;               /* until when senders may hold what this one has no more */
    bool all;                   /* there was such a one */
};

struct keeper {
    const char *directory;
    struct notify *notify;
    struct status *status;
    pthread_t thread;
    atomic_bool ended;
    atomic_int progress; /* enum keeper_progress; it is KEEPER_WRITING under the lock alone */

    pthread_mutex_t lock; /* for the members up to the next blank line */
    pthread_cond_t wake;
    struct job next;
    struct memory_clock clock; /* what time it was when this was said last */
    int64_t unknown_until;     /* until when they may hold what was never written */
    bool ending;

    /* The thread's own. */
    struct state state;
    bool had;       /* there was a directory */
    int64_t number; /* of this process */
    int64_t writer; /* who wrote a database whose content is known here; 0: nobody */
    struct job job;
    struct status_state shown;
    int64_t pause, retry_at; /* milliseconds */
    struct memory_clock now; /* a copy of the clock */
    int64_t time_written;    /* of it, seconds */
    uint32_t notified_to;    /* what the state says, or UNKNOWN */
};

static void job_deinit(struct job *job)
{
    past_deinit(&job->past);
    snapshot_unref(job->published);
    *job = (struct job){0};
}

/* Replaces a job that was not done yet. What it had, and the next one has no more, is never
 * written. Under the lock. */
static void job_replace(struct keeper *keeper, struct job *job, struct job *next)
{
    if (job->published) {
        if (next->lost > keeper->unknown_until)
            keeper->unknown_until = next->lost;
        next->since = job->since;
        next->all = true;
    }
    job_deinit(job);
    *job = *next;
    *next = (struct job){0};
}

/* Shows that the state cannot be written, and says so when that begins. */
static void show_fault(struct keeper *keeper, int r)
{
    const char *fault = r < 0 ? strerror(-r) : keeper->state.fault;
    struct status_state *shown = &keeper->shown;

    if (!shown->failed) {
        shown->failed_since = time(NULL);
        log_error("cannot write the state in %s: %s; all is answered as before, and it is tried "
                  "again and again",
                  keeper->directory, fault);
    }
    shown->failed = true;
    snprintf(shown->fault, sizeof(shown->fault), "%s", fault);
    status_set_state(keeper->status, shown);
    keeper->pause = keeper->pause ? keeper->pause * 2 : PAUSE_FIRST;
    if (keeper->pause > PAUSE_LAST)
        keeper->pause = PAUSE_LAST;
    keeper->retry_at = clock_monotonic_ms() + keeper->pause;
}

static void show_success(struct keeper *keeper)
{
    struct status_state *shown = &keeper->shown;

    if (shown->failed)
        log_info("the state in %s is written again", keeper->directory);
    shown->failed = false;
    shown->fault[0] = '\0';
    shown->written = time(NULL);
    status_set_state(keeper->status, shown);
    keeper->pause = 0;
}

/* Says what opening the state has found. */
static void tell_opened(struct keeper *keeper)
{
    const struct state *state = &keeper->state;

    if (state->set_aside[0])
        log_error("the state in %s was damaged: it is %s now, and a new one is made",
                  keeper->directory, state->set_aside);
    else if (state->created)
        log_warning("made a new state in %s", keeper->directory);
}

/* What is to be written, as the state takes it. */
static struct memory_write work_of(struct keeper *keeper)
{
    struct job *job = &keeper->job;

    return (struct memory_write){
        .published = job->published,
        .past = &job->past,
        .clock = job->clock,
        .since = job->since,
        .unknown_until = keeper_unknown_until(keeper),
        .all = job->all,
    };
}

/* Begins to write a database, if what it has is known here. */
static int begin(struct keeper *keeper)
{
    const struct memory_write what = work_of(keeper);
    struct state *state = &keeper->state;
    struct memory memory;
    int r = memory_read(state, &memory);

    if (r == 0 && memory.written && memory.writer != keeper->writer) {
        snprintf(state->fault, sizeof(state->fault), "%s", unread);
        r = memory_leave_note(state, &what);
        return r ? r : STATE_FAILED;
    }
    if (r && r != STATE_END)
        return r;
    r = memory_begin(state, snapshot_seed(what.published), what.clock.time - what.clock.ahead,
                     &memory);
    if (r)
        return r;
    r = memory_set_writer(state, keeper->number);
    if (r)
        return r;
    keeper->writer = keeper->number;
    keeper->notified_to = UNKNOWN;
    if (memory.written == 0)
        notify_forget(keeper->notify); /* a new state, which has nothing of what was taken before */
    return 0;
}

/* Opens the state, if it is not open or has gone. */
static int open_state(struct keeper *keeper)
{
    int r;

    if (state_is_there(&keeper->state))
        return 0;
    state_close(&keeper->state);
    if (keeper->had)
        mkdir(keeper->directory, 0700); /* it may have gone, too */
    r = state_open(&keeper->state, keeper->directory, STATE_WRITE);
    if (r)
        return r;
    tell_opened(keeper);
    keeper->had = true;
    keeper->job.all = true;
    return begin(keeper);
}

int64_t keeper_unknown_until(struct keeper *keeper)
{
    int64_t until;

    if (!keeper)
        return 0;
    pthread_mutex_lock(&keeper->lock);
    until = keeper->unknown_until;
    pthread_mutex_unlock(&keeper->lock);
    return until;
}

static int write_job(struct keeper *keeper)
{
    int r = open_state(keeper);
    const struct memory_write what = work_of(keeper);

    return r ? r : memory_write(&keeper->state, &what);
}

/* Sets aside a database that turned out to be damaged, and writes all into a new one. */
static int write_anew(struct keeper *keeper)
{
    int r = state_replace(&keeper->state);

    if (r)
        return r;
    tell_opened(keeper);
    keeper->state.set_aside[0] = '\0';
    keeper->job.all = true;
    r = begin(keeper);
    return r ? r : write_job(keeper);
}

/* Tries to do the job. */
static void try_job(struct keeper *keeper)
{
    int r = write_job(keeper);

    if (r == STATE_FAILED && keeper->state.damaged)
        r = write_anew(keeper);
    if (r) {
        show_fault(keeper, r);
        state_close(&keeper->state);
        keeper->progress = KEEPER_FAILING;
        return;
    }
    show_success(keeper);
    job_deinit(&keeper->job);
    pthread_mutex_lock(&keeper->lock);
    if (!keeper->next.published)
        keeper->progress = KEEPER_CURRENT;
    pthread_mutex_unlock(&keeper->lock);
}

/* Writes what was notified since the last time. Notes that get lost cost a NOTIFY after a restart.
 * Returns whether the state says it all. */
static bool write_notified(struct keeper *keeper)
{
    CLEANUP(notified_deinit) struct notified news = NOTIFIED_INIT;
    bool all;

    if (!keeper->state.database)
        return false;
    all = notify_take(keeper->notify, &news);
    if (news.n == 0 && news.all_to == keeper->notified_to)
        return true;
    if (notified_write(&keeper->state, &news, all) == 0) {
        keeper->notified_to = news.all_to;
        return true;
    }
    keeper->notified_to = UNKNOWN;
    notify_forget(keeper->notify);
    return false;
}

/* Waits until there is something to do: a new job, one to be tried again, or the time for a look at
 * what was notified. Returns false at the end. */
static bool wait_for_work(struct keeper *keeper)
{
    struct timespec until;
    bool ending;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += TICK_MILLISECONDS / 1000;
    pthread_mutex_lock(&keeper->lock);
    while (!keeper->next.published && !keeper->ending &&
           pthread_cond_timedwait(&keeper->wake, &keeper->lock, &until) == 0)
        ;
    if (keeper->next.published) {
        job_replace(keeper, &keeper->job, &keeper->next);
        keeper->retry_at = 0;
    }
    keeper->now = keeper->clock;
    ending = keeper->ending;
    pthread_mutex_unlock(&keeper->lock);
    return !ending;
}

/* Writes the time, if nothing was written for long. */
static void write_time(struct keeper *keeper, int64_t interval)
{
    if (!keeper->state.database || keeper->now.time < keeper->time_written + interval)
        return;
    if (memory_write_time(&keeper->state, &keeper->now) == 0)
        keeper->time_written = keeper->now.time;
}

static void *run(void *argument)
{
    struct keeper *keeper = argument;
    bool going = true, told = false;

    pthread_setname_np(pthread_self(), "state");
    while (going) {
        going = wait_for_work(keeper);
        if (keeper->job.published && (!going || keeper->retry_at <= clock_monotonic_ms()))
            try_job(keeper);
        told = write_notified(keeper);
        write_time(keeper, going ? TIME_SECONDS : 0);
    }
    if (!keeper->job.published && told)
        (void)memory_end(&keeper->state);
    state_close(&keeper->state);
    keeper->ended = true;
    return NULL;
}

int keeper_new(const char *directory, int64_t writer, struct notify *notify, struct status *status,
               struct keeper **out)
{
    struct keeper *keeper = calloc(1, sizeof(*keeper));
    pthread_condattr_t attributes;
    int r;

    if (!keeper)
        return -ENOMEM;
    keeper->directory = directory;
    keeper->had = access(directory, F_OK) == 0;
    keeper->writer = writer;
    if (getrandom(&keeper->number, sizeof(keeper->number), 0) < 0)
        keeper->number = (int64_t)clock_monotonic_ns();
    keeper->number |= 2;
    keeper->notify = notify;
    keeper->status = status;
    keeper->state = STATE_INIT;
    keeper->notified_to = UNKNOWN;
    keeper->shown.kept = true;
    status_set_state(status, &keeper->shown);
    pthread_mutex_init(&keeper->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&keeper->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    r = pthread_create(&keeper->thread, NULL, run, keeper);
    if (r) {
        pthread_cond_destroy(&keeper->wake);
        pthread_mutex_destroy(&keeper->lock);
        free(keeper);
        return -r;
    }
    *out = keeper;
    return 0;
}

void keeper_publish(struct keeper *keeper, struct snapshot *published, struct past *past,
                    int64_t lost, const struct memory_clock *now)
{
    struct job job;

    if (!keeper)
        return;
    job = (struct job){
        .published = snapshot_ref(published),
        .past = *past,
        .clock = *now,
        .lost = lost,
    };
    job.since = job.clock.time;
    *past = PAST_INIT;
    pthread_mutex_lock(&keeper->lock);
    job_replace(keeper, &keeper->next, &job);
    keeper->clock = *now;
    keeper->progress = KEEPER_WRITING;
    pthread_cond_signal(&keeper->wake);
    pthread_mutex_unlock(&keeper->lock);
}

enum keeper_progress keeper_progress(const struct keeper *keeper)
{
    return keeper ? (enum keeper_progress)keeper->progress : KEEPER_CURRENT;
}

void keeper_tell_time(struct keeper *keeper, const struct memory_clock *now)
{
    if (!keeper)
        return;
    pthread_mutex_lock(&keeper->lock);
    keeper->clock = *now;
    pthread_mutex_unlock(&keeper->lock);
}

bool keeper_stop(struct keeper *keeper)
{
    if (!keeper)
        return true;
    pthread_mutex_lock(&keeper->lock);
    keeper->ending = true;
    pthread_cond_signal(&keeper->wake);
    pthread_mutex_unlock(&keeper->lock);
    if (thread_join_within(keeper->thread, &keeper->ended, PATIENCE_MILLISECONDS))
        return true;
    log_error("the state in %s takes long to be written: ending without it", keeper->directory);
    return false;
}

void keeper_free(struct keeper *keeper)
{
    if (!keeper)
        return;
    job_deinit(&keeper->job);
    job_deinit(&keeper->next);
    pthread_cond_destroy(&keeper->wake);
    pthread_mutex_destroy(&keeper->lock);
    free(keeper);
}
