#include "config/source.h"

#include <errno.h>

enum {
    LINE_BITS = 30,
    COLUMN_BITS = 18,
};

void sources_deinit(struct sources *sources)
{
    for (size_t i = 0; i < sources->n; i++)
        free(sources->names[i]);
    free(sources->names);
    *sources = SOURCES_INIT;
}

int sources_add(struct sources *sources, const char *name, uint16_t *number)
{
    if (sources->n == SOURCES_MAX)
        return SOURCES_FULL;
    if (sources->n == sources->capacity) {
        size_t capacity = sources->capacity ? 2 * sources->capacity : 8;
        char **names = reallocarray(sources->names, capacity, sizeof(*names));

        if (!names)
            return -ENOMEM;
        sources->names = names;
        sources->capacity = capacity;
    }
    sources->names[sources->n] = strdup(name);
    if (!sources->names[sources->n])
        return -ENOMEM;
    *number = (uint16_t)sources->n++;
    return 0;
}

const char *sources_name(const struct sources *sources, uint16_t number)
{
    return sources->names[number];
}

uint64_t source_pack(uint16_t number, uint32_t line, uint32_t column)
{
    if (line >> LINE_BITS)
        line = 0;
    if (column >> COLUMN_BITS)
        column = 0;
    return (uint64_t)number << (LINE_BITS + COLUMN_BITS) | (uint64_t)line << COLUMN_BITS | column;
}

struct place source_unpack(const struct sources *sources, uint64_t packed)
{
    return (struct place){
        .file = sources_name(sources, (uint16_t)(packed >> (LINE_BITS + COLUMN_BITS))),
        .line = packed >> COLUMN_BITS & ((1U << LINE_BITS) - 1),
        .column = packed & ((1U << COLUMN_BITS) - 1),
    };
}
