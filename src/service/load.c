#include "service/load.h"

#include "os/log.h"

#include <errno.h>
#include <sys/random.h>
#include <time.h>

enum { AGAIN_MAX = 3 /* further readings of files that change within a second */ };

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

static void await_end_of_second(void)
{
    struct timespec now, rest = {0};

    clock_gettime(CLOCK_REALTIME, &now);
    rest.tv_nsec = 999999999 - now.tv_nsec;
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &rest, &rest) == EINTR)
        ;
}

/* Reads until nothing has changed meanwhile, but not without end. */
static int read_settled(const char *path, uint64_t seed, struct diagnostics *diagnostics,
                        struct config **out)
{
    for (int again = AGAIN_MAX;; again--) {
        time_t begun = time(NULL);
        int r = config_load(&(struct config_request){.path = path, .seed = seed}, diagnostics, out);

        if (r || again == 0 || !may_change_again(*out, begun))
            return r;
        config_free(*out);
        *out = NULL;
        diagnostics_deinit(diagnostics);
        await_end_of_second();
    }
}

int load_config(const char *path, struct diagnostics *diagnostics, struct config **out)
{
    uint64_t seed = 0;
    int r;

    if (getrandom(&seed, sizeof(seed), 0) < 0)
        log_warning("cannot get a random seed: %s", strerror(errno));
    r = read_settled(path, seed, diagnostics, out);
    diagnostics_each(diagnostics, log_diagnostic, NULL);
    if (r < 0)
        log_error("%s: %s", path, strerror(-r));
    return r;
}
