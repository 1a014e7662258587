#include "cmocka_all.h"
#include "os/file.h"
#include "temporary.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

/* Reads to the end. Returns what the last read returned. */
static int read_all(struct file *file, size_t *total)
{
    char bytes[1000];
    size_t n;
    int r;

    *total = 0;
    do {
        r = file_read(file, bytes, sizeof(bytes), &n);
        if (r)
            return r;
        *total += n;
    } while (n);
    return 0;
}

static void a_file_of_its_limit_is_read_whole(void **state)
{
    CLEANUP(file_deinit) struct file file = FILE_INIT;
    size_t total;

    (void)state;
    temporary_write("f", "12345");
    assert_int_equal(file_open(&file, "f", 5), 0);
    assert_int_equal(read_all(&file, &total), 0);
    assert_int_equal(total, 5);
}

static void a_byte_more_is_refused(void **state)
{
    CLEANUP(file_deinit) struct file file = FILE_INIT;

    (void)state;
    temporary_write("f", "123456");
    assert_int_equal(file_open(&file, "f", 5), FILE_REFUSED);
}

static void a_byte_that_comes_later_is_not_read(void **state)
{
    CLEANUP(file_deinit) struct file file = FILE_INIT;
    size_t total;

    (void)state;
    temporary_write("f", "12345");
    assert_int_equal(file_open(&file, "f", 9), 0);
    temporary_append("f", "6");
    assert_int_equal(read_all(&file, &total), 0);
    assert_int_equal(total, 5);
}

static void a_size_that_lies_does_not_matter(void **state)
{
    CLEANUP(file_deinit) struct file file = FILE_INIT;
    size_t total;

    (void)state;
    assert_int_equal(file_open(&file, "/proc/self/maps", 16), 0);
    assert_int_equal(read_all(&file, &total), FILE_REFUSED);
}

static atomic_bool stop_growing;

static void *grow(void *path)
{
    while (!atomic_load(&stop_growing))
        temporary_append(path, "more and more\n");
    return NULL;
}

static void a_file_that_keeps_growing_ends_where_it_ended(void **state)
{
    CLEANUP(file_deinit) struct file file = FILE_INIT;
    char path[] = "f";
    pthread_t thread;
    size_t total = 0;
    int r;

    (void)state;
    temporary_write_hole(path, 100000);
    atomic_store(&stop_growing, false);
    assert_int_equal(pthread_create(&thread, NULL, grow, path), 0);
    assert_int_equal(file_open(&file, path, SIZE_MAX), 0);
    r = read_all(&file, &total);
    atomic_store(&stop_growing, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(r, 0);
    assert_int_equal(total, file.size);
}

static void a_file_without_a_size_ends_at_its_limit(void **state)
{
    CLEANUP(file_deinit) struct file file = FILE_INIT;
    size_t total;

    (void)state;
    temporary_write("f", "");
    assert_int_equal(file_open(&file, "f", 5), 0);
    temporary_append("f", "123456");
    assert_int_equal(read_all(&file, &total), FILE_REFUSED);
}

static void an_identity_does_not_depend_on_the_path(void **state)
{
    CLEANUP(file_deinit) struct file a = FILE_INIT;
    CLEANUP(file_deinit) struct file b = FILE_INIT;
    CLEANUP(file_deinit) struct file c = FILE_INIT;

    (void)state;
    temporary_write("f", "x");
    temporary_write("g", "x");
    assert_int_equal(symlink("f", "l"), 0);
    assert_int_equal(file_open(&a, "f", 5), 0);
    assert_int_equal(file_open(&b, "./l", 5), 0);
    assert_int_equal(file_open(&c, "g", 5), 0);
    assert_true(a.device == b.device && a.inode == b.inode);
    assert_true(a.inode != c.inode);
}

#define TEST(FUNCTION) cmocka_unit_test_setup_teardown(FUNCTION, temporary_enter, temporary_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_of_its_limit_is_read_whole),
        TEST(a_byte_more_is_refused),
        TEST(a_byte_that_comes_later_is_not_read),
        TEST(a_size_that_lies_does_not_matter),
        TEST(a_file_that_keeps_growing_ends_where_it_ended),
        TEST(a_file_without_a_size_ends_at_its_limit),
        TEST(an_identity_does_not_depend_on_the_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
