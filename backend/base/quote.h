/* Input from outside, fit for a terminal, a log or a message. */
#pragma once

#include "base/base.h"

/* What is wrong with an input, as a message says it: "found FOUND, expected EXPECTED". */
struct fault_text {
    const char *found, *expected;
};

/* Writes text so that it prints on one line and shows what it is. Octets and characters that do not
 * print, that turn the direction of writing, or that look like a space or like nothing, become
 * \xNN; the characters of SPECIAL get a backslash. OUT has room for SIZE bytes, with the
 * terminator; a text that does not fit is cut and ends in "…". */
void quote_escape(struct text text, const char *special, char *out, size_t size);

/* Input in quotes, for a message. */
struct quoted {
    char text[128];
};

/* Puts input in quotes, escaped by quote_escape and cut if it is very long. For direct use in an
 * argument: quote_text(input).text. */
struct quoted quote_text(struct text input);
