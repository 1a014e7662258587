#include "sync/lists.h"

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
        return errno == EWOULDBLOCK ? LISTS_LOCKED : fail(fault, "lock", path);
    *lock = fd_take(&fd);
    return 0;
}

/* A file that takes the place of another one when it is whole. */
struct replacement {
    const char *path;
    char *temporary;
    FILE *file;
};

static void replacement_deinit(struct replacement *replacement)
{
    if (replacement->file)
        fclose(replacement->file);
    if (replacement->temporary)
        unlink(replacement->temporary);
    free(replacement->temporary);
}

static int begin_replacement(struct replacement *replacement, const char *path,
                             struct buffer *fault)
{
    int fd;

    *replacement = (struct replacement){.path = path, .temporary = join(path, "")};
    if (!replacement->temporary)
        return -ENOMEM;
    replacement->temporary[strlen(path)] = '~';
    fd = open(replacement->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return fail(fault, "write", replacement->temporary);
    fchmod(fd, 0644);
    replacement->file = fdopen(fd, "w");
    if (replacement->file)
        return 0;
    close(fd);
    return -ENOMEM;
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

static int end_replacement(struct replacement *replacement, struct buffer *fault)
{
    if (fflush(replacement->file) != 0 || fsync(fileno(replacement->file)) < 0)
        return fail(fault, "write", replacement->temporary);
    if (rename(replacement->temporary, replacement->path) < 0)
        return fail(fault, "replace", replacement->path);
    free(replacement->temporary);
    replacement->temporary = NULL;
    return sync_directory(replacement->path) ? fail(fault, "write", replacement->path) : 0;
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

int lists_write(const char *state, const char *primary, const struct names *names, uint32_t policy,
                struct buffer *fault)
{
    CLEANUP(replacement_deinit) struct replacement replacement = {0};
    CLEANUP(free_pointer) char *path = synced_path(state, primary);
    const struct name_entry *entry;
    size_t number = 0;
    FILE *before;
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
    r = begin_replacement(&replacement, path, fault);
    if (r)
        return r;
    fputs(HEADER, replacement.file);
    while ((entry = next_member(names, policy, &number))) {
        struct text name = names_text(names, entry);

        fprintf(replacement.file, "%.*s\n", (int)name.length, name.data);
    }
    return end_replacement(&replacement, fault);
}

static size_t count_lines(struct text text)
{
    size_t n = 0;

    for (size_t i = 0; i < text.length; i++)
        n += text.data[i] == '\n';
    return n;
}

/* Reads the names that have changed before; more than there may be if they cannot be read. */
static void read_changed(const char *path, struct buffer *out)
{
    FILE *file = fopen(path, "re");
    char *bytes = file ? buffer_reserve(out, CHANGED_SIZE_MAX) : NULL;

    if (bytes)
        out->length += fread(bytes, 1, CHANGED_SIZE_MAX, file);
    if (file)
        fclose(file);
}

int lists_note_changed(const char *state, struct text lines, struct buffer *fault)
{
    CLEANUP(replacement_deinit) struct replacement replacement = {0};
    CLEANUP(free_pointer) char *path = join(state, "synced/" CHANGED);
    CLEANUP(buffer_deinit) struct buffer before = BUFFER_INIT;
    int r;

    if (!path)
        return -ENOMEM;
    read_changed(path, &before);
    r = begin_replacement(&replacement, path, fault);
    if (r)
        return r;
    if (text_starts_with(buffer_text(&before), TEXT(".\n")) ||
        count_lines(buffer_text(&before)) + count_lines(lines) > CHANGED_MAX)
        fputs(".\n", replacement.file);
    else
        fprintf(replacement.file, "%.*s%.*s", (int)before.length, buffer_text(&before).data,
                (int)lines.length, lines.data);
    return end_replacement(&replacement, fault);
}
