/* Allocations that fail on order: malloc, calloc, realloc and strdup of this program's own code are
 * wrapped by the linker. Orders concern all
 * threads. */
#pragma once

#include "base/base.h"

/* The wrapped functions, for libraries that take an allocator; before their first use. */
void *__wrap_malloc(size_t size);
void *__wrap_realloc(void *pointer, size_t size);

/* Lets N allocations succeed and fails every one after them, until the end. */
void failing_malloc_after(size_t n);

/* Lets N allocations succeed, fails the next one, and lets all others succeed. */
void failing_malloc_once(size_t n);

/* Ends the failing. Returns whether an allocation has failed since its begin. */
bool failing_malloc_end(void);

/* Runs a function again and again, failing the first allocation, then the second, … until none
 * fails any more. The function must succeed (return 0) exactly when no allocation failed. Returns
 * how many it made. */
size_t failing_malloc_each(int (*run)(void));
