/* What a run found, for people and for programs. */
#pragma once

#include "base/buffer.h"
#include "verify/run.h"

/* Writes the totals, each cause with its remedy, the widest first, and for policies in testing
 * whether their domains are ready for mode enforce. */
void report_write_text(const struct run *run, const struct snapshot *snapshot, struct buffer *out);

/* Writes one JSON object: started, ended, domains, ok, warning, error, findings. */
void report_write_json(const struct run *run, struct buffer *out);
