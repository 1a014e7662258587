/* The commands that an operator gives through PowerDNS: `pdnsutil backend-cmd remote COMMAND`,
 * which comes as the method directBackendCmd and gets a text. */
#pragma once

#include "base/buffer.h"
#include "snapshot/notify.h"

/* Runs a command as it was typed, a word and its operands with spaces between them, and writes what
 * it says: ASCII, each line with a newline. What is no command gets the list of commands. NOTIFY
 * may be NULL, as in struct method_call. Returns whether the command orders the configuration to be
 * read again, which is for the caller to do. */
bool backend_command_run(struct text typed, const struct snapshot *snapshot,
                         const struct notify *notify, struct buffer *out);
