#include "os/log.h"

#include "base/quote.h"
#include "os/clock.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    LINE_MAX_BYTES = PIPE_BUF,             /* what a pipe takes in one piece */
    LINE_TEXT_BYTES = LINE_MAX_BYTES - 48, /* without what stands before it, and the newline */
    PATIENCE_MILLISECONDS = 100,           /* with a reader who does not keep up */
};

static const struct {
    const char *name;
    const char *priority; /* sd-daemon(3) */
} levels[] = {
    [LOG_LEVEL_ERROR] = {"error", "<3>"},
    [LOG_LEVEL_WARNING] = {"warning", "<4>"},
    [LOG_LEVEL_INFO] = {"info", "<6>"},
    [LOG_LEVEL_DEBUG] = {"debug", "<7>"},
};

enum log_level log_threshold = LOG_LEVEL_INFO;
static bool to_journal, to_terminal;

/* What lines go through, one at a time. */
static struct {
    pthread_mutex_t lock;
    bool cut;           /* the last line, before its end */
    bool stuck;         /* nobody read for as long as there is patience */
    unsigned long lost; /* lines, since one was written */
} output = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* All limits that have been used, and what guards them. */
static struct log_limit *limits;
static pthread_mutex_t limits_lock = PTHREAD_MUTEX_INITIALIZER;

/* Whether stderr is the stream that JOURNAL_STREAM names by device and inode (systemd.exec(5)). */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat status;

    return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 && /* NOLINT(cert-err34-c) */
           fstat(STDERR_FILENO, &status) == 0 && status.st_dev == device && status.st_ino == inode;
}

void log_init(enum log_level threshold)
{
    log_threshold = threshold;
    to_journal = stderr_is_journal();
    to_terminal = isatty(STDERR_FILENO);
}

/* Whether a line can be written without waiting for a reader. One who reads but slowly is waited
 * for, one who does not only once. */
static bool has_room(void)
{
    struct pollfd stream = {.fd = STDERR_FILENO, .events = POLLOUT};
    int r;

    do
        r = poll(&stream, 1, output.stuck ? 0 : PATIENCE_MILLISECONDS);
    while (r < 0 && errno == EINTR);
    output.stuck = r == 0;
    return r != 0;
}

/* A full disk may take a part of a line; the next that it takes must be a line of its own. Returns
 * whether there was room for the line. */
static bool put_line(enum log_level level, const char *text)
{
    char line[LINE_MAX_BYTES];
    size_t length;
    ssize_t n;

    if (!has_room())
        return false;
    length = (size_t)snprintf(
        line, sizeof(line), "%s%s%s%s%s%s\n", output.cut ? "\n" : "",
        to_terminal ? clock_text(time(NULL)).text : "", to_terminal ? " " : "",
        to_journal ? levels[level].priority : levels[level].name, to_journal ? "" : ": ", text);
    n = write(STDERR_FILENO, line, length);
    /* A log that cannot be written has nobody to be told of it. */
    if (n >= 0)
        output.cut = (size_t)n < length;
    return true;
}

/* Writes a line, and before it how many were lost. */
static void write_line(enum log_level level, const char *text)
{
    char lost[128];

    pthread_mutex_lock(&output.lock);
    if (output.lost) {
        snprintf(lost, sizeof(lost), "%lu lines lost: stderr was blocked", output.lost);
        if (put_line(LOG_LEVEL_WARNING, lost))
            output.lost = 0;
    }
    if (output.lost || !put_line(level, text))
        output.lost++;
    pthread_mutex_unlock(&output.lock);
}

/* Ends the minute of a limit. */
static void flush_limit(struct log_limit *limit)
{
    char text[sizeof(limit->last) + 64];

    if (limit->suppressed) {
        snprintf(text, sizeof(text), "%u more of these in a minute, the last: %s",
                 limit->suppressed, limit->last);
        write_line(limit->level, text);
    }
    limit->written = limit->suppressed = 0;
}

static bool is_over(const struct log_limit *limit)
{
    return clock_coarse_seconds() - limit->since >= LOG_WINDOW_SECONDS;
}

void log_flush_suppressed(bool all)
{
    pthread_mutex_lock(&limits_lock);
    for (struct log_limit *limit = limits; limit; limit = limit->next)
        if (all || is_over(limit))
            flush_limit(limit);
    pthread_mutex_unlock(&limits_lock);
}

static void write_within(struct log_limit *limit, enum log_level level, const char *text)
{
    if (!limit->used) {
        limit->used = true;
        limit->next = limits;
        limits = limit;
    }
    if (is_over(limit))
        flush_limit(limit);
    if (!limit->written)
        limit->since = clock_coarse_seconds();
    if (limit->written < LOG_LINES_MAX) {
        limit->written++;
        write_line(level, text);
        return;
    }
    limit->suppressed++;
    limit->level = level;
    quote_escape(text_from(text), "", limit->last, sizeof(limit->last));
}

/* Formats a text, and makes it one line. Returns whether it could be formatted. */
__attribute__((format(printf, 2, 0))) static bool format_text(char text[LINE_TEXT_BYTES],
                                                              const char *format, va_list arguments)
{
    char raw[LINE_TEXT_BYTES];

    if (vsnprintf(raw, sizeof(raw), format, arguments) < 0)
        return false;
    quote_escape(text_from(raw), "", text, LINE_TEXT_BYTES);
    return true;
}

void log_write(enum log_level level, const char *format, ...)
{
    char text[LINE_TEXT_BYTES];
    va_list arguments;

    va_start(arguments, format);
    if (format_text(text, format, arguments))
        write_line(level, text);
    va_end(arguments);
}

void log_write_limited(struct log_limit *limit, enum log_level level, const char *format, ...)
{
    char text[LINE_TEXT_BYTES];
    va_list arguments;

    va_start(arguments, format);
    if (format_text(text, format, arguments)) {
        pthread_mutex_lock(&limits_lock);
        write_within(limit, level, text);
        pthread_mutex_unlock(&limits_lock);
    }
    va_end(arguments);
}
