#include "base/array.h"

#include <errno.h>

enum { CAPACITY_SMALLEST = 16 };

int array_reserve(void *items, size_t n, size_t *capacity, size_t item_size)
{
    size_t larger = *capacity ? *capacity * 2 : CAPACITY_SMALLEST;
    void *old, *grown;

    if (n < *capacity)
        return 0;
    memcpy(&old, items, sizeof(old));
    grown = reallocarray(old, larger, item_size);
    if (!grown)
        return -ENOMEM;
    memcpy(items, &grown, sizeof(grown));
    *capacity = larger;
    return 0;
}
