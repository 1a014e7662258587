/* A service that runs, with a clock of its own. */
#include "cmocka_all.h"
#include "service/service.h"
#include "service/signals.h"
#include "temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOG_MAX = 1 << 16 };

int64_t __wrap_clock_monotonic_ms(void);
int __real_config_load(const struct config_request *request, struct diagnostics *diagnostics,
                       struct config **out);
int __wrap_config_load(const struct config_request *request, struct diagnostics *diagnostics,
                       struct config **out);

/* What all threads take for the time, and how far it goes on with each look of the main thread. */
static struct {
    pthread_t owner;
    _Atomic int64_t now;
    int64_t step;
} fake_clock;

int64_t __wrap_clock_monotonic_ms(void)
{
    int64_t now = fake_clock.now;

    if (pthread_equal(pthread_self(), fake_clock.owner))
        fake_clock.now += fake_clock.step;
    return now;
}

/* While loads hang they go on reading, whether they are cancelled or not, as from a disk that does
 * not answer. */
static atomic_bool hang;
static atomic_size_t n_hung; /* loads that have gone on since */

int __wrap_config_load(const struct config_request *request, struct diagnostics *diagnostics,
                       struct config **out)
{
    bool hung = hang;

    while (hang)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    n_hung += hung;
    return hung ? -ECANCELED : __real_config_load(request, diagnostics, out);
}

/* Two policies, whose bodies have this max_age, and whose ids wait 10 and 11 seconds. */
static void write_config(unsigned int max_age)
{
    char text[512];

    snprintf(text, sizeof(text),
             "listen: {unix: {path: \"%s/s\"}}\n"
             "defaults: {mode: testing, mx: mail.example.net, max_age: %u}\n"
             "policies:\n"
             "  - {domain: first.example, announce_delay: 10s}\n"
             "  - {domain: second.example, announce_delay: 11s}\n",
             getenv("PWD"), max_age);
    temporary_write("config.yaml", text);
}

/* A policy with mode enforce and own zones. */
static void write_policies(const char *members)
{
    char text[512];

    snprintf(text, sizeof(text),
             "listen: {unix: {path: \"%s/s\"}}\n"
             "zones: {nameservers: ns.example, hostmaster: h.example}\n"
             "policies:\n"
             "  - {domain: a.example, authority: zones, mode: enforce, mx: mail.example.net,\n"
             "     policy_host: 192.0.2.1, max_age: 1d, domains: [%s]}\n",
             getenv("PWD"), members);
    temporary_write("config.yaml", text);
}

static struct service *start(void)
{
    struct service *service;
    int64_t processor_ms;

    assert_int_equal(service_new("config.yaml", &service), 0);
    assert_int_equal(service_end_load(service, &processor_ms), 0);
    return service;
}

static void reload(struct service *service)
{
    int64_t processor_ms;

    service_begin_reload(service);
    assert_true(service_is_loading(service));
    assert_int_equal(service_end_load(service, &processor_ms), 0);
}

static void announce(struct service *service)
{
    int64_t processor_ms;

    service_announce(service);
    if (service_is_loading(service))
        assert_int_equal(service_end_load(service, &processor_ms), 0);
}

/* How often a text is in the log. */
static size_t count_logged(const char *text)
{
    static char log[LOG_MAX];
    FILE *file = fopen("log", "r");
    size_t n = 0;

    assert_non_null(file);
    log[fread(log, 1, sizeof(log) - 1, file)] = '\0';
    fclose(file);
    for (const char *at = log; (at = strstr(at, text)) != NULL; at++)
        n++;
    return n;
}

static void an_id_that_comes_due_between_two_looks_at_the_clock_is_announced_once(void **state)
{
    struct service *service;

    (void)state;
    write_config(1);
    service = start();
    write_config(2);
    reload(service);
    assert_int_equal(count_logged("2 ids wait: "), 1);
    /* The first look finds the first id due, the next one the second as well. */
    fake_clock.now += 10000;
    fake_clock.step = 1000;
    announce(service);
    fake_clock.step = 0;
    announce(service);
    assert_int_equal(service_next_announcement(service), -1);
    assert_int_equal(count_logged("announced now: ids: first.example "), 1);
    assert_int_equal(count_logged("announced now: ids: second.example "), 1);
    assert_int_equal(count_logged("announced now: "), 2);
    service_free(service);
}

static void a_load_that_hangs_does_not_hold_up_the_end(void **state)
{
    /* What the thread still needs is left to it, so it is no leak as long as this points there. */
    static struct service *first, *second;
    int64_t begin;

    (void)state;
    fake_clock.step = 10;
    write_config(1);
    hang = true;
    assert_int_equal(service_new("config.yaml", &first), 0);
    begin = fake_clock.now;
    service_free(first);
    assert_in_range(fake_clock.now - begin, 0, 1000);
    hang = false;
    second = start();
    hang = true;
    service_begin_reload(second);
    begin = fake_clock.now;
    service_free(second);
    assert_in_range(fake_clock.now - begin, 0, 1000);
    hang = false;
    while (n_hung < 2)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static void what_is_decided_about_the_state_at_the_start_holds(void **state)
{
    struct service *service;
    char path[512];

    (void)state;
    assert_int_equal(mkdir("kept", 0700), 0);
    snprintf(path, sizeof(path), "%s/kept", getenv("PWD"));
    setenv("STATE_DIRECTORY", path, 1);
    write_policies("first.example, second.example");
    service = start();
    unsetenv("STATE_DIRECTORY"); /* as if the directory had gone that is there by default */
    write_policies("second.example");
    reload(service);
    assert_int_equal(count_logged("retiring: 1 domain, "), 1);
    assert_int_equal(count_logged("refused"), 0);
    service_free(service);
}

/* The log goes to a file. */
static int set_up(void **state)
{
    int log;

    signals_block();
    fake_clock.owner = pthread_self();
    fake_clock.now = 1000000;
    assert_int_equal(temporary_enter(state), 0);
    setenv("PWD", *state, 1);
    log = open("log", O_CREAT | O_WRONLY | O_APPEND, 0600);
    assert_true(log >= 0);
    dup2(log, STDERR_FILENO);
    close(log);
    return 0;
}

#define TEST(FUNCTION) cmocka_unit_test_setup_teardown(FUNCTION, set_up, temporary_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_load_that_hangs_does_not_hold_up_the_end),
        TEST(what_is_decided_about_the_state_at_the_start_holds),
        TEST(an_id_that_comes_due_between_two_looks_at_the_clock_is_announced_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
