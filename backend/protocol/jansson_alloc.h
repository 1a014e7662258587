/* Memory for jansson. Its reader overlooks some failed allocations and goes on: a name then comes
 * out as another name, and bytes are even written behind the end of a block. So its allocations go
 * through functions that fail all after the first failure, which it does not survive unnoticed. The
 * mark is one for each thread, as jansson hands its allocator nothing to keep it in. */
#pragma once

#include "base/base.h"

/* Has jansson allocate here. To be called once, before anything else of jansson's. */
void jansson_alloc_init(void);

/* Begins a use of jansson: allocations are tried again. */
void jansson_alloc_begin(void);

/* Whether an allocation has failed in this thread since the begin. */
bool jansson_alloc_failed(void);
