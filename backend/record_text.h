/* Records as dig and master files show them (RFC 1035 5.1). */
#pragma once

#include "buffer.h"
#include "synthesis.h"

/* Writes one record and a newline, in the columns of 'dig +noall +answer', which a name server
 * reads as well: absolute owner name, TTL, class, type, content. The row is no empty non-terminal,
 * which has no such form. */
void record_text_write(struct buffer *out, const struct answer *answer, const struct row *row);
