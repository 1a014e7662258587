/* The commands that an operator gives through PowerDNS: `pdnsutil backend-cmd remote COMMAND`,
 * which comes as the method directBackendCmd and gets a text. */
#pragma once

#include "base/buffer.h"
#include "snapshot/notify.h"

/* Carries out a command as it was typed: a word, and what it takes, apart by spaces; the texts are
 * ASCII and end with a newline. NOTIFY is that of struct method_context. What is no command gets
 * the list of those that are. To reload is the program's business, so `reload` only gets its text
 * here: see backend_command_is_reload. */
void backend_command_answer(struct text command, const struct snapshot *snapshot,
                            const struct notify *notify, struct buffer *out);

/* Whether a command orders the configuration to be read again. */
bool backend_command_is_reload(struct text command);
