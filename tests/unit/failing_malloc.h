/* Allocations that fail on order: malloc, calloc, realloc and strdup of this program's own code are
 * wrapped by the linker, and jansson is told to use them too. */
#pragma once

#include "base.h"

/* Routes jansson's allocations through the wrapped ones. */
void failing_malloc_init(void);

/* Lets N allocations succeed and fails every one after them; SIZE_MAX ends the failing. */
void failing_malloc_after(size_t n);

/* Whether an allocation has failed since the last order. */
bool failing_malloc_failed(void);

/* Runs a function again and again, failing the first allocation, then the second, … until none
 * fails any more. The function must succeed (return 0) exactly when no allocation failed. Returns
 * how many it made. */
size_t failing_malloc_each(int (*run)(void));
