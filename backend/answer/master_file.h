/* Records as dig and master files show them (RFC 1035 5.1). */
#pragma once

#include "answer/answer.h"

/* Writes one record and a newline, in the columns of 'dig +noall +answer', which a name server
 * reads as well: absolute owner name, TTL, class, type, content. The row must not be an empty
 * non-terminal, which has no such form. */
void master_file_write(struct buffer *out, const struct answer *answer, const struct row *row);

/* Writes the records of an answer that a question for a type gets, a mnemonic in any case: ANY asks
 * for all. If there is a CNAME record instead, writes that and, as a name server does, the records
 * of its target, as long as the targets are names of this service. Returns the number of records;
 * an empty non-terminal has none. */
size_t master_file_write_answer(struct buffer *out, const struct snapshot *snapshot,
                                const struct answer *answer, struct text type);
