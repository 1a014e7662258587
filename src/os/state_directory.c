#include "os/state_directory.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char state_needed[] = "authority: zones needs a state, which keeps the serials over a "
                            "restart: set the key state to a "
                            "directory that the service may write, or create " STATE_DIRECTORY;

const char *state_directory(const char *configured)
{
    const char *given = getenv("STATE_DIRECTORY");
    struct stat status;

    if (configured)
        return strcmp(configured, "none") == 0 ? NULL : configured;
    /* Of several, with colons, none is meant for us alone. */
    if (given && *given == '/' && !strchr(given, ':'))
        return given;
    return stat(STATE_DIRECTORY, &status) == 0 && S_ISDIR(status.st_mode) ? STATE_DIRECTORY : NULL;
}

int state_directory_become_owner(const char *directory)
{
    const struct passwd *owner;
    struct stat status;
    gid_t group;

    if (geteuid() != 0 || stat(directory, &status) < 0 || status.st_uid == 0)
        return 0;
    /* No other thread has begun. */
    /* cppcheck-suppress getpwuidCalled */
    owner = getpwuid(status.st_uid);
    group = owner ? owner->pw_gid : status.st_gid;
    if ((owner ? initgroups(owner->pw_name, group) : setgroups(0, NULL)) < 0 || setgid(group) < 0 ||
        setuid(status.st_uid) < 0)
        return -errno;
    return 0;
}
