/* Percent-encoding (RFC 3986 2.1), and forms as browsers encode them. */
#pragma once

#include "base/base.h"

/* Decodes "%xx", and in a form "+" for a space, to TO, which has room for the length of the text.
 * Returns whether each '%' has two hexadecimal digits after it; if not, OUT is untouched. */
bool url_decode(struct text text, bool is_form, char *to, struct text *out);

/* Finds the first field of a name in a form, and its value, which is still encoded. Returns whether
 * it is there. */
bool url_find_field(struct text form, struct text name, struct text *out);
