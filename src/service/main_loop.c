#include "service/main_loop.h"

#include "os/clock.h"
#include "os/log.h"
#include "os/sd_notify.h"
#include "service/signals.h"

enum {
    CHECK_MILLISECONDS = 5000,
    /* The pause after a reload that a peer ordered: so many times what it took of a processor, and
     * so long at least. */
    PAUSE_FACTOR = 9,
    PAUSE_MILLISECONDS = 1000,
};

/* What is to be done when, beside what signals say; in monotonic milliseconds. */
struct schedule {
    int64_t check_interval;
    int64_t check_due; /* the next look at the threads */
    bool reload;       /* an operator has ordered a reload */
    bool ordered;      /* a peer has ordered one */
    bool for_peer;     /* the load that runs is for such an order alone */
    bool unready;      /* the manager waits for the end of a start or a reload */
    int64_t pause_end; /* until then orders of peers wait */
};

/* A manager that waits for signs of life gets four in the time that it waits. */
static struct schedule schedule_new(void)
{
    int64_t watchdog = sd_notify_watchdog_milliseconds(), interval = CHECK_MILLISECONDS;

    if (watchdog && watchdog / 4 < interval)
        interval = watchdog / 4 + 1;
    return (struct schedule){
        .check_interval = interval,
        .check_due = clock_monotonic_ms() + interval,
        .unready = true,
    };
}

/* How long it is until something is due: a look at the threads, an id to be announced, a reload
 * that was ordered. */
static int64_t time_to_wait(const struct service *service, const struct schedule *schedule)
{
    int64_t announcement = service_next_announcement(service);
    int64_t now = clock_monotonic_ms(), wait = schedule->check_due - now;

    if (schedule->ordered && !service_is_loading(service) && schedule->pause_end - now < wait)
        wait = schedule->pause_end - now;
    if (announcement >= 0 && announcement < wait)
        wait = announcement;
    return wait > 0 ? wait : 0;
}

/* Says that the service is ready, again after a reload, and what it does. */
static void announce_ready(const struct service *service, struct schedule *schedule)
{
    CLEANUP(buffer_deinit) struct buffer text = BUFFER_INIT;

    if (!schedule->unready)
        return;
    schedule->unready = false;
    service_describe(service, &text);
    sd_notify_send("READY=1\nSTATUS=%.*s", (int)text.length, text.data);
}

/* Begins a reload if one is due. It serves all orders that have come until now. Anybody who may ask
 * PowerDNS may order a reload, so those of peers wait for the end of a pause; signals are the
 * operator's, and wait for nothing. */
static void reload_if_due(struct service *service, struct schedule *schedule)
{
    if (service_is_loading(service) ||
        !(schedule->reload || (schedule->ordered && clock_monotonic_ms() >= schedule->pause_end)))
        return;
    schedule->for_peer = !schedule->reload;
    schedule->reload = schedule->ordered = false;
    schedule->unready = true;
    sd_notify_send("RELOADING=1\nSTATUS=Reading the configuration");
    service_begin_reload(service);
    if (!service_is_loading(service))
        announce_ready(service, schedule);
}

/* Ends the load if it has come to its end. After one for a peer the pause begins, so that these
 * take only a part of a processor, however often they are ordered. Returns as service_end_load. */
static int end_load_if_due(struct service *service, struct schedule *schedule)
{
    int64_t processor_ms, pause;
    int r;

    if (!service_has_loaded(service))
        return 0;
    r = service_end_load(service, &processor_ms);
    if (r)
        return r;
    announce_ready(service, schedule);
    pause = PAUSE_FACTOR * processor_ms;
    if (schedule->for_peer)
        schedule->pause_end =
            clock_monotonic_ms() + (pause > PAUSE_MILLISECONDS ? pause : PAUSE_MILLISECONDS);
    schedule->for_peer = false;
    return 0;
}

/* The service manager's watchdog is fed only while every thread proves that it answers. */
static void check_if_due(struct service *service, struct schedule *schedule)
{
    int64_t now = clock_monotonic_ms();

    if (now < schedule->check_due)
        return;
    schedule->check_due = now + schedule->check_interval;
    if (service_check(service))
        sd_notify_send("WATCHDOG=1");
    log_flush_suppressed(false);
}

int main_loop_run(struct service *service)
{
    struct schedule schedule = schedule_new();
    int r;

    for (;;) {
        int number = signals_wait(time_to_wait(service, &schedule));

        if (number == SIGTERM || number == SIGINT) {
            sd_notify_send("STOPPING=1\nSTATUS=Stopping");
            log_info("stopping on %s", strsignal(number));
            return 0;
        }
        if (number == SIGHUP)
            schedule.reload = true;
        if (number == SIGNALS_RELOAD)
            schedule.ordered = true;
        r = end_load_if_due(service, &schedule);
        if (r)
            return r;
        reload_if_due(service, &schedule);
        check_if_due(service, &schedule);
        service_announce(service);
    }
}
