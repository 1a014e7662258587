/* The log: one line an event, to stderr, where the service manager collects it.
 *
 * Under systemd, where stderr leads to the journal, a line begins with its priority as sd-daemon(3)
 * has it, "<4>"; elsewhere with the name of its level, "warning: ".
 *
 * What peers can cause is logged with log_limited: the same line LOG_REPEATS_MAX times a minute at
 * most, and then once with the number of those that were left out. What an operator causes, such as
 * a reload, is always written.
 */
#pragma once

#include "base/base.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

enum {
    LOG_LEVEL_COUNT = LOG_LEVEL_DEBUG + 1,
    LOG_REPEATS_MAX = 5, /* of the same line, in LOG_WINDOW_SECONDS */
    LOG_WINDOW_SECONDS = 60,
};

/* What is written: this level and those before it. Set by log_init, read by the macros below, so
 * that a debug line that is not wanted costs one comparison. */
extern enum log_level log_threshold;

/* Sets the level, and finds out whether stderr leads to the journal. To be called before there is a
 * second thread; until then the level is info and the form that of a terminal. */
void log_init(enum log_level least);

/* Writes a line, whatever the level, in one piece, so that lines of several threads never mix.
 * Control characters become "?", a text of more than 4,000 bytes is cut. Never waits long: where
 * stderr is a pipe or a socket that nobody reads, lines are left out until there is room again, and
 * then counted in a line of their own. */
void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Tells of the lines that were left out and whose minute is over; all of them if ALL. To be called
 * now and then, and before the end. */
void log_flush_suppressed(bool all);

/* The same, as often as the limit allows. */
void log_write_limited(enum log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#define log_at(LEVEL, ...)                                                                         \
    do {                                                                                           \
        if ((LEVEL) <= log_threshold)                                                              \
            log_write((LEVEL), __VA_ARGS__);                                                       \
    } while (0)

#define log_limited(LEVEL, ...)                                                                    \
    do {                                                                                           \
        if ((LEVEL) <= log_threshold)                                                              \
            log_write_limited((LEVEL), __VA_ARGS__);                                               \
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
