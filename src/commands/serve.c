#include "commands/commands.h"

#include "os/log.h"
#include "service/main_loop.h"

enum { OPTION_LOG_LEVEL };

const struct command_choice serve_log_levels[] = {
    [LOG_LEVEL_ERROR] = {"error", "what keeps the service from doing its work"},
    [LOG_LEVEL_WARNING] = {"warning", "what an operator should look at"},
    [LOG_LEVEL_INFO] = {"info", "the start, the end, and every reload"},
    [LOG_LEVEL_DEBUG] = {"debug", "every request and its answer"},
    {NULL, NULL},
};

int serve_run(const struct command_arguments *arguments)
{
    const char *level = arguments->options[OPTION_LOG_LEVEL];
    struct service *service = NULL;
    int r;

    log_init(level ? (enum log_level)command_choose(serve_log_levels, level) : LOG_LEVEL_INFO);
    service_init();
    r = log_start();
    if (r == 0)
        r = service_new(arguments->config_path, &service);
    if (r == 0)
        r = main_loop_run(service);
    if (r)
        log_error("not started%s%s", r < 0 ? ": " : "", r < 0 ? strerror(-r) : "");
    service_free(service);
    log_flush_suppressed(true);
    log_stop();
    return r ? EXIT_REFUSED : EXIT_DONE;
}
