/* Strings in JSON. */
#pragma once

#include "base/buffer.h"

/* Appends a text as a JSON string (RFC 8259 7), in quotes. Octets beyond ASCII go through as they
 * are: the text is UTF-8. */
void json_write_string(struct buffer *out, struct text text);

/* Goes to the next element of an array or the next member of an object: writes a comma unless it is
 * the first. ANY says whether there is one before it, and is true afterwards. */
void json_write_separator(struct buffer *out, bool *any);
