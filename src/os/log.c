#include "os/log.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    LINE_MAX_BYTES = PIPE_BUF,             /* what a pipe takes in one piece */
    LINE_TEXT_BYTES = LINE_MAX_BYTES - 16, /* without what stands before it, and the newline */
    REMEMBERED = 64,                       /* lines, each at the place that its hash gives it */
    REMEMBERED_TEXT = 256,                 /* bytes of each, for telling of its repetitions */
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
static bool to_journal;

/* What lines go through, one at a time. */
static struct {
    pthread_mutex_t lock;
    bool cut;           /* the last line, before its end */
    bool stuck;         /* nobody read for as long as there is patience */
    unsigned long lost; /* lines, since one was written */
} output = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* A line that was written a short while ago. */
struct remembered {
    uint64_t hash;
    time_t since; /* monotonic seconds, when the minute began; 0: free */
    unsigned int written, left_out;
    enum log_level level;
    char text[REMEMBERED_TEXT];
};

static struct remembered remembered[REMEMBERED];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Whether stderr is the stream that JOURNAL_STREAM names by device and inode (systemd.exec(5)). */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat status;

    return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 && /* NOLINT(cert-err34-c) */
           fstat(STDERR_FILENO, &status) == 0 && status.st_dev == device && status.st_ino == inode;
}

void log_init(enum log_level least)
{
    log_threshold = least;
    to_journal = stderr_is_journal();
}

/* FNV-1a: lines are short, and who can choose them gains nothing by a collision but a line less of
 * his own. */
static uint64_t hash_text(enum log_level level, const char *text)
{
    uint64_t hash = 0xcbf29ce484222325 + (uint64_t)level;

    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3;
    return hash;
}

static time_t monotonic_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return now.tv_sec + 1; /* never 0 */
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
    length = (size_t)snprintf(line, sizeof(line), "%s%s%s%s\n", output.cut ? "\n" : "",
                              to_journal ? levels[level].priority : levels[level].name,
                              to_journal ? "" : ": ", text);
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
        snprintf(lost, sizeof(lost), "%lu lines are missing here: nobody read the log",
                 output.lost);
        if (put_line(LOG_LEVEL_WARNING, lost))
            output.lost = 0;
    }
    if (output.lost || !put_line(level, text))
        output.lost++;
    pthread_mutex_unlock(&output.lock);
}

static void tell_repeats(struct remembered *slot)
{
    char text[REMEMBERED_TEXT + 64];

    if (slot->left_out) {
        snprintf(text, sizeof(text), "%u more times in a minute: %s", slot->left_out, slot->text);
        write_line(slot->level, text);
    }
    slot->since = 0;
}

static void tell_all_repeats(bool all)
{
    time_t now = monotonic_seconds();

    for (size_t i = 0; i < REMEMBERED; i++)
        if (remembered[i].since && (all || now - remembered[i].since >= LOG_WINDOW_SECONDS))
            tell_repeats(&remembered[i]);
}

void log_flush_suppressed(bool all)
{
    pthread_mutex_lock(&lock);
    tell_all_repeats(all);
    pthread_mutex_unlock(&lock);
}

/* Whether a line is one too many of its kind. */
static bool leave_out(enum log_level level, const char *text)
{
    uint64_t hash = hash_text(level, text);
    struct remembered *slot = &remembered[hash % REMEMBERED];

    if (slot->since && slot->hash != hash)
        tell_repeats(slot);
    if (!slot->since) {
        slot->hash = hash;
        slot->since = monotonic_seconds();
        slot->written = slot->left_out = 0;
        slot->level = level;
        snprintf(slot->text, sizeof(slot->text), "%.*s", REMEMBERED_TEXT - 1, text);
    }
    if (slot->written < LOG_REPEATS_MAX) {
        slot->written++;
        return false;
    }
    slot->left_out++;
    return true;
}

/* Formats a text, and makes it one line. Returns whether it could be formatted. */
__attribute__((format(printf, 2, 0))) static bool format_text(char text[LINE_TEXT_BYTES],
                                                              const char *format, va_list arguments)
{
    if (vsnprintf(text, LINE_TEXT_BYTES, format, arguments) < 0)
        return false;
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
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

void log_write_limited(enum log_level level, const char *format, ...)
{
    char text[LINE_TEXT_BYTES];
    va_list arguments;
    bool formatted;

    va_start(arguments, format);
    formatted = format_text(text, format, arguments);
    va_end(arguments);
    if (!formatted)
        return;
    pthread_mutex_lock(&lock);
    tell_all_repeats(false);
    if (!leave_out(level, text))
        write_line(level, text);
    pthread_mutex_unlock(&lock);
}
