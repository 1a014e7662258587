/* Memory for jansson, which overlooks some failed allocations: a name then comes out as another
 * name, and octets are even written past the end of a block. So after one failure all further
 * allocations fail too, which jansson does not overlook, and the caller can ask for it.
 *
 * The failure is kept in a variable of each thread, as jansson hands its allocator nothing to keep
 * it in. It is the only variable of backend/ that outlives a call, beside the allocator itself,
 * which jansson keeps for the process.
 */
#pragma once

#include "base/base.h"

/* Has jansson allocate here. To be called once, before anything else of jansson's. */
void jansson_alloc_init(void);

/* Begins a use of jansson in this thread: allocations are tried again. */
void jansson_alloc_begin(void);

/* Whether an allocation has failed in this thread since jansson_alloc_begin. */
bool jansson_alloc_failed(void);
