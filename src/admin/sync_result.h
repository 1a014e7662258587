/* What sync came to last, out of the state, for the metrics and the status. */
#pragma once

#include "admin/saved.h"
#include "base/buffer.h"
#include "snapshot/snapshot.h"

/* Writes the families sync_… in Prometheus's text format, nothing where sync never ran; and how
 * many members each policy of a snapshot has by it. */
void sync_result_write_metrics(struct saved *saved, const struct snapshot *snapshot,
                               struct buffer *out);

/* Writes the same as a member of a JSON object: ,"sync":{"started","ended","succeeded","refused",
 * "names","members","uncovered","failed"}, where "succeeded" is null if no run ever did; nothing
 * where sync never ran. */
void sync_result_write_json(struct saved *saved, struct buffer *out);
