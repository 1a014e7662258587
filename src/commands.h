/* The commands of the program. Each returns its exit code: 0 done, 1 refused or failed. */
#pragma once

/* Runs the service in the foreground, with its log on stderr, until SIGTERM or SIGINT; SIGHUP
 * reloads. */
int serve_run(const char *config_path);

/* Reads the configuration, prints every error and warning to stderr and the totals to stdout. */
int check_run(const char *config_path);
