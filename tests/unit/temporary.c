#include "temporary.h"

#include "cmocka_all.h"

#include <ftw.h>
#include <stdio.h>
#include <unistd.h>

int temporary_enter(void **state)
{
    char *path = strdup("/tmp/pdns-mta-sts-test-XXXXXX");

    assert_non_null(path);
    assert_non_null(mkdtemp(path));
    *state = path;
    return chdir(path);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

int temporary_leave(void **state)
{
    int r = chdir("/");

    if (r == 0)
        r = nftw(*state, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(*state);
    return r;
}

static void write_in_mode(const char *path, const char *mode, const char *text)
{
    FILE *file = fopen(path, mode);

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

void temporary_write(const char *path, const char *text)
{
    write_in_mode(path, "w", text);
}

void temporary_append(const char *path, const char *text)
{
    write_in_mode(path, "a", text);
}

void temporary_write_hole(const char *path, size_t size)
{
    temporary_write(path, "");
    assert_int_equal(truncate(path, (off_t)size), 0);
}
