#include "commands/external.h"

#include "base/quote.h"
#include "commands/paths.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

/* Writes the path of a program in the directory of this one. Returns whether it can be run. */
static bool find_beside(const char *program, char path[PATH_MAX])
{
    ssize_t n = readlink("/proc/self/exe", path, PATH_MAX);
    char *slash = n > 0 && n < PATH_MAX ? memrchr(path, '/', (size_t)n) : NULL;

    if (!slash)
        return false;
    n = slash + 1 - path;
    return snprintf(slash + 1, (size_t)(PATH_MAX - n), "%s", program) < PATH_MAX - n &&
           access(path, X_OK) == 0;
}

int external_run(const char *program, const struct command_arguments *arguments, bool help)
{
    CLEANUP(free_pointer) char *config_path = strdup(arguments->config_path);
    CLEANUP(free_pointer) char **argv = calloc(arguments->n_operands + 5, sizeof(*argv));
    char path[PATH_MAX], config[] = "--config", help_option[] = "--help";
    size_t n = 0;

    if (!config_path || !argv)
        return EXIT_REFUSED;
    if (!find_beside(program, path))
        snprintf(path, sizeof(path), LIBEXEC_DIR "/%s", program);
    argv[n++] = path;
    argv[n++] = arguments->operands[0];
    argv[n++] = config;
    argv[n++] = config_path;
    for (size_t i = 1; i < arguments->n_operands; i++)
        argv[n++] = arguments->operands[i];
    if (help)
        argv[n++] = help_option;
    execv(path, argv);
    fprintf(stderr, "pdns-mta-sts: cannot run %s: %s\n", quote_text(text_from(path)).text,
            strerror(errno));
    return EXIT_REFUSED;
}
