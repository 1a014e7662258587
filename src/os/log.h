/* The log: one line an event, to stderr, where the service manager collects it.
 *
 * Under systemd, where stderr leads to the journal, a line begins with its priority as sd-daemon(3)
 * has it, "<4>"; elsewhere with the name of its level, "warning: ", and on a terminal, which keeps
 * no times, with the time before that.
 *
 * What peers can cause is logged with log_limited: each place in the code writes LOG_LINES_MAX
 * lines a minute, and then one with the number of those that were left out. What an operator
 * causes, such as a reload, is always written.
 */
#pragma once

#include "base/base.h"

#include <time.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

enum {
    LOG_LINES_MAX = 5, /* of one log_limited, in LOG_WINDOW_SECONDS */
    LOG_WINDOW_SECONDS = 60,
};

/* What is written: this level and those before it. Set by log_init, read by the macros below, so
 * that a debug line that is not wanted costs one comparison. */
extern enum log_level log_threshold;

/* Sets the level, and finds out whether stderr leads to the journal or a terminal. To be called
 * before there is a second thread; until then the level is info and the form that of a file. */
void log_init(enum log_level threshold);

/* Leaves writing to a thread of its own from now on, so that nobody who logs ever waits, whatever
 * stderr is: a pipe, a terminal or a file of a server that hangs. If its reader does not keep up,
 * lines are lost until there is room again, and then counted in a line of their own. Returns 0 or
 * -errno. */
int log_start(void);

/* Ends the thread when all lines are written. Waits for a second at most; if stderr is blocked for
 * so long, what is not written yet is lost, as are all further lines. */
void log_stop(void);

/* Writes a line, whatever the level, in one piece, so that lines of several threads never mix.
 * What does not print is escaped (quote.h), a text of more than 4,000 bytes is cut. */
void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What one log_limited has written in its current minute; static, and zeroed at first. */
struct log_limit {
    struct log_limit *next;
    bool used;
    time_t since; /* monotonic seconds, of the first line */
    unsigned int written, suppressed;
    enum log_level level; /* of the last line that was suppressed */
    char last[256];       /* that line, cut if it is longer */
};

/* Writes a line as log_write does, or counts it if the limit is reached. */
void log_write_limited(struct log_limit *limit, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Writes how many lines were suppressed, for each limit whose minute is over, or for ALL of them.
 * To be called now and then, and before the end. */
void log_flush_suppressed(bool all);

#define log_at(LEVEL, ...)                                                                         \
    do {                                                                                           \
        if ((LEVEL) <= log_threshold)                                                              \
            log_write((LEVEL), __VA_ARGS__);                                                       \
    } while (0)

#define log_limited(LEVEL, ...)                                                                    \
    do {                                                                                           \
        static struct log_limit limit_of_this_place;                                               \
                                                                                                   \
        if ((LEVEL) <= log_threshold)                                                              \
            log_write_limited(&limit_of_this_place, (LEVEL), __VA_ARGS__);                         \
    } while (0)

#define log_error(...)   log_at(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_at(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)    log_at(LOG_LEVEL_INFO, __VA_ARGS__)

/* For what happens with every request. */
#define log_debug(...)                                                                             \
    do {                                                                                           \
        if (__builtin_expect(log_threshold == LOG_LEVEL_DEBUG, 0))                                 \
            log_write(LOG_LEVEL_DEBUG, __VA_ARGS__);                                               \
    } while (0)
