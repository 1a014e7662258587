/* A file without a place in any directory, for readers that want a path. */
#pragma once

#include "base/base.h"

/* Writes a file of PADDING newlines and TEXT, in the place of the one before, and returns its path,
 * which is the same each time. */
const char *memory_file(size_t padding, struct text text);
