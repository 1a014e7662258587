#include "memory_file.h"

#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

static void write_all(int fd, struct text text)
{
    while (text.length) {
        ssize_t n = write(fd, text.data, text.length);

        MUST(n > 0);
        text = text_after(text, (size_t)n);
    }
}

static void write_padding(int fd, size_t n)
{
    char newlines[4096];

    memset(newlines, '\n', sizeof(newlines));
    while (n) {
        size_t part = n < sizeof(newlines) ? n : sizeof(newlines);

        write_all(fd, (struct text){newlines, part});
        n -= part;
    }
}

const char *memory_file(size_t padding, struct text text)
{
    static char path[32];
    static int fd = -1;

    if (fd < 0) {
        fd = memfd_create("input", MFD_CLOEXEC);
        MUST(fd >= 0);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    }
    MUST(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
    write_padding(fd, padding);
    write_all(fd, text);
    return path;
}
