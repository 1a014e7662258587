/* What the log writes where: levels, priorities, control characters, repetitions. */
#include "cmocka_all.h"
#include "os/log.h"

#include <fcntl.h>
#include <pty.h>
#include <stdio.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

/* stderr leads to a file for the time of a test. */
struct capture {
    FILE *file;
    int before;
};

static int begin_capture(void **state)
{
    static struct capture capture;

    capture.file = tmpfile();
    assert_non_null(capture.file);
    capture.before = dup(STDERR_FILENO);
    dup2(fileno(capture.file), STDERR_FILENO);
    log_init(LOG_LEVEL_INFO);
    *state = &capture;
    return 0;
}

static int end_capture(void **state)
{
    struct capture *capture = *state;

    dup2(capture->before, STDERR_FILENO);
    close(capture->before);
    fclose(capture->file);
    unsetenv("JOURNAL_STREAM");
    log_flush_suppressed(true);
    log_init(LOG_LEVEL_INFO);
    return 0;
}

/* What has been written; what is written from now on begins anew. */
static const char *written(const struct capture *capture)
{
    static char text[65536];
    size_t n;

    rewind(capture->file);
    n = fread(text, 1, sizeof(text) - 1, capture->file);
    text[n] = '\0';
    rewind(capture->file);
    assert_int_equal(ftruncate(fileno(capture->file), 0), 0);
    return text;
}

static void a_level_lets_through_itself_and_what_is_worse(void **state)
{
    log_init(LOG_LEVEL_WARNING);
    log_error("a %d", 1);
    log_warning("b");
    log_info("c");
    log_debug("d");
    assert_string_equal(written(*state), "error: a 1\nwarning: b\n");
    log_init(LOG_LEVEL_DEBUG);
    log_info("c");
    log_debug("d");
    assert_string_equal(written(*state), "info: c\ndebug: d\n");
}

static void arguments_of_a_line_that_is_not_wanted_are_not_looked_at(void **state)
{
    int looked = 0;

    log_init(LOG_LEVEL_INFO);
    log_debug("%d", ++looked);
    assert_int_equal(looked, 0);
    assert_string_equal(written(*state), "");
}

static void the_journal_gets_priorities_if_stderr_leads_there(void **state)
{
    char stream[64];
    struct stat status;

    assert_int_equal(fstat(STDERR_FILENO, &status), 0);
    snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)status.st_dev,
             (unsigned long long)status.st_ino);
    setenv("JOURNAL_STREAM", stream, 1);
    log_init(LOG_LEVEL_DEBUG);
    log_error("a");
    log_warning("b");
    log_info("c");
    log_debug("d");
    assert_string_equal(written(*state), "<3>a\n<4>b\n<6>c\n<7>d\n");
}

static void a_journal_elsewhere_changes_nothing(void **state)
{
    static const char *const streams[] = {"1:1", "", "x", "1", "1:"};

    for (size_t i = 0; i < ARRAY_LENGTH(streams); i++) {
        setenv("JOURNAL_STREAM", streams[i], 1);
        log_init(LOG_LEVEL_INFO);
        log_info("a");
        assert_string_equal(written(*state), "info: a\n");
    }
}

static void a_terminal_gets_the_time_before_each_line(void **state)
{
    int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK), other;
    struct capture *capture = *state;
    int year, second;
    char line[256];
    ssize_t n;

    assert_true(terminal >= 0);
    assert_int_equal(grantpt(terminal), 0);
    assert_int_equal(unlockpt(terminal), 0);
    other = open(ptsname(terminal), O_RDWR | O_NOCTTY | O_NONBLOCK);
    assert_true(other >= 0);
    dup2(other, STDERR_FILENO);
    log_init(LOG_LEVEL_INFO);
    log_warning("a");
    dup2(fileno(capture->file), STDERR_FILENO);
    n = read(terminal, line, sizeof(line) - 1);
    assert_true(n > 0);
    line[n] = '\0';
    assert_int_equal(sscanf(line, "%4d-%*2d-%*2dT%*2d:%*2d:%2dZ warning: a", &year, &second), 2);
    assert_true(year > 2000 && second <= 60);
    assert_non_null(strstr(line, "Z warning: a"));
    close(other);
    close(terminal);
}

static void control_characters_do_not_make_lines(void **state)
{
    log_info("a\nerror: b\r\t\x1b[0m\x7f\xff ü");
    assert_string_equal(written(*state), "info: a\\x0aerror: b\\x0d\\x09\\x1b[0m\\x7f\\xff ü\n");
}

static void a_long_line_is_cut_and_ends(void **state)
{
    char text[20000];
    const char *line;

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    log_info("%s", text);
    line = written(*state);
    assert_in_range(strlen(line), 4000, 4096);
    assert_int_equal(line[strlen(line) - 1], '\n');
}

static void a_place_that_logs_again_and_again_is_limited_and_others_are_not(void **state)
{
    for (int i = 0; i < LOG_LINES_MAX + 7; i++)
        log_limited(LOG_LEVEL_WARNING, "line %d", i);
    log_limited(LOG_LEVEL_WARNING, "another");
    assert_string_equal(written(*state), "warning: line 0\nwarning: line 1\nwarning: line 2\n"
                                         "warning: line 3\nwarning: line 4\nwarning: another\n");
    log_flush_suppressed(false);
    assert_string_equal(written(*state), "");
    log_flush_suppressed(true);
    assert_string_equal(written(*state),
                        "warning: 7 more of these in a minute, the last: line 11\n");
    log_flush_suppressed(true);
    assert_string_equal(written(*state), "");
}

static void log_from_one_place(void)
{
    log_limited(LOG_LEVEL_WARNING, "again");
}

static void a_new_minute_allows_as_many_lines_again(void **state)
{
    for (int i = 0; i < LOG_LINES_MAX + 1; i++)
        log_from_one_place();
    log_flush_suppressed(true);
    written(*state);
    log_from_one_place();
    assert_string_equal(written(*state), "warning: again\n");
}

static void what_an_operator_causes_is_not_limited(void **state)
{
    const char *line;
    int n = 0;

    for (int i = 0; i < 20; i++)
        log_error("reload");
    line = written(*state);
    while ((line = strstr(line, "reload\n"))) {
        line++;
        n++;
    }
    assert_int_equal(n, 20);
}

static unsigned int count_lines(const char *text)
{
    unsigned int n = 0;

    for (; *text; text++)
        n += *text == '\n';
    return n;
}

/* How many lines a log accounts for: those that are there, and those that it says were lost. */
static unsigned int count_all_lines(const char *text)
{
    unsigned int n = 0, lost;

    for (; strchr(text, '\n'); text = strchr(text, '\n') + 1)
        n += sscanf(text, "warning: %u lines lost: stderr was blocked", &lost) == 1 ? lost : 1;
    return n;
}

/* Reads a log until it accounts for so many lines. Returns it as a string. */
static const char *read_lines(int fd, unsigned int n_lines)
{
    static char text[1 << 20];
    size_t length = 0;

    do {
        ssize_t n = read(fd, text + length, sizeof(text) - 1 - length);

        assert_true(n > 0);
        length += (size_t)n;
        text[length] = '\0';
    } while (count_all_lines(text) < n_lines);
    return text;
}

/* Logs more than anything holds while nobody reads. */
static void log_many_lines(void)
{
    for (int i = 0; i < 10000; i++)
        log_warning("line %d of those that are written while nobody reads", i);
}

static void assert_lines_are_counted(const struct capture *capture, int reader, int writer)
{
    const char *text;

    dup2(writer, STDERR_FILENO);
    assert_int_equal(log_start(), 0);
    log_many_lines();
    text = read_lines(reader, 10000);
    assert_int_equal(count_all_lines(text), 10000);
    assert_true(count_lines(text) < 9000);
    assert_memory_equal(text, "warning: line 0 of those", 24);
    log_info("read again");
    assert_string_equal(read_lines(reader, 1), "info: read again\n");
    log_stop();
    dup2(fileno(capture->file), STDERR_FILENO);
    close(reader);
    close(writer);
}

/* As if the program that reads hangs. */
static void lines_that_nobody_reads_from_a_pipe_are_counted(void **state)
{
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    assert_lines_are_counted(*state, ends[0], ends[1]);
}

/* A terminal says that there is room when there is less than a line needs. */
static void lines_that_nobody_reads_from_a_terminal_are_counted(void **state)
{
    struct termios raw;
    int ends[2];

    assert_int_equal(openpty(&ends[0], &ends[1], NULL, NULL, NULL), 0);
    assert_int_equal(tcgetattr(ends[1], &raw), 0);
    cfmakeraw(&raw);
    assert_int_equal(tcsetattr(ends[1], TCSANOW, &raw), 0);
    assert_lines_are_counted(*state, ends[0], ends[1]);
}

static void lines_that_nobody_reads_do_not_hold_up_the_end(void **state)
{
    struct capture *capture = *state;
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    assert_int_equal(log_start(), 0);
    log_many_lines();
    log_stop();
    log_info("nobody may ever see this");
    read_lines(ends[0], 10000);
    log_stop();
    dup2(fileno(capture->file), STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
}

static void all_lines_are_written_before_the_end(void **state)
{
    assert_int_equal(log_start(), 0);
    for (int i = 0; i < 100; i++)
        log_info("line %d", i);
    log_stop();
    assert_int_equal(count_lines(written(*state)), 100);
    log_info("directly");
    assert_string_equal(written(*state), "info: directly\n");
}

#define TEST(FUNCTION) cmocka_unit_test_setup_teardown(FUNCTION, begin_capture, end_capture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_level_lets_through_itself_and_what_is_worse),
        TEST(arguments_of_a_line_that_is_not_wanted_are_not_looked_at),
        TEST(the_journal_gets_priorities_if_stderr_leads_there),
        TEST(a_journal_elsewhere_changes_nothing),
        TEST(a_terminal_gets_the_time_before_each_line),
        TEST(control_characters_do_not_make_lines),
        TEST(a_long_line_is_cut_and_ends),
        TEST(a_place_that_logs_again_and_again_is_limited_and_others_are_not),
        TEST(a_new_minute_allows_as_many_lines_again),
        TEST(what_an_operator_causes_is_not_limited),
        TEST(lines_that_nobody_reads_from_a_pipe_are_counted),
        TEST(lines_that_nobody_reads_from_a_terminal_are_counted),
        TEST(lines_that_nobody_reads_do_not_hold_up_the_end),
        TEST(all_lines_are_written_before_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
