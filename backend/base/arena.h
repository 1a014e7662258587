/* Memory that is freed all at once, for objects that are built together and die together. */
#pragma once

#include "base/base.h"

struct arena_chunk;

struct arena {
    struct arena_chunk *chunks; /* the newest first */
    size_t used;                /* bytes of the newest */
    size_t size;                /* bytes that the newest can hold */
    size_t total;               /* bytes of all chunks */
};

#define ARENA_INIT ((struct arena){0})

/* Frees everything. The arena is empty and usable afterwards. */
void arena_deinit(struct arena *arena);

/* Gives SIZE zeroed bytes, aligned for any type, or NULL. They live until arena_deinit. */
void *arena_alloc(struct arena *arena, size_t size);

/* Copies text, adding a terminator that its length does not count. Returns 0 or -ENOMEM. OUT may be
 * the text itself. */
int arena_copy_text(struct arena *arena, struct text text, struct text *out);
