/* A load: reading the configuration, and making what is to be published of it. When ids are
 * due, or the time of retiring domains is over, a load reads nothing, as files may be half edited:
 * it makes what is to be published of what was loaded last.
 *
 * This may take long, so it has a thread of its own. Meanwhile the main thread obeys signals and
 * feeds the watchdog. All that can fail is done here, and nothing here changes what is answered: at
 * its end the service publishes what the load has made, or drops it.
 *
 * A load reads what the service has published before. So until it has ended, the service publishes
 * nothing, and what the setup points at does not change.
 */
#pragma once

#include "service/announcements.h"
#include "service/keeper.h"

#include "config/config.h"
#include "snapshot/changes.h"
#include "snapshot/notify.h"
#include "state/state_clock.h"

/* From what a load starts. At the start of the service there are no settings, nothing was published
 * and no id waits. */
struct load_setup {
    const char *path;        /* NULL: nothing is read */
    uint64_t seed;           /* for builder_new, but at the start if a state has another */
    struct snapshot *loaded; /* what was loaded last */
    int64_t now;             /* without a path: the time by which ids are due */
    const struct state_clock *clock;
    const struct settings *settings; /* in force */
    struct snapshot *published;
    const struct announcements *announcements;
    const struct glob_set *matched; /* globs that matched at the last load */
    struct notify *notify;
    struct keeper *keeper; /* NULL: there is no state, or this is the start */
    const char *directory; /* of the state; NULL like that */
    void (*ended)(void);   /* called by the thread at its end */
};

/* What a load has made. Who takes something of it clears the member. */
struct load_result {
    int r;       /* 0; REPORTED or -errno, after an error was logged if something was read */
    int64_t now; /* that of the setup */
    struct diagnostics diagnostics;
    struct config *config;    /* NULL if nothing was read */
    struct snapshot *loaded;  /* the snapshot of that, with retiring domains; NULL: as before */
    struct state_clock clock; /* of the state, from the start on */
    uint64_t seed;            /* for the loads to come */
    int64_t writer;           /* at the start: who wrote the state that was read; 0: none was */
    struct announcements announcements;
    struct snapshot *published;    /* for which notify is prepared */
    struct past past;              /* of that, with the ids that wait */
    struct domain_changes domains; /* how its domains differ from those that were published */
    struct buffer changes;         /* what is new in it, for the log */
    struct buffer retired;         /* domains whose time was over, for the log; empty for none */
    struct buffer held;            /* the domains that are held back, for the log; empty for none */
    uint64_t begun;                /* when it began, monotonic nanoseconds */
    int64_t processor_ms;          /* the time that it took of a processor */
};

struct load;

/* Starts the thread. Returns 0 or -errno. */
int load_new(const struct load_setup *setup, struct load **out);

/* Whether the load has ended. */
bool load_has_ended(const struct load *load);

/* Waits until the load has ended. The result lives as long as the load. */
struct load_result *load_wait(struct load *load);

/* Says that the service has started with what was loaded first, after the load has ended. A start
 * that fails or is ended publishes nothing, so without this load_free leaves the state as it was.
 */
void load_settle(struct load *load);

/* Tells the load to end before its time, without waiting. NULL is allowed. */
void load_cancel(struct load *load);

/* Cancels the load, waits LOAD_PATIENCE_MILLISECONDS at most for its end, and frees it; NULL is
 * allowed. Returns false if it has not ended: then the thread goes on, nothing is freed, and what
 * the setup points at must live until the process ends. */
bool load_free(struct load *load);

enum { LOAD_PATIENCE_MILLISECONDS = 200 };
