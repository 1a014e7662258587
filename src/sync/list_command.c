/* What the command prints goes to a file in memory, which is read when it has ended well. So only
 * its errors are to be waited for, and its end. Processes that it leaves behind may keep its stderr
 * open, so the end of that is waited for no longer than the command itself. */
#include "sync/list_command.h"

#include "base/quote.h"
#include "config/list_file.h"
#include "os/clock.h"
#include "os/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum {
    RUN_SECONDS = 300,
    OUTPUT_MAX = 512 << 20, /* bytes, as of a list file */
    LINE_MAX_SHOWN = 1000,  /* bytes of a line of its errors */
    LINES_MAX = 100,        /* of its errors that are shown */
    EXIT_NOT_RUN = 127,
};

/* A command that runs. */
struct running {
    const char *name; /* of the program, for messages */
    pid_t pid;
    int end;    /* becomes readable when it has ended, or -1 */
    int output; /* what it prints, or -1 */
    int errors; /* what it writes to stderr, without blocking, or -1 */
    size_t n_lines, length;
    char line[LINE_MAX_SHOWN];
};

static void running_deinit(struct running *running)
{
    fd_close(&running->end);
    fd_close(&running->output);
    fd_close(&running->errors);
}

/* Shows a line of the command's errors. */
static void show_line(struct running *running)
{
    char line[2 * LINE_MAX_SHOWN];

    quote_escape(text_of(running->line, running->length), "", line, sizeof(line));
    if (running->n_lines < LINES_MAX)
        fprintf(stderr, "%s: %s\n", running->name, line);
    else if (running->n_lines == LINES_MAX)
        fprintf(stderr, "%s: further lines are left out\n", running->name);
    running->n_lines++;
    running->length = 0;
}

static void take_errors(struct running *running, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (bytes[i] == '\n')
            show_line(running);
        else if (running->length < sizeof(running->line))
            running->line[running->length++] = bytes[i];
}

/* Reads the errors that there are. At their end nothing more is waited for. */
static void read_errors(struct running *running)
{
    char bytes[4096];
    ssize_t n;

    while ((n = read(running->errors, bytes, sizeof(bytes))) > 0)
        take_errors(running, bytes, (size_t)n);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    fd_close(&running->errors);
    running->errors = -1;
}

/* Becomes the command. It dies with us, has a group of its own that can be killed, and ignores no
 * signal because we do. */
static _Noreturn void become(char *const *words, int output, int errors, pid_t parent)
{
    const struct rlimit limit = {OUTPUT_MAX, OUTPUT_MAX};
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == parent && nothing >= 0 && dup2(nothing, STDIN_FILENO) >= 0 &&
        dup2(output, STDOUT_FILENO) >= 0 && dup2(errors, STDERR_FILENO) >= 0 &&
        setrlimit(RLIMIT_FSIZE, &limit) == 0)
        execv(words[0], words);
    dprintf(STDERR_FILENO, "%s\n", strerror(errno));
    _exit(EXIT_NOT_RUN);
}

/* Starts the command. Returns 0 or -errno. Whoever has started us may ignore SIGCHLD, and then the
 * kernel would throw the exit status away (wait(2)). */
static int start(char *const *words, struct running *running)
{
    int pipe_ends[2] = {-1, -1};
    CLEANUP(fd_close) int writing = -1;
    pid_t self = getpid();

    running->output = memfd_create("names", MFD_CLOEXEC);
    if (running->output < 0 || pipe2(pipe_ends, O_CLOEXEC) < 0)
        return -errno;
    running->errors = pipe_ends[0];
    writing = pipe_ends[1];
    if (fcntl(running->errors, F_SETFL, O_NONBLOCK) < 0)
        return -errno;
    signal(SIGCHLD, SIG_DFL);
    running->pid = fork();
    if (running->pid < 0)
        return -errno;
    if (running->pid == 0)
        become(words, running->output, writing, self);
    running->end = pidfd_open(running->pid, 0);
    return running->end < 0 ? -errno : 0;
}

/* Waits until the command has ended, and shows what it writes to stderr meanwhile. One that does
 * not end in time is killed. Returns its status, as waitpid(2) has it, and in LATE whether it was
 * killed.
 */
static int wait_for_end(struct running *running, bool *late)
{
    int64_t deadline = clock_monotonic_ms() + INT64_C(1000) * RUN_SECONDS;
    struct pollfd ready[] = {{.fd = running->end, .events = POLLIN},
                             {.fd = running->errors, .events = POLLIN}};
    int status = 0;

    *late = false;
    while (running->end >= 0 && !(ready[0].revents & POLLIN) && !*late) {
        int64_t left = deadline - clock_monotonic_ms();

        poll(ready, ARRAY_LENGTH(ready), left > 0 ? (int)left : 0);
        if (ready[1].revents)
            read_errors(running);
        ready[1].fd = running->errors;
        *late = left <= 0;
    }
    if (*late || running->end < 0)
        kill(-running->pid, SIGKILL);
    waitpid(running->pid, &status, 0);
    if (running->errors >= 0)
        read_errors(running);
    if (running->length)
        show_line(running);
    return status;
}

/* Says how the command has failed. Returns SOURCE_FAILED, or 0 if it has not. */
static int judge(const struct running *running, int status, bool late, struct buffer *fault)
{
    if (late)
        buffer_printf(fault, "%s did not end within %d seconds", running->name, RUN_SECONDS);
    else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ)
        buffer_printf(fault, "%s prints more than %d bytes", running->name, OUTPUT_MAX);
    else if (WIFSIGNALED(status))
        buffer_printf(fault, "%s was killed by signal %d", running->name, WTERMSIG(status));
    else if (WEXITSTATUS(status))
        buffer_printf(fault, "%s ended with exit status %d", running->name, WEXITSTATUS(status));
    else
        return 0;
    return SOURCE_FAILED;
}

/* Says what is wrong with what the command has printed. Returns SOURCE_FAILED. */
static int report_line(const struct running *running, int r, const struct list_entry *entry,
                       struct buffer *fault)
{
    static const char *const texts[] = {
        [LIST_UNREADABLE] = "cannot be read",
        [LIST_LINE_TOO_LONG] = "is longer than 1024 bytes",
        [LIST_NUL_BYTE] = "has a NUL byte",
        [LIST_SEVERAL_WORDS] = "has several words, expected one domain name",
    };

    buffer_printf(fault, "%s: line %u of its output %s", running->name, entry->line, texts[r]);
    return SOURCE_FAILED;
}

/* Hands on what the command has printed. The file is opened anew, so that nobody else moves in it.
 */
static int read_output(const struct running *running, source_found found, void *context,
                       struct buffer *fault)
{
    CLEANUP(list_file_free_pointer) struct list_file *list = NULL;
    CLEANUP(file_deinit) struct file file = FILE_INIT;
    struct list_entry entry = {0};
    char path[64];
    int r;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", running->output);
    if (file_open(&file, path, OUTPUT_MAX))
        return report_line(running, LIST_UNREADABLE, &entry, fault);
    r = list_file_new(&file, &(struct cancel){0}, &list);
    while (r == 0) {
        r = list_file_next(list, &entry);
        if (r == 0)
            r = found(context, entry.word);
    }
    if (r == LIST_END)
        return 0;
    return r < 0 ? r : report_line(running, r, &entry, fault);
}

int list_command_read(char *const *words, source_found found, void *context, struct buffer *fault)
{
    CLEANUP(running_deinit)
    struct running running = {.end = -1, .output = -1, .errors = -1};
    struct quoted name = quote_text(text_from(words[0]));
    bool late;
    int r, status;

    running.name = name.text;
    r = start(words, &running);
    if (r && running.pid <= 0) {
        buffer_printf(fault, "cannot start %s: %s", name.text, strerror(-r));
        return SOURCE_FAILED;
    }
    status = wait_for_end(&running, &late);
    r = judge(&running, status, late, fault);
    return r ? r : read_output(&running, found, context, fault);
}
