/* What sync came to last, out of the state, for the metrics and the status. */
#pragma once

#include "base/buffer.h"
#include "config/settings.h"
#include "snapshot/snapshot.h"

/* Writes the families sync_… in Prometheus's text format, nothing where sync never ran; and how
 * many members each policy of a snapshot has by it. Reads a database, so it is for the admin thread
 * alone. */
void sync_result_write_metrics(const struct settings *settings, const struct snapshot *snapshot,
                               struct buffer *out);

/* Writes the same as a member of a JSON object: ,"sync":{"started","ended","succeeded","refused",
 * "names","members","uncovered","failed"}, where "succeeded" is null if no run ever did; nothing
 * where sync never ran. */
void sync_result_write_json(const struct settings *settings, struct buffer *out);
