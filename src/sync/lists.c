#include "sync/lists.h"

#include "base/array.h"
#include "base/quote.h"
#include "config/synced.h"
#include "os/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

enum {
    CHANGED_MAX = 2500, /* names that are noted one by one */
    CHANGED_SIZE_MAX = CHANGED_MAX * (NAME_TEXT_MAX + 1),
};

#define HEADER  "# Written by pdns-mta-sts sync: it replaces whatever is changed here.\n"
#define CHANGED "changed-domains"
#define ALL     ".\n" /* that all names have changed */

static int fail(struct buffer *fault, const char *does, const char *path)
{
    buffer_printf(fault, "cannot %s %s: %s", does, quote_text(text_from(path)).text,
                  strerror(errno));
    return LISTS_FAILED;
}

static char *join(const char *directory, const char *name)
{
    char *path;

    return asprintf(&path, "%s/%s", directory, name) < 0 ? NULL : path;
}

int lists_lock(const char *state, int *lock, struct buffer *fault)
{
    CLEANUP(free_pointer) char *directory = join(state, "synced");
    CLEANUP(free_pointer) char *path = join(state, "sync.lock");
    CLEANUP(fd_close) int fd = -1;

    if (!directory || !path)
        return -ENOMEM;
    /* Whoever checks the configuration reads the lists, and what they hold is in the DNS. */
    if (mkdir(directory, 0755) == 0)
        chmod(directory, 0755);
    else if (errno != EEXIST)
        return fail(fault, "make the directory", directory);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return fail(fault, "open", path);
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        /* cppcheck-suppress resourceLeak; CLEANUP closes it */
        return errno == EWOULDBLOCK ? LISTS_LOCKED : fail(fault, "lock", path);
    *lock = fd_take(&fd);
    return 0;
}

/* A file that is to take the place of another one. */
struct lists_file {
    char *path, *temporary; /* TEMPORARY is NULL once it has taken the place */
    FILE *file;             /* NULL once it is whole */
};

static void file_end(struct lists_file *file)
{
    if (file->file)
        fclose(file->file);
    if (file->temporary)
        unlink(file->temporary);
    free(file->temporary);
    free(file->path);
}

void lists_deinit(struct lists *lists)
{
    while (lists->n)
        file_end(&lists->files[--lists->n]);
    free(lists->files);
    *lists = (struct lists){.state = lists->state};
}

/* Begins a file, whose PATH it takes over. Returns 0, LISTS_FAILED or -ENOMEM. */
static int begin_file(struct lists *lists, char **path, FILE **out, struct buffer *fault)
{
    struct lists_file *file;
    FILE *stream;
    int fd;

    if (ARRAY_RESERVE(lists->files, lists->n, lists->capacity))
        return -ENOMEM;
    file = &lists->files[lists->n++];
    *file = (struct lists_file){.path = *path};
    *path = NULL;
    if (asprintf(&file->temporary, "%s~", file->path) < 0) {
        file->temporary = NULL;
        return -ENOMEM;
    }
    fd = open(file->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return fail(fault, "write", file->temporary);
    fchmod(fd, 0644);
    stream = fdopen(fd, "w");
    if (!stream) {
        close(fd);
        return -ENOMEM;
    }
    file->file = *out = stream;
    return 0;
}

/* Sees to it that the file that was begun last is whole, and on the disk. A stream that has failed
 * once has lost what it was given then, even if the rest could be written. */
static int finish_file(struct lists *lists, struct buffer *fault)
{
    struct lists_file *file = &lists->files[lists->n - 1];

    errno = EIO;
    if (ferror(file->file) || fflush(file->file) != 0 || fsync(fileno(file->file)) < 0)
        return fail(fault, "write", file->temporary);
    fclose(file->file);
    file->file = NULL;
    return 0;
}

/* Sees to it that a directory, in which a file got its name, is on the disk. */
static int sync_directory(const char *path)
{
    CLEANUP(free_pointer) char *directory = strdup(path);
    CLEANUP(fd_close) int fd = -1;

    if (!directory)
        return -ENOMEM;
    *strrchr(directory, '/') = '\0';
    fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 && fsync(fd) == 0 ? 0 : -errno;
}

static int replace_all(struct lists *lists, struct buffer *fault)
{
    for (size_t i = 0; i < lists->n; i++) {
        struct lists_file *file = &lists->files[i];

        if (rename(file->temporary, file->path) < 0)
            return fail(fault, "replace", file->path);
        free(file->temporary);
        file->temporary = NULL;
        if (sync_directory(file->path))
            return fail(fault, "write", file->path);
    }
    return 0;
}

int lists_replace(struct lists *lists, struct buffer *fault)
{
    int lock = lists->n ? synced_lock(lists->state, true) : -1;
    int r = replace_all(lists, fault);

    fd_close(&lock);
    return r;
}

/* The next member of a policy from a number of an entry on, or NULL. */
static const struct name_entry *next_member(const struct names *names, uint32_t policy,
                                            size_t *number)
{
    while (*number < names->n) {
        const struct name_entry *entry = &names->items[(*number)++];

        if (entry->policy == policy)
            return entry;
    }
    return NULL;
}

/* Whether a line of a file is this text and the end of the line. */
static bool line_is(FILE *file, struct text text)
{
    char line[NAME_TEXT_MAX + 2];

    return fgets(line, sizeof(line), file) && strlen(line) == text.length + 1 &&
           line[text.length] == '\n' && memcmp(line, text.data, text.length) == 0;
}

/* Whether a list has these members already. */
static bool is_same(FILE *file, const struct names *names, uint32_t policy)
{
    const struct name_entry *entry;
    size_t number = 0;

    if (!line_is(file, text_of(HEADER, sizeof(HEADER) - 2)))
        return false;
    while ((entry = next_member(names, policy, &number)))
        if (!line_is(file, names_text(names, entry)))
            return false;
    return fgetc(file) == EOF && !ferror(file);
}

int lists_write(struct lists *lists, const char *primary, const struct names *names,
                uint32_t policy, struct buffer *fault)
{
    CLEANUP(free_pointer) char *path = synced_path(lists->state, primary);
    const struct name_entry *entry;
    size_t number = 0;
    FILE *before, *file;
    bool same;
    int r;

    if (!path)
        return -ENOMEM;
    before = fopen(path, "re");
    same = before && is_same(before, names, policy);
    if (before)
        fclose(before);
    if (same)
        return 0;
    r = begin_file(lists, &path, &file, fault);
    if (r)
        return r;
    fputs(HEADER, file);
    while ((entry = next_member(names, policy, &number))) {
        struct text name = names_text(names, entry);

        fprintf(file, "%.*s\n", (int)name.length, name.data);
    }
    return finish_file(lists, fault);
}

static size_t count_lines(struct text text)
{
    size_t n = 0;

    for (size_t i = 0; i < text.length; i++)
        n += text.data[i] == '\n';
    return n;
}

/* Reads the names that have changed before; that they are all if they cannot be read. */
static void read_changed(const char *path, struct buffer *out)
{
    FILE *file = fopen(path, "re");
    char *bytes = file ? buffer_reserve(out, CHANGED_SIZE_MAX) : NULL;

    if (bytes)
        out->length += fread(bytes, 1, CHANGED_SIZE_MAX, file);
    if (file ? ferror(file) : errno != ENOENT) {
        buffer_clear(out);
        buffer_add_string(out, ALL);
    }
    if (file)
        fclose(file);
}

int lists_note_changed(struct lists *lists, struct text lines, struct buffer *fault)
{
    CLEANUP(free_pointer) char *path = join(lists->state, "synced/" CHANGED);
    CLEANUP(buffer_deinit) struct buffer before = BUFFER_INIT;
    FILE *file;
    int r;

    if (!path)
        return -ENOMEM;
    read_changed(path, &before);
    if (before.failed)
        return -ENOMEM;
    r = begin_file(lists, &path, &file, fault);
    if (r)
        return r;
    if (text_starts_with(buffer_text(&before), TEXT(ALL)) ||
        count_lines(buffer_text(&before)) + count_lines(lines) > CHANGED_MAX)
        fputs(ALL, file);
    else
        fprintf(file, "%.*s%.*s", (int)before.length, buffer_text(&before).data, (int)lines.length,
                lines.data);
    return finish_file(lists, fault);
}
