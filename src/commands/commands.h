/* The commands of the program. Each returns its exit code: 0 done, 1 refused or failed, 2 wrong
 * usage. Data goes to stdout, everything else to stderr. */
#pragma once

#include "commands/command_line.h"
#include "config/config.h"

/* Runs the service in the foreground, with its log of the level in option 0 on stderr, until
 * SIGTERM or SIGINT; SIGHUP reloads. */
int serve_run(const struct command_arguments *arguments);
extern const struct command_choice serve_log_levels[];

/* Reads the configuration, prints every error and warning to stderr and the totals to stdout. */
int check_run(const struct command_arguments *arguments);

/* Prints the records of all domains, or of those in the operands, in the format of option 0. */
int records_run(const struct command_arguments *arguments);
extern const struct command_choice records_formats[];

/* Prints the records of the name in operand 0 and the type in operand 1. */
int lookup_run(const struct command_arguments *arguments);

/* Prints the policy body of the domain in operand 0. */
int policy_run(const struct command_arguments *arguments);

/* Prints the policy bodies that the policy of the domain in operand 0 had, from the state. */
int history_run(const struct command_arguments *arguments);

/* Prints the configuration of another program, of the kind in operand 0, with as many names in a
 * certificate as option 0 says. */
int export_run(const struct command_arguments *arguments);
extern const struct command_choice export_kinds[];

/* Reads the configuration for a command that prints something of it. Its snapshot has the domains
 * that are retiring as the state says, and those that would begin to after a reload. Errors go to
 * stderr; warnings are left to check. Returns the configuration, which the caller frees, or NULL.
 */
struct config *command_load(const char *path);

/* Reads the configuration as command_load does, but without those that are retiring. */
struct config *command_load_alone(const char *path);

/* Reads the configuration, judges whether this system can serve it, and prints all errors and
 * warnings to stderr and, if it was refused, a line that says so. AHEAD is then
 * how far the clock of the state is ahead (state/state_clock.h). Returns the configuration, which
 * the caller frees, or NULL. */
struct config *command_check(const char *path, struct diagnostics *diagnostics, int64_t *ahead);

/* Says on stderr that memory ran out. Returns the exit code. */
int command_out_of_memory(void);

/* Finds the domains that the operands name. Returns them, one an operand, for the caller to free;
 * or NULL, after stderr said which the configuration does not have. */
struct domain *command_find_domains(const struct snapshot *snapshot,
                                    const struct command_arguments *arguments);
