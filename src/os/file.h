/* Reading the files of a configuration: regular files only, never more than a limit, and opening
 * never blocks. A file that grows while it is read ends where it ended when it was opened: reading
 * might never catch up with the writer. Files in /proc say that they have no bytes; they are read
 * until they end. */
#pragma once

#include "base/base.h"

#include <sys/types.h>

/* A file that is being read. */
struct file {
    int fd;
    dev_t device; /* with inode: which file it is, whatever its path */
    ino_t inode;
    size_t limit;    /* bytes */
    size_t size;     /* bytes when it was opened */
    size_t total;    /* bytes read so far */
    time_t modified; /* in seconds since 1970 */
    mode_t mode;     /* as stat gives it, 0 if it could not be opened */
    int error;       /* errno of what failed, or 0 */
};

#define FILE_INIT ((struct file){.fd = -1})

/* The positive result: the file cannot be used; file_report.h says why. */
enum { FILE_REFUSED = 1 };

/* Opens a regular file of at most LIMIT bytes. Returns 0 or FILE_REFUSED. */
int file_open(struct file *file, const char *path, size_t limit);

/* Closes the file; one that is FILE_INIT is allowed. */
void file_deinit(struct file *file);

/* Reads up to SIZE bytes. Returns 0 and how many were read, none only at the end; or FILE_REFUSED,
 * also where the file turns out to hold more than its limit. */
int file_read(struct file *file, void *bytes, size_t size, size_t *n);

/* Goes back to the first byte, so that the file can be read again. */
void file_rewind(struct file *file);
