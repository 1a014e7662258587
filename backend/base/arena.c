#include "base/arena.h"

#include <errno.h>

enum {
    CHUNK_SMALLEST = 4096,
    CHUNK_LARGEST = 1 << 20, /* beyond this, doubling would only waste */
};

struct arena_chunk {
    struct arena_chunk *older;
    _Alignas(max_align_t) char bytes[];
};

void arena_deinit(struct arena *arena)
{
    while (arena->chunks) {
        struct arena_chunk *chunk = arena->chunks;

        arena->chunks = chunk->older;
        free(chunk);
    }
    *arena = ARENA_INIT;
}

static bool add_chunk(struct arena *arena, size_t at_least)
{
    size_t size = arena->size ? arena->size * 2 : CHUNK_SMALLEST;
    struct arena_chunk *chunk;

    if (size > CHUNK_LARGEST)
        size = CHUNK_LARGEST;
    if (size < at_least)
        size = at_least;
    chunk = malloc(sizeof(*chunk) + size);
    if (!chunk)
        return false;
    chunk->older = arena->chunks;
    arena->chunks = chunk;
    arena->used = 0;
    arena->size = size;
    arena->total += sizeof(*chunk) + size;
    return true;
}

/* Gives SIZE bytes with the given alignment, as they are. */
static char *take_bytes(struct arena *arena, size_t size, size_t alignment)
{
    size_t start = (arena->used + alignment - 1) & ~(alignment - 1);

    if (!arena->chunks || start > arena->size || size > arena->size - start) {
        if (!add_chunk(arena, size))
            return NULL;
        start = 0;
    }
    arena->used = start + size;
    return arena->chunks->bytes + start;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    char *bytes = take_bytes(arena, size, _Alignof(max_align_t));

    if (bytes)
        memset(bytes, 0, size);
    return bytes;
}

int arena_copy_text(struct arena *arena, struct text text, struct text *out)
{
    char *bytes = take_bytes(arena, text.length + 1, 1);

    if (!bytes)
        return -ENOMEM;
    if (text.length)
        memcpy(bytes, text.data, text.length);
    bytes[text.length] = '\0';
    *out = text_of(bytes, text.length);
    return 0;
}
