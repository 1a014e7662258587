/* Growing arrays. Each is three members of a struct: a pointer to the items, their number, and the
 * number that there is room for. */
#pragma once

#include "base/base.h"

/* Makes room for at least one more than N items, by doubling; the items may move. ITEMS is the
 * address of the pointer to them. Returns 0 or -ENOMEM; then nothing has changed. */
int array_reserve(void *items, size_t n, size_t *capacity, size_t item_size);

/* Makes room for one more item at the end of an array. Returns 0 or -ENOMEM. */
#define ARRAY_RESERVE(ITEMS, N, CAPACITY)                                                          \
    array_reserve(&(ITEMS), (N), &(CAPACITY), sizeof(*(ITEMS)))
