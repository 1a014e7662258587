/* Records as dig and master files show them (RFC 1035 5.1). */
#pragma once

#include "answer/answer.h"
#include "base/buffer.h"

/* Writes one record and a newline, in the columns of 'dig +noall +answer', which a name server
 * reads as well: absolute owner name, TTL, class, type, content. The row is no empty non-terminal,
 * which has no such form. */
void master_file_write(struct buffer *out, const struct answer *answer, const struct row *row);

/* Writes the records of an answer that a question for a type gets, a mnemonic of any case: ANY asks
 * for all. Where there is a CNAME record instead, that one and, as a name server does, what its
 * target has for the type, as far as the targets are of this service. Returns how many records; an
 * empty non-terminal has none. */
size_t master_file_write_answer(struct buffer *out, const struct snapshot *snapshot,
                                const struct answer *answer, struct text type);
