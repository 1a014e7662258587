/* Input from outside, fit for a terminal, a log or a message. */
#pragma once

#include "base/base.h"

/* Writes text so that it prints on one line and shows what it is: octets and characters that do not
 * print, that turn the direction of writing, or that only look like a space or like nothing, become
 * \xNN, the characters of SPECIAL get a backslash. OUT has room
 * for SIZE bytes; a text that does not fit is cut and ends in "…". */
void quote_escape(struct text text, const char *special, char *out, size_t size);

/* Input that is fit to stand in a message. */
struct quoted {
    char text[128];
};

/* Makes input fit for a message: in quotes, escaped as quote_escape does, and cut where it is very
 * long. For direct use in an argument: quote_text(input).text. */
struct quoted quote_text(struct text input);
