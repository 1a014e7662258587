#include "protocol/jansson_alloc.h"

#include <jansson.h>

static _Thread_local bool failed;

static void *allocate(size_t size)
{
    void *memory = failed ? NULL : malloc(size);

    failed = memory == NULL;
    return memory;
}

void jansson_alloc_init(void)
{
    json_set_alloc_funcs(allocate, free);
}

void jansson_alloc_begin(void)
{
    failed = false;
}

bool jansson_alloc_failed(void)
{
    return failed;
}
