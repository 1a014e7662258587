/* Characters of UTF-8 (RFC 3629). */
#pragma once

#include "base/base.h"

/* Reads the sequence at the start of a text that is not empty. Returns its length, or 0 if it is
 * not valid. */
size_t utf8_read(struct text text, uint32_t *character);

/* Whether a text is made of valid sequences alone. */
bool utf8_is_valid(struct text text);

/* How many characters a text has. */
size_t utf8_count(struct text text);

/* Whether a character is white space in any script (Unicode's property White_Space). */
bool utf8_is_space(uint32_t character);

/* Finds the first white space of a text. Returns how many bytes stand before it, or the length of
 * the text if there is none; CHARACTER is then untouched. */
size_t utf8_find_space(struct text text, uint32_t *character);
