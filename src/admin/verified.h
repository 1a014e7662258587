/* What `verify --save` found last, out of the state, for the metrics and the status. */
#pragma once

#include "base/buffer.h"
#include "config/settings.h"

/* Writes the families verified_domains and verify_timestamp_seconds in Prometheus's text format;
 * nothing where nothing was saved. Reads a database, so it is for the admin thread alone. */
void verified_write_metrics(const struct settings *settings, struct buffer *out);

/* Writes the same as a member of a JSON object:
 * ,"verify":{"started","ended","domains","ok","warning", "error"}; nothing where nothing was saved.
 */
void verified_write_json(const struct settings *settings, struct buffer *out);
