/* A command of the operator's that prints a domain a line. */
#pragma once

#include "sync/source.h"

/* Runs a program, WORDS being its path and its arguments up to NULL, without a shell and without
 * input, and hands every line of its output to a function: blank lines and comments are left out,
 * as in list files. What it writes to stderr comes out on ours, line by line, escaped. It must end
 * by itself, with exit status 0, before its time is over; nothing is handed on before. Returns as
 * source_read does. */
int list_command_read(char *const *words, source_found found, void *context, struct buffer *fault);
