/* Strings in JSON. */
#pragma once

#include "base/buffer.h"

/* Appends a text as a JSON string (RFC 8259 7), in quotes. Octets beyond ASCII go through as they
 * are: the text is UTF-8. */
void json_write_string(struct buffer *out, struct text text);
