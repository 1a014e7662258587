/* What sync came to last, out of the state, for the metrics and the status; nothing where sync
 * never ran. When the configuration has no sync any more, its last run does not count: nobody would
 * mend one that was refused. */
#pragma once

#include "admin/saved.h"
#include "admin/status.h"
#include "base/buffer.h"

/* Writes the families sync_… in Prometheus's text format, and how many members each policy has by
 * it, whether or not sync goes on. */
void sync_result_write_metrics(struct saved *saved, const struct status_view *view,
                               struct buffer *out);

/* Writes the same as a member of a JSON object: ,"sync":{"started","ended","succeeded","refused",
 * "names","members","uncovered","failed"}, where "succeeded" is null if no run ever did. */
void sync_result_write_json(struct saved *saved, const struct status_view *view,
                            struct buffer *out);
