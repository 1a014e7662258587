/* Where the names come from that may be mail domains: PowerDNS's API, or a command.
 *
 * A source is read to its end or it is of no use: a list that was cut short would look as if the
 * domains that are missing had gone. So names that were found count only if source_read returns 0.
 */
#pragma once

#include "base/buffer.h"
#include "config/settings.h"

/* Takes a name as it was written. Returns 0 or -ENOMEM. */
typedef int (*source_found)(void *context, struct text name);

/* The positive result: it cannot be read to its end, and FAULT says why. */
enum { SOURCE_FAILED = 1 };

/* Hands every name to a function. Nothing of the source itself is in FAULT but in quotes. Returns
 * 0, SOURCE_FAILED or -ENOMEM. */
int source_read(const struct sync_settings *settings, source_found found, void *context,
                struct buffer *fault);
