#include "commands.h"

#include "http.h"
#include "json_memory.h"
#include "log.h"
#include "service.h"

#include <jansson.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

enum { OPTION_LOG_LEVEL };

/* The default of 1,024 descriptors would be less than the connections that a listener may hold. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* The signals of the service are taken one by one by the main thread; all other threads inherit the
 * mask and never see them. Blocked from the start, a SIGHUP while loading waits its turn. */
static void block_signals(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGHUP);
    sigaddset(signals, SIGTERM);
    sigaddset(signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, signals, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* Waits for a signal, but only until an id is to be announced. Returns its number, or -1 if none
 * has come. */
static int wait_for_signal(const struct service *service, const sigset_t *signals)
{
    int64_t wait = service_next_announcement(service);
    struct timespec time = {.tv_sec = wait / 1000, .tv_nsec = wait % 1000 * 1000000};

    return wait < 0 ? sigwaitinfo(signals, NULL) : sigtimedwait(signals, NULL, &time);
}

static void serve(struct service *service, const sigset_t *signals)
{
    for (;;) {
        int number = wait_for_signal(service, signals);

        if (number == SIGHUP) {
            service_reload(service);
        } else if (number > 0) {
            log_info("stopping on %s", strsignal(number));
            return;
        }
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
    raise_descriptor_limit();
    http_init();
    json_memory_init();
    json_object_seed(0);
    r = service_new(arguments->config_path, &service);
    if (r != 0) {
        log_error("not started%s%s", r < 0 ? ": " : "", r < 0 ? strerror(-r) : "");
        return 1;
    }
    serve(service, &signals);
    service_free(service);
    return 0;
}
