#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int file_open(struct file *file, const char *path, size_t limit)
{
    struct stat status;

    *file = FILE_INIT;
    file->limit = limit;
    file->fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (file->fd < 0 || fstat(file->fd, &status) < 0) {
        file->error = errno;
        return FILE_REFUSED;
    }
    file->device = status.st_dev;
    file->inode = status.st_ino;
    file->modified = status.st_mtime;
    file->mode = status.st_mode;
    file->size = (size_t)status.st_size;
    return S_ISREG(file->mode) && (uintmax_t)status.st_size <= limit ? 0 : FILE_REFUSED;
}

void file_deinit(struct file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    *file = FILE_INIT;
}

int file_read(struct file *file, void *bytes, size_t size, size_t *n)
{
    ssize_t got;

    if (file->size && size > file->size - file->total)
        size = file->size - file->total;
    do
        got = read(file->fd, bytes, size);
    while (got < 0 && errno == EINTR);
    if (got < 0) {
        file->error = errno;
        return FILE_REFUSED;
    }
    if ((size_t)got > file->limit - file->total)
        return FILE_REFUSED;
    file->total += (size_t)got;
    *n = (size_t)got;
    return 0;
}

void file_rewind(struct file *file)
{
    lseek(file->fd, 0, SEEK_SET);
    file->total = 0;
}
