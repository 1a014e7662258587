/* Variables of the environment that are numbers. */
#pragma once

#include "base/number.h"

/* Reads a variable. Returns whether it is set to a decimal number; OUT is untouched otherwise. */
static inline bool environment_number(const char *variable, uint64_t *out)
{
    const char *text = getenv(variable);

    return text && number_read(text_from(text), UINT64_MAX, out);
}
