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
    QUEUE_BYTES = 64 << 10,
    STOP_SECONDS = 1, /* how long the end waits for lines to be written */
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

/* Lines that wait for the thread that writes them. */
struct queue {
    size_t length;
    char bytes[QUEUE_BYTES];
};

/* The way to stderr. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    bool started, stopping, ended; /* the thread */
    struct queue queues[2];        /* one is filled while the other one is written */
    struct queue *filling;
    unsigned long lost; /* lines, since the queue was full */
    bool cut;           /* the last line that was written, before its end */
} output = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .changed = PTHREAD_COND_INITIALIZER,
    .filling = &output.queues[0],
};

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

/* Makes a line of a text. Returns its length. */
static size_t format_line(enum log_level level, const char *text, char line[LINE_MAX_BYTES])
{
    return (size_t)snprintf(line, LINE_MAX_BYTES, "%s%s%s%s%s\n",
                            to_terminal ? clock_text(time(NULL)).text : "", to_terminal ? " " : "",
                            to_journal ? levels[level].priority : levels[level].name,
                            to_journal ? "" : ": ", text);
}

/* Writes bytes, waiting for a reader if need be. Returns how many were written: a log that cannot
 * be written has nobody to be told of it. */
static size_t write_bytes(const char *bytes, size_t n)
{
    struct pollfd stream = {.fd = STDERR_FILENO, .events = POLLOUT};
    ssize_t written;

    while ((written = write(STDERR_FILENO, bytes, n)) < 0 && (errno == EINTR || errno == EAGAIN))
        if (errno == EAGAIN)
            poll(&stream, 1, -1);
    return written < 0 ? 0 : (size_t)written;
}

/* Writes a line. A full disk may take a part of one; the next that it takes must be a line of its
 * own. */
static void put_line(const char *line, size_t length)
{
    size_t n;

    if (output.cut)
        output.cut = write_bytes("\n", 1) == 0;
    n = write_bytes(line, length);
    output.cut |= n > 0 && n < length;
}

/* Queues a line. Once one was lost, so are all others until there is room for a note. */
static void queue_line(const char *line, size_t length)
{
    struct queue *queue = output.filling;

    if (output.lost || length > sizeof(queue->bytes) - queue->length) {
        output.lost++;
        return;
    }
    memcpy(queue->bytes + queue->length, line, length);
    queue->length += length;
    pthread_cond_signal(&output.changed);
}

/* Begins to fill the other queue, with a note of what was lost before it. Returns the one that was
 * filled. */
static struct queue *switch_queues(void)
{
    struct queue *filled = output.filling;
    char text[64];

    output.filling = filled == output.queues ? filled + 1 : output.queues;
    output.filling->length = 0;
    if (output.lost) {
        snprintf(text, sizeof(text), "%lu lines lost: stderr was blocked", output.lost);
        output.lost = 0;
        output.filling->length = format_line(LOG_LEVEL_WARNING, text, output.filling->bytes);
    }
    return filled;
}

static void put_lines(struct text lines)
{
    while (lines.length) {
        const char *end = memchr(lines.data, '\n', lines.length);
        size_t length = (size_t)(end + 1 - lines.data);

        put_line(lines.data, length);
        lines = text_after(lines, length);
    }
}

/* The thread that writes; it alone waits for a reader. */
static void *run_writer(void *argument)
{
    (void)argument;
    pthread_setname_np(pthread_self(), "log");
    pthread_mutex_lock(&output.lock);
    while (output.filling->length || !output.stopping) {
        const struct queue *filled;

        if (output.filling->length == 0) {
            pthread_cond_wait(&output.changed, &output.lock);
            continue;
        }
        filled = switch_queues();
        pthread_mutex_unlock(&output.lock);
        put_lines(text_of(filled->bytes, filled->length));
        pthread_mutex_lock(&output.lock);
    }
    output.ended = true;
    pthread_cond_broadcast(&output.changed);
    pthread_mutex_unlock(&output.lock);
    return NULL;
}

int log_start(void)
{
    int r = pthread_create(&output.thread, NULL, run_writer, NULL);

    output.started = r == 0;
    return -r;
}

void log_stop(void)
{
    struct timespec deadline;
    bool ended;

    if (!output.started)
        return;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += STOP_SECONDS;
    pthread_mutex_lock(&output.lock);
    output.stopping = true;
    pthread_cond_broadcast(&output.changed);
    while (!output.ended &&
           pthread_cond_clockwait(&output.changed, &output.lock, CLOCK_MONOTONIC, &deadline) == 0)
        ;
    ended = output.ended;
    if (ended)
        output.started = output.stopping = output.ended = false;
    pthread_mutex_unlock(&output.lock);
    if (ended)
        pthread_join(output.thread, NULL);
}

static void write_line(enum log_level level, const char *text)
{
    char line[LINE_MAX_BYTES];
    size_t length = format_line(level, text, line);

    pthread_mutex_lock(&output.lock);
    if (output.started)
        queue_line(line, length);
    else
        put_line(line, length);
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
