/* What a service manager receives, on a socket of the test's own. */
#include "cmocka_all.h"
#include "os/fd.h"
#include "os/sd_notify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

enum { DESCRIPTORS = 600, TEXT_MAX = 256 };

static int manager = -1;

/* A manager at a name without a file. */
static int open_manager(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char variable[64];
    int length;

    (void)state;
    length = snprintf(variable, sizeof(variable), "@pdns-mta-sts-notify-%d", (int)getpid());
    memcpy(address.sun_path + 1, variable + 1, (size_t)length - 1);
    manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setenv("NOTIFY_SOCKET", variable, 1);
    return bind(manager, (const struct sockaddr *)&address,
                (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)length));
}

static int close_manager(void **state)
{
    (void)state;
    fd_close(&manager);
    manager = -1;
    unsetenv("NOTIFY_SOCKET");
    return 0;
}

/* Receives a message, and closes its descriptors, each of which must lead to the same as FD.
 * Returns how many there were, or -1 if there is no message. */
static int receive(char text[TEXT_MAX], int fd)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(DESCRIPTORS * sizeof(int))];
    } control;
    struct iovec lines = {.iov_base = text, .iov_len = TEXT_MAX - 1};
    struct msghdr message = {.msg_iov = &lines,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    ssize_t length = recvmsg(manager, &message, MSG_CMSG_CLOEXEC);
    const struct cmsghdr *header = length < 0 ? NULL : CMSG_FIRSTHDR(&message);
    struct stat expected, found;
    size_t n = header ? (header->cmsg_len - CMSG_LEN(0)) / sizeof(int) : 0;

    if (length < 0)
        return -1;
    text[length] = '\0';
    assert_false(message.msg_flags & (MSG_TRUNC | MSG_CTRUNC));
    for (size_t i = 0; i < n; i++) {
        int received;

        memcpy(&received, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
        assert_int_equal(fstat(received, &found), 0);
        assert_int_equal(fstat(fd, &expected), 0);
        assert_true(found.st_ino == expected.st_ino && found.st_dev == expected.st_dev);
        close(received);
    }
    return (int)n;
}

static void a_message_has_the_assignments(void **state)
{
    char text[TEXT_MAX];

    (void)state;
    assert_true(sd_notify_has_manager());
    sd_notify_send("READY=1\nSTATUS=%d", 5);
    assert_int_equal(receive(text, -1), 0);
    assert_string_equal(text, "READY=1\nSTATUS=5");
    assert_int_equal(receive(text, -1), -1);
}

static void descriptors_are_stored_under_their_name(void **state)
{
    static const size_t numbers[] = {1, 2, 253, 254, DESCRIPTORS};
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), fds[DESCRIPTORS];
    char text[TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < DESCRIPTORS; i++)
        fds[i] = fd;
    for (size_t i = 0; i < ARRAY_LENGTH(numbers); i++) {
        size_t received = 0;

        assert_int_equal(sd_notify_store("a-name", fds, numbers[i]), 0);
        while (received < numbers[i]) {
            int n = receive(text, fd);

            assert_true(n > 0);
            assert_string_equal(text, "FDSTORE=1\nFDNAME=a-name");
            received += (size_t)n;
        }
        assert_int_equal(received, numbers[i]);
        assert_int_equal(receive(text, fd), -1);
    }
    close(fd);
}

static void nothing_is_sent_where_there_is_nothing_to_store(void **state)
{
    char text[TEXT_MAX];

    (void)state;
    assert_int_equal(sd_notify_store("a-name", NULL, 0), 0);
    assert_int_equal(receive(text, -1), -1);
}

static void a_descriptor_that_is_none_is_an_error(void **state)
{
    int fd = -1;

    (void)state;
    assert_int_equal(sd_notify_store("a-name", &fd, 1), -EBADF);
}

static void without_a_manager_nothing_is_sent(void **state)
{
    static const char *const wrong[] = {"", "@", "relative", "vsock:2:1234"};
    int fd = STDIN_FILENO;
    char text[TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        setenv("NOTIFY_SOCKET", wrong[i], 1);
        assert_false(sd_notify_has_manager());
        sd_notify_send("READY=1");
        assert_int_equal(sd_notify_store("a-name", &fd, 1), -ENOTCONN);
    }
    unsetenv("NOTIFY_SOCKET");
    assert_false(sd_notify_has_manager());
    assert_int_equal(receive(text, -1), -1);
}

static void a_manager_that_has_gone_is_an_error(void **state)
{
    int fd = STDIN_FILENO;

    (void)state;
    close(manager);
    manager = -1;
    assert_true(sd_notify_has_manager());
    sd_notify_send("READY=1");
    assert_int_equal(sd_notify_store("a-name", &fd, 1), -ECONNREFUSED);
}

static void a_manager_that_takes_nothing_is_given_up(void **state)
{
    int fd = STDIN_FILENO, r = 0;

    (void)state;
    for (int i = 0; i < 100000 && r == 0; i++)
        r = sd_notify_store("a-name", &fd, 1);
    assert_int_equal(r, -EAGAIN);
}

static void the_watchdog_is_ours_if_no_other_process_is_named(void **state)
{
    char own[16];

    (void)state;
    snprintf(own, sizeof(own), "%d", (int)getpid());
    unsetenv("WATCHDOG_PID");
    unsetenv("WATCHDOG_USEC");
    assert_int_equal(sd_notify_watchdog_milliseconds(), 0);
    setenv("WATCHDOG_USEC", "30000000", 1);
    assert_int_equal(sd_notify_watchdog_milliseconds(), 30000);
    setenv("WATCHDOG_PID", own, 1);
    assert_int_equal(sd_notify_watchdog_milliseconds(), 30000);
    setenv("WATCHDOG_PID", "1", 1);
    assert_int_equal(sd_notify_watchdog_milliseconds(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, open_manager, close_manager)
        TEST(a_message_has_the_assignments),
        TEST(descriptors_are_stored_under_their_name),
        TEST(nothing_is_sent_where_there_is_nothing_to_store),
        TEST(a_descriptor_that_is_none_is_an_error),
        TEST(without_a_manager_nothing_is_sent),
        TEST(a_manager_that_has_gone_is_an_error),
        TEST(a_manager_that_takes_nothing_is_given_up),
        TEST(the_watchdog_is_ours_if_no_other_process_is_named),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
