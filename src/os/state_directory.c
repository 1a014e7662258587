#include "os/state_directory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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
