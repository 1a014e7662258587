/* A sequence of 64-bit marks, kept as runs with a constant step. Places in files are such marks:
 * the lines of a list are one run, however many they are. */
#pragma once

#include "base/base.h"

struct marks_run {
    uint64_t mark;  /* of the first */
    uint64_t step;  /* to the next, and so on; wraps */
    uint32_t first; /* the number of the first, from 0 */
};

struct marks {
    struct marks_run *runs;
    size_t n_runs, capacity;
    uint32_t n;
};

#define MARKS_INIT ((struct marks){0})

/* Frees the memory. The sequence is empty and usable afterwards. */
void marks_deinit(struct marks *marks);

/* Appends a mark; at most 2^32 - 1 of them. Returns 0 or -ENOMEM. */
int marks_add(struct marks *marks, uint64_t mark);

/* The mark of a number below n. */
uint64_t marks_get(const struct marks *marks, uint32_t number);
