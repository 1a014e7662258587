#include "commands/commands.h"

#include "net/http.h"
#include "os/fd_limit.h"
#include "os/log.h"
#include "os/sd_notify.h"
#include "protocol/jansson_alloc.h"
#include "service/service.h"
#include "service/worker.h"

#include <jansson.h>
#include <signal.h>
#include <string.h>

enum {
    OPTION_LOG_LEVEL,
    CHECK_MILLISECONDS = 5000,
    /* The pause after a reload that a peer ordered: so many times what it took of a processor, and
     * so long at least. */
    PAUSE_FACTOR = 9,
    PAUSE_MILLISECONDS = 1000,
};

/* The signals of the service are taken one by one by the main thread; all other threads inherit the
 * mask and never see them. Blocked from the start, a SIGHUP while loading waits its turn. */
static void block_signals(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGHUP);
    sigaddset(signals, WORKER_RELOAD_SIGNAL);
    sigaddset(signals, SIGTERM);
    sigaddset(signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, signals, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* What is to be done when, beside what signals say; in monotonic milliseconds. */
struct schedule {
    int64_t interval; /* between two looks at the threads */
    int64_t due;      /* the next look at the threads */
    bool ordered;     /* a peer has ordered a reload */
    int64_t pause;    /* until when such orders wait */
};

static int64_t milliseconds_of(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t milliseconds(void)
{
    return milliseconds_of(CLOCK_MONOTONIC);
}

/* A manager that waits for signs of life gets four in the time that it waits. */
static struct schedule schedule_checks(void)
{
    int64_t watchdog = sd_notify_watchdog_milliseconds(), interval = CHECK_MILLISECONDS;

    if (watchdog && watchdog / 4 < interval)
        interval = watchdog / 4 + 1;
    return (struct schedule){.interval = interval, .due = milliseconds() + interval};
}

/* Waits for a signal, but only until something else is due: a look at the threads, an id to be
 * announced, a reload that was ordered. Returns its number, or -1 if none has come. */
static int wait_for_signal(const struct service *service, const struct schedule *schedule,
                           const sigset_t *signals)
{
    int64_t announcement = service_next_announcement(service);
    int64_t now = milliseconds(), wait = schedule->due - now;
    struct timespec time;

    if (schedule->ordered && schedule->pause - now < wait)
        wait = schedule->pause - now;
    if (announcement >= 0 && announcement < wait)
        wait = announcement;
    if (wait < 0)
        wait = 0;
    time = (struct timespec){.tv_sec = wait / 1000, .tv_nsec = wait % 1000 * 1000000};
    return sigtimedwait(signals, NULL, &time);
}

/* Says that the service is ready, again after a reload, and what it does. */
static void announce_ready(const struct service *service)
{
    CLEANUP(buffer_deinit) struct buffer text = BUFFER_INIT;

    service_describe(service, &text);
    sd_notify_send("READY=1\nSTATUS=%.*s", (int)text.length, text.data);
}

/* What was ordered before is done with, too. */
static void reload(struct service *service, struct schedule *schedule)
{
    schedule->ordered = false;
    sd_notify_send("RELOADING=1\nSTATUS=Reading the configuration");
    service_reload(service);
    announce_ready(service);
}

/* Anybody who may ask PowerDNS may order a reload, so however often that is they take but a part of
 * a processor. Signals are the operator's, and wait for nothing. */
static void reload_if_ordered(struct service *service, struct schedule *schedule)
{
    int64_t begin = milliseconds_of(CLOCK_THREAD_CPUTIME_ID), pause;

    if (!schedule->ordered || milliseconds() < schedule->pause)
        return;
    reload(service, schedule);
    pause = (milliseconds_of(CLOCK_THREAD_CPUTIME_ID) - begin) * PAUSE_FACTOR;
    schedule->pause = milliseconds() + (pause > PAUSE_MILLISECONDS ? pause : PAUSE_MILLISECONDS);
}

/* The watchdog hears of the service only while every thread that answers proves that it does. */
static void check_if_due(struct service *service, struct schedule *schedule)
{
    int64_t now = milliseconds();

    if (now < schedule->due)
        return;
    schedule->due = now + schedule->interval;
    if (service_check(service))
        sd_notify_send("WATCHDOG=1");
    log_flush_suppressed(false);
}

static void serve(struct service *service, const sigset_t *signals)
{
    struct schedule schedule = schedule_checks();

    for (;;) {
        int number = wait_for_signal(service, &schedule, signals);

        if (number == SIGHUP) {
            reload(service, &schedule);
        } else if (number == WORKER_RELOAD_SIGNAL) {
            schedule.ordered = true;
        } else if (number > 0) {
            sd_notify_send("STOPPING=1\nSTATUS=Stopping");
            log_info("stopping on %s", strsignal(number));
            return;
        }
        reload_if_ordered(service, &schedule);
        check_if_due(service, &schedule);
        service_announce(service);
    }
}

static const struct command_choice log_levels[] = {
    [LOG_LEVEL_ERROR] = {"error", "what keeps the service from doing its work"},
    [LOG_LEVEL_WARNING] = {"warning", "what an operator should look at"},
    [LOG_LEVEL_INFO] = {"info", "the start, the end, and every reload"},
    [LOG_LEVEL_DEBUG] = {"debug", "every request and its answer"},
};

const struct command_choice *serve_log_level(size_t number)
{
    return number < ARRAY_LENGTH(log_levels) ? &log_levels[number] : NULL;
}

static enum log_level level_from(const char *name)
{
    enum log_level level = LOG_LEVEL_ERROR;

    if (!name)
        return LOG_LEVEL_INFO;
    while (strcmp(log_levels[level].name, name) != 0)
        level++; /* it is one of the choices */
    return level;
}

int serve_run(const struct command_arguments *arguments)
{
    struct service *service = NULL;
    sigset_t signals;
    int r;

    log_init(level_from(arguments->options[OPTION_LOG_LEVEL]));
    block_signals(&signals);
    fd_limit_raise();
    http_init();
    jansson_alloc_init();
    json_object_seed(0);
    r = service_new(arguments->config_path, &service);
    if (r != 0) {
        log_error("not started%s%s", r < 0 ? ": " : "", r < 0 ? strerror(-r) : "");
        return 1;
    }
    announce_ready(service);
    serve(service, &signals);
    service_free(service);
    log_flush_suppressed(true);
    return 0;
}
