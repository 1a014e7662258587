/* Commands that are programs of their own, since they need libraries that the service must not. */
#pragma once

#include "commands/command_line.h"

/* Runs such a program in place of this one, with the command and all that follows it as its
 * arguments: the one beside this program, or else the one that was installed; HELP adds --help.
 * Returns only if it cannot be run: the exit code, after stderr said why. */
int external_run(const char *program, const struct command_arguments *arguments, bool help);
