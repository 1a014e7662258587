/* What `verify --save` found last, out of the state, for the metrics and the status. */
#pragma once

#include "admin/saved.h"
#include "base/buffer.h"

/* Writes the families verified_domains and verify_timestamp_seconds in Prometheus's text format;
 * nothing where nothing was saved. */
void verified_write_metrics(struct saved *saved, struct buffer *out);

/* Writes the same as a member of a JSON object:
 * ,"verify":{"started","ended","domains","ok","warning", "error"}; nothing where nothing was saved.
 */
void verified_write_json(struct saved *saved, struct buffer *out);
