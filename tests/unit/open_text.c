#include "open_text.h"

#include "cmocka_all.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

void open_text(struct text text, struct file *file)
{
    int fd = memfd_create("text", MFD_CLOEXEC);
    char path[32];

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text.data, text.length), text.length);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    assert_int_equal(file_open(file, path, 1 << 23), 0);
    close(fd);
}
